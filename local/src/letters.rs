//! Dead letters: what a stream's function failed on again and again, kept as Lambda keeps it in S3 (an on-failure
//! destination), and given to the function again by `screensort streams replay`.
//!
//! In AWS and here a letter is one object, `aws/lambda/<mapping>/<shard>/<day>/<time>-<id>`, of the same form: which
//! function it was, and the whole event. It may hold what people keep: the bucket is people's own.

use screensort_runtime::{Objects, ObjectsError, Stack};
use serde_json::{Value, json};

use crate::command::Failure;

/// Where letters lie.
const FOLDER: &str = "aws/lambda/";

/// A letter that was found.
#[derive(Debug)]
pub struct Letter {
    /// Its object.
    pub key: String,
    /// The job that failed; none if it is of no function of ours.
    pub job: Option<&'static str>,
    /// When it was given up.
    pub at: String,
    /// Why, as far as the letter says.
    pub why: String,
    /// The event.
    event: Value,
}

impl Letter {
    /// How many changes it holds.
    pub fn changes(&self) -> usize {
        self.event["Records"].as_array().map_or(0, Vec::len)
    }
}

/// What became of the letters.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Letters whose function took them; they are gone.
    pub done: usize,
    /// Changes in them.
    pub changes: usize,
    /// What failed again or cannot be read, and why. These stay.
    pub left: Vec<String>,
}

/// Keeps the changes that `job` failed on.
///
/// # Errors
/// If the bucket refuses.
pub async fn keep(stack: &Stack, job: &str, changes: &[Value], why: &str) -> Result<(), ObjectsError> {
    let now = stack.clock().now();
    let of = |change: Option<&Value>| change.map(|c| c["dynamodb"]["SequenceNumber"].clone());
    let id = ulid::Ulid::new();
    let (day, time) = (now.strftime("%Y/%m/%d"), now.strftime("%Y-%m-%dT%H.%M.%S"));
    let letter = json!({
        "version": "1.0",
        "timestamp": now.to_string(),
        "requestContext": {
            "requestId": id.to_string(),
            "functionArn": format!("arn:aws:lambda:{}:000000000000:function:{job}", stack.settings().region),
            "condition": "RetryAttemptsExhausted",
        },
        "responseContext": {"statusCode": 200, "functionError": "Unhandled", "errorMessage": why},
        "DDBStreamBatchInfo": {
            "batchSize": changes.len(),
            "startSequenceNumber": of(changes.first()),
            "endSequenceNumber": of(changes.last()),
        },
        "payload": {"Records": changes},
    });
    let key = format!("{FOLDER}{job}/shard/{day}/{time}-{id}");
    stack.letters().put(&key, "application/json", letter.to_string()).await
}

/// The letters, oldest first, of one job if one is named.
///
/// # Errors
/// If the bucket refuses.
pub async fn list(stack: &Stack, only: Option<&str>) -> Result<Vec<Letter>, ObjectsError> {
    let letters = stack.letters();
    let mut found = Vec::new();
    for key in letters.list(FOLDER).await? {
        if let Some(letter) = read(&letters, key).await?
            && only.is_none_or(|only| letter.job == Some(only))
        {
            found.push(letter);
        }
    }
    found.sort_by(|a, b| (&a.at, &a.key).cmp(&(&b.at, &b.key)));
    Ok(found)
}

async fn read(letters: &Objects, key: String) -> Result<Option<Letter>, ObjectsError> {
    // Another run may have taken it meanwhile.
    let Some(bytes) = letters.get(&key).await? else { return Ok(None) };
    let letter: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    // Lambda writes the event as an object or as its text.
    let event = match &letter["payload"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        event => event.clone(),
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (request, response) = (&letter["requestContext"], &letter["responseContext"]);
    let why = match &response["errorMessage"] {
        Value::String(why) => why.clone(),
        _ => text(&request["condition"]),
    };
    let job = job_of(request["functionArn"].as_str().unwrap_or_default());
    Ok(Some(Letter { key, job, at: text(&letter["timestamp"]), why, event }))
}

/// The job of a function, by its name's letters: `ScreenSort-CaptureChangesFunction-1X` is `capture_changes`.
fn job_of(arn: &str) -> Option<&'static str> {
    let function = arn.split(":function:").nth(1)?.split(':').next()?;
    let plain = |name: &str| {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
    };
    let function = plain(function);
    screensort_jobs::NAMES.into_iter().find(|name| function.contains(&plain(name)))
}

/// Gives each letter to its function again, oldest first, and takes away those that it takes.
///
/// # Errors
/// If the bucket refuses; what was done is done, and doing it again changes nothing.
pub async fn replay(stack: &Stack, only: Option<&str>) -> Result<Replayed, ObjectsError> {
    let mut replayed = Replayed::default();
    for letter in list(stack, only).await? {
        let changes = letter.changes();
        let job = letter.job.and_then(screensort_jobs::by_name).filter(|_| changes > 0);
        let Some(job) = job else {
            replayed.left.push(format!("{}: not a letter of a function of ours", letter.key));
            continue;
        };
        match job(letter.event, stack.clone()).await {
            Ok(_) => {
                stack.letters().delete(&letter.key).await?;
                replayed.done += 1;
                replayed.changes += changes;
            }
            Err(error) => replayed.left.push(format!("{}: {error}", letter.key)),
        }
    }
    Ok(replayed)
}

/// Replays, or says what would be replayed, in words for who asked.
///
/// # Errors
/// If the bucket refuses, or some letters are left.
pub(crate) async fn report(stack: &Stack, dry: bool, only: Option<&str>) -> Result<String, Failure> {
    if dry {
        let found = list(stack, only).await?;
        let line = |letter: &Letter| {
            let job = letter.job.unwrap_or("nobody's");
            format!("{}  {job}  {} changes  {}\n  {}\n", letter.at, letter.changes(), letter.why, letter.key)
        };
        let lines: String = found.iter().map(line).collect();
        return Ok(format!("{lines}{} dead letters. Nothing was changed.", found.len()));
    }
    let done = replay(stack, only).await?;
    let text = format!("{} dead letters of {} changes were taken.", done.done, done.changes);
    if done.left.is_empty() {
        return Ok(text);
    }
    Err(Failure::new(&format!("{text} {} are left:\n  {}", done.left.len(), done.left.join("\n  "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_known_by_its_name() {
        let arn = |name: &str| format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}");
        assert_eq!(job_of(&arn("capture_changes")), Some("capture_changes"));
        assert_eq!(job_of(&arn("screensort-prod-CaptureChangesFunction-1XY")), Some("capture_changes"));
        assert_eq!(job_of(&arn("ScreenSort-CountFilms:live")), Some("count_films"));
        assert_eq!(job_of(&arn("somebody-elses")), None);
        assert_eq!(job_of("nonsense"), None);
    }
}
