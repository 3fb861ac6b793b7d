//! Which calls of AWS each function makes, noted in a file, to be compared with what its role allows
//! (tests/infra/privilege.py). Only the local server and tests have it, and only where
//! `SCREENSORT_RECORD_CALLS` names a folder.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

tokio::task_local! {
    static FUNCTION: &'static str;
}

/// Runs `work` as the function of this name: what it calls is that function's.
pub async fn within<T>(function: &'static str, work: impl Future<Output = T>) -> T {
    FUNCTION.scope(function, work).await
}

/// Where calls are noted.
#[derive(Debug, Clone)]
pub struct Calls(Arc<Mutex<Noted>>);

#[derive(Debug)]
struct Noted {
    file: File,
    seen: BTreeSet<String>,
}

impl Calls {
    /// Into a file of this process's in the folder that the environment names; nowhere if it names none.
    pub fn from_environment() -> Option<Self> {
        static ALL: OnceLock<Option<Calls>> = OnceLock::new();
        ALL.get_or_init(|| {
            #[allow(
                clippy::disallowed_methods,
                reason = "for tests; the settings of a function have no such thing"
            )]
            let folder = std::env::var_os("SCREENSORT_RECORD_CALLS")?;
            Self::into_folder(Path::new(&folder)).ok()
        })
        .clone()
    }

    fn into_folder(folder: &Path) -> std::io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let name = folder.join(format!("{}.tsv", std::process::id()));
        let file = OpenOptions::new().create(true).append(true).open(name)?;
        Ok(Self(Arc::new(Mutex::new(Noted { file, seen: BTreeSet::new() }))))
    }

    /// Notes that the function at work needs what is held in memory: here another one may have read it, while in AWS
    /// each reads its own.
    pub(crate) fn needed(&self, action: &str, resource: &str) {
        // A note that cannot be written shows as a right that nothing used.
        let _ = FUNCTION.try_with(|function| self.note(function, action, resource));
    }

    fn note(&self, function: &str, action: &str, resource: &str) -> std::io::Result<()> {
        let line = format!("{function}\t{action}\t{resource}\n");
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.seen.contains(&line) {
            return Ok(());
        }
        noted.file.write_all(line.as_bytes())?;
        noted.seen.insert(line);
        Ok(())
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // What no function does (the tables are made, a test looks) is nobody's.
        let Ok(function) = FUNCTION.try_with(|function| *function) else { return Ok(()) };
        let Some(metadata) = config.load::<Metadata>() else { return Ok(()) };
        let request = context.request();
        let body = request.body().bytes().unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        for (action, resource) in asked(metadata.service(), metadata.name(), request.uri(), &body) {
            self.note(function, &action, &resource)?;
        }
        Ok(())
    }
}

/// What a call asks of IAM: actions and the resources they are done to.
fn asked(service: &str, operation: &str, uri: &str, body: &Value) -> Vec<(String, String)> {
    let field = |name: &str| body[name].as_str().unwrap_or("-").to_owned();
    match service {
        "DynamoDB" => on_tables(operation, body),
        "S3" => vec![on_objects(operation, uri)],
        "KMS" => vec![(format!("kms:{operation}"), field("KeyId"))],
        "Secrets Manager" => vec![(format!("secretsmanager:{operation}"), field("SecretId"))],
        "SNS" => vec![(format!("sns:{operation}"), "-".to_owned())],
        "SESv2" => vec![(format!("ses:{operation}"), "-".to_owned())],
        "WAFV2" => vec![(format!("wafv2:{operation}"), field("Name"))],
        other => vec![(format!("{other}:{operation}"), "-".to_owned())],
    }
}

/// A transaction needs the right to each of its writes, a batch the right to the batch.
fn on_tables(operation: &str, body: &Value) -> Vec<(String, String)> {
    let action = |name: &str| format!("dynamodb:{name}");
    let table = |of: &Value| of["TableName"].as_str().unwrap_or("-").to_owned();
    match operation {
        "TransactWriteItems" | "TransactGetItems" => {
            let items = body["TransactItems"].as_array().into_iter().flatten();
            let parts = items.filter_map(Value::as_object).flatten();
            let named = parts.map(|(kind, of)| {
                let name = if kind == "ConditionCheck" {
                    "ConditionCheckItem".to_owned()
                } else {
                    format!("{kind}Item")
                };
                (action(&name), table(of))
            });
            named.collect()
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(table, _)| (action(operation), table.clone())).collect()
        }
        _ => vec![(action(operation), table(body))],
    }
}

/// The bucket and the first part of the key; reading about an object is reading it.
fn on_objects(operation: &str, uri: &str) -> (String, String) {
    let action = match operation {
        "HeadObject" => "GetObject",
        "DeleteObjects" => "DeleteObject",
        "ListObjectsV2" | "ListObjects" => "ListBucket",
        other => other,
    };
    let path =
        uri.split_once("://").map_or(uri, |(_, rest)| rest.split_once('/').map_or("", |(_, path)| path));
    let path = path.split('?').next().unwrap_or_default();
    let mut parts = path.trim_start_matches('/').split('/').filter(|part| !part.is_empty());
    let bucket = parts.next().unwrap_or("-");
    let resource = match parts.next() {
        Some(first) if action != "ListBucket" => format!("{bucket}/{first}"),
        _ => bucket.to_owned(),
    };
    (format!("s3:{action}"), resource)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(service: &str, operation: &str, uri: &str, body: Value) -> Vec<String> {
        let asked = asked(service, operation, uri, &body);
        asked.into_iter().map(|(action, resource)| format!("{action} {resource}")).collect()
    }

    #[test]
    fn a_call_is_known_by_what_a_role_would_have_to_allow() {
        let transaction = json!({"TransactItems": [
            {"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}, {"Delete": {"TableName": "a"}},
        ]});
        assert_eq!(
            words("DynamoDB", "TransactWriteItems", "/", transaction),
            ["dynamodb:PutItem a", "dynamodb:ConditionCheckItem b", "dynamodb:DeleteItem a"]
        );
        let batch = json!({"RequestItems": {"a": {}, "b": {}}});
        assert_eq!(
            words("DynamoDB", "BatchGetItem", "/", batch),
            ["dynamodb:BatchGetItem a", "dynamodb:BatchGetItem b"]
        );
        let query = json!({"TableName": "a"});
        assert_eq!(words("DynamoDB", "Query", "/", query), ["dynamodb:Query a"]);
        for (operation, uri, word) in [
            (
                "GetObject",
                "http://127.0.0.1:1/bucket/catalog/current.json?x-id=GetObject",
                "s3:GetObject bucket/catalog",
            ),
            ("ListObjectsV2", "http://127.0.0.1:1/bucket/?list-type=2", "s3:ListBucket bucket"),
            ("HeadObject", "/bucket/model/1", "s3:GetObject bucket/model"),
        ] {
            assert_eq!(words("S3", operation, uri, Value::Null), [word]);
        }
        let secret = json!({"SecretId": "screensort/mac"});
        assert_eq!(
            words("Secrets Manager", "GetSecretValue", "/", secret),
            ["secretsmanager:GetSecretValue screensort/mac"]
        );
    }
}
