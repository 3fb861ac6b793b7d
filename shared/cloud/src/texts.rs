//! Text messages (SNS): of its calls the one that the product makes. Kept in memory, as mail is.
//!
//! Written here because the crate that would fit publishes to topics alone, and nothing would be left of a text to
//! look at.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use winterbaume_core::{MockRequest, MockResponse};

use crate::Mail;

/// How many texts are kept; older ones are dropped.
const KEPT: usize = 500;
/// The longest text, in characters: SNS would cut a longer one into more than ten parts.
const LONGEST: usize = 1_600;
/// What a text is called where it stands among mail.
pub(crate) const SUBJECT: &str = "Text message";

/// Who has sent what to whom.
#[derive(Debug, Default)]
pub(crate) struct Texts(Mutex<Vec<Mail>>);

impl Texts {
    /// What was sent, oldest first.
    pub(crate) fn sent(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Answers a call that comes `now`.
    pub(crate) fn handle(&self, request: &MockRequest, now: Timestamp) -> MockResponse {
        let asked: BTreeMap<_, _> = form_urlencoded::parse(&request.body).into_owned().collect();
        let said = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
        if said("Action") != "Publish" {
            return refused("InvalidAction");
        }
        let (number, text) = (said("PhoneNumber"), said("Message"));
        let digits = number.strip_prefix('+').unwrap_or_default();
        let is_number = (2..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || text.is_empty() || text.chars().count() > LONGEST {
            return refused("InvalidParameter");
        }
        let attributes = (1_u32..).map_while(|at| {
            let name = asked.get(&format!("MessageAttributes.entry.{at}.Name"))?;
            let value = asked.get(&format!("MessageAttributes.entry.{at}.Value.StringValue"))?;
            Some((name.as_str(), value.as_str()))
        });
        for (name, value) in attributes {
            let fits = match name {
                "AWS.SNS.SMS.SMSType" => matches!(value, "Transactional" | "Promotional"),
                "AWS.SNS.SMS.SenderID" => {
                    (1..=11).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
                }
                "AWS.MM.SMS.OriginationNumber" => value.len() > 1,
                _ => false,
            };
            if !fits {
                return refused("InvalidParameter");
            }
        }
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let surplus = (sent.len() + 1).saturating_sub(KEPT);
        sent.drain(..surplus);
        sent.push(Mail {
            to: vec![number.to_owned()],
            subject: SUBJECT.to_owned(),
            text: text.to_owned(),
            sent_at: now,
        });
        answered(
            200,
            format!(
                "<PublishResponse xmlns=\"https://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
                 <MessageId>00000000-0000-4000-8000-{:012}</MessageId></PublishResult></PublishResponse>",
                sent.len()
            ),
        )
    }
}

fn refused(code: &str) -> MockResponse {
    answered(
        400,
        format!(
            "<ErrorResponse xmlns=\"https://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
             <Code>{code}</Code><Message>{code}</Message></Error></ErrorResponse>"
        ),
    )
}

fn answered(status: u16, text: String) -> MockResponse {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
    MockResponse { status, headers, body: text.into() }
}
