//! AWS clients without `aws-config`: credentials, region and addresses are in the environment already, and
//! loading the system's root certificates would be nearly all of a cold start. See decision 0003.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::Settings;
use crate::logged::Logged;

/// The roots that all AWS endpoints chain to, from Amazon Trust Services' repository.
const AMAZON_ROOTS: &[u8] = include_bytes!("roots/amazon.pem");

/// One HTTPS client for all services; plain HTTP where the settings point to this machine.
pub(crate) fn http_client(settings: &Settings) -> SharedHttpClient {
    let plain = |url: &Option<String>| url.as_ref().is_some_and(|url| url.starts_with("http://"));
    if plain(&settings.dynamodb_url) && plain(&settings.services_url) {
        return Builder::new().build_http();
    }
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build_https(),
        // Only without any roots, and they are compiled in; the system's are the safe way on.
        Err(_) => builder.build_https(),
    }
}

macro_rules! client {
    ($(#[$doc:meta])* $name:ident, $sdk:ident, $url:ident $(, $more:ident where $own:ident)?) => {
        $(#[$doc])*
        pub(crate) fn $name(settings: &Settings, http: SharedHttpClient) -> $sdk::Client {
            let mut config = $sdk::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::new(settings.region.clone()))
                .credentials_provider(credentials(settings))
                .retry_config(RetryConfig::standard().with_max_attempts(3))
                .timeout_config(timeouts())
                .interceptor(Logged)
                .http_client(http)
                $(.$more(settings.$own.is_some()))?;
            if let Some(url) = &settings.$url {
                config = config.endpoint_url(url);
            }
            #[cfg(feature = "calls")]
            if let Some(calls) = &settings.calls {
                config = config.interceptor(calls.clone());
            }
            $sdk::Client::from_conf(config.build())
        }
    };
}

client!(
    /// DynamoDB.
    dynamodb, aws_sdk_dynamodb, dynamodb_url
);
client!(
    /// S3, with bucket names in the path where the address is our own.
    s3, aws_sdk_s3, services_url, force_path_style where services_url
);
client!(
    /// KMS.
    kms, aws_sdk_kms, services_url
);
client!(
    /// SES.
    mail, aws_sdk_sesv2, services_url
);
client!(
    /// SNS, for text messages.
    texts, aws_sdk_sns, services_url
);
client!(
    /// The firewall.
    firewall, aws_sdk_wafv2, services_url
);
client!(
    /// Secrets Manager.
    secrets, aws_sdk_secretsmanager, services_url
);

fn credentials(settings: &Settings) -> SharedCredentialsProvider {
    let given = &settings.credentials;
    SharedCredentialsProvider::new(Credentials::new(
        given.access_key.clone(),
        given.secret_key.clone(),
        given.session_token.clone(),
        None,
        "environment",
    ))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(25))
        .build()
}
