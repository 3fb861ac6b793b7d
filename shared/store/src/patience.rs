//! Writes that met somebody else's transaction: nothing is done then, and nothing is wrong with them.
//!
//! DynamoDB refuses a write to an item that a transaction is writing at that moment, instead of letting it wait
//! (*TransactionConflict*). The SDK does not try that again by itself.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use jiff::SignedDuration;

/// How often a write that met another one is tried.
pub(crate) const MEETINGS: u32 = 6;

/// What `send` comes to, tried again as long as what it met is a transaction.
pub(crate) async fn patiently<T, E, R, F>(mut send: impl FnMut() -> F) -> Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E, R>>>,
{
    let mut meeting = 0;
    loop {
        match send().await {
            Err(error) if meeting + 1 < MEETINGS && is_met(&error) => meeting += 1,
            done => return done,
        }
        wait(meeting).await;
    }
}

/// The pause before the try after the `meeting`th meeting.
pub(crate) async fn wait(meeting: u32) {
    tokio::time::sleep(Duration::from_millis(10 << meeting)).await;
}

/// `first`, twice as long after each of `times` before, `longest` at most.
pub(crate) fn doubled(first: SignedDuration, times: u32, longest: SignedDuration) -> SignedDuration {
    first.saturating_mul(1 << times.min(10)).min(longest)
}

fn is_met<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("TransactionConflictException")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_credential_types::Credentials;
    use aws_sdk_dynamodb::config::{BehaviorVersion, Region, RuntimeComponents};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
    };
    use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
    use aws_smithy_types::body::SdkBody;

    use crate::vault::{Vault, s};
    use crate::{Error, catalogue::key};

    /// A table that is written to by a transaction for so many requests: the embedded one never is, it answers one
    /// request after another.
    #[derive(Debug, Clone)]
    struct Busy {
        left: Arc<AtomicU32>,
        asked: Arc<AtomicU32>,
    }

    impl HttpConnector for Busy {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let busy = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            let (status, body) = match busy {
                Ok(_) => (
                    400,
                    r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException","message":"m"}"#,
                ),
                Err(_) => (200, "{}"),
            };
            let status = http::StatusCode::from_u16(status).expect("a status");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(status.into(), SdkBody::from(body))))
        }
    }

    fn busy_for(requests: u32) -> (Vault, Arc<AtomicU32>) {
        let table = Busy { left: Arc::new(requests.into()), asked: Arc::default() };
        let asked = table.asked.clone();
        let connect =
            move |_: &HttpConnectorSettings, _: &RuntimeComponents| SharedHttpConnector::new(table.clone());
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .http_client(http_client_fn(connect))
            .build();
        (Vault::new(aws_sdk_dynamodb::Client::from_conf(config), "table"), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_met_a_transaction_is_tried_again() {
        let at = || key("pk", "sk");
        let (vault, asked) = busy_for(4);
        assert!(vault.update(at(), "SET a = :a", None, vec![(":a", s("1"))]).await.unwrap().is_some());
        assert_eq!(asked.load(Ordering::SeqCst), 5);
        let (vault, _) = busy_for(1);
        vault.put(at()).await.unwrap();
        let (vault, _) = busy_for(1);
        assert!(vault.put_new(at()).await.unwrap());
        let (vault, _) = busy_for(1);
        vault.change(at(), "SET a = :a", "attribute_exists(pk)", vec![(":a", s("1"))]).await.unwrap();
        let (vault, _) = busy_for(1);
        assert!(vault.delete_if(at(), "attribute_exists(pk)", Vec::new()).await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends() {
        let (vault, asked) = busy_for(1_000);
        let refused = vault.put(key("pk", "sk")).await.unwrap_err();
        assert!(matches!(refused, Error::Throttled { .. }), "{refused}");
        assert_eq!(asked.load(Ordering::SeqCst), super::MEETINGS);
    }
}
