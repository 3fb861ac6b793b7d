//! A place to work in: the embedded services, their tables and secrets, and the product's context over them.

use std::path::PathBuf;
use std::sync::Arc;

use screensort_auth::password::{Cost, MaxAge, Policy};
use screensort_auth::token::Identity;
use screensort_cloud::{Cloud, Options, Place};
use screensort_crypto::KeyId;
use screensort_http::Limits;
use screensort_model::Clock;
use screensort_runtime::{
    AddressSets, Calls, ChallengeVerifier, Credentials, Dormancy, Otlp, Settings, Stack, TMDB_RATE, Texts,
};
use screensort_store::{Tables, create_tables};

/// Why a stand cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The embedded services did not start.
    #[error(transparent)]
    Cloud(#[from] screensort_cloud::Error),
    /// The tables could not be made.
    #[error("the tables could not be made")]
    Tables(#[from] screensort_store::Error),
    /// A secret cannot be written.
    #[error("the secret {0} cannot be written")]
    Secret(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// A key's name is none.
    #[error("a key's name cannot be used")]
    Keys(#[source] screensort_crypto::Error),
    /// The key rings could not be made.
    #[error(transparent)]
    Rings(#[from] crate::rings::Error),
    /// No randomness.
    #[error("this machine gives no random numbers")]
    Random,
}

/// What differs between two stands.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// Where the data is kept; in memory if nowhere.
    pub data: Option<PathBuf>,
    /// Fixed ports of DynamoDB and of the other services, so that Lambda binaries can be pointed to them.
    pub service_ports: Option<(u16, u16)>,
    /// TMDb's address, if it is not TMDb's own.
    pub tmdb_url: Option<String>,
    /// The address of TMDb's exports, if it is not TMDb's own.
    pub tmdb_exports_url: Option<String>,
    /// Requests a second that TMDb is asked for, if not the usual number: a stand-in takes more.
    pub tmdb_requests_per_second: Option<u32>,
    /// Origins that browsers may call from.
    pub cors_origins: Vec<String>,
    /// How often somebody may call, if not as usual.
    pub limits: Option<Limits>,
    /// What hashing a password costs, if not the default.
    pub password_cost: Option<Cost>,
    /// Where breached passwords are looked up, if anywhere.
    pub password_range_url: Option<String>,
    /// Who verifies challenges, if not we.
    pub challenge: Option<ChallengeVerifier>,
    /// Where codes may be texted to, if anywhere.
    pub texts: Option<Texts>,
    /// Where traces are sent, if anywhere.
    pub otlp: Option<Otlp>,
}

/// The embedded services and the context over them.
pub struct Stand {
    /// The services.
    pub cloud: Cloud,
    /// The context that handlers get.
    pub stack: Stack,
}

impl Stand {
    /// Starts the services and makes what is missing.
    ///
    /// # Errors
    /// If another process holds the data, or it cannot be used.
    pub async fn set_up(choices: Choices, clock: Clock) -> Result<Self, Error> {
        let place = choices.data.map_or(Place::Memory, Place::Dir);
        let mut options = Options::default();
        if let Some((dynamodb, services)) = choices.service_ports {
            options.dynamodb_port = Some(dynamodb);
            options.services_port = Some(services);
        }
        let product_clock = clock.clone();
        options.product_clock = Some(Arc::new(move || product_clock.now()));
        let cloud = Cloud::start_with(place, options).await?;
        let endpoints = cloud.endpoints().clone();
        let [v4, v6] = cloud.address_sets().map(|arn| arn.parse().ok());
        let settings = Settings {
            region: endpoints.region.to_owned(),
            credentials: Credentials {
                access_key: endpoints.access_key,
                secret_key: endpoints.secret_key,
                session_token: None,
            },
            dynamodb_url: Some(endpoints.dynamodb),
            services_url: Some(endpoints.services),
            tables: Tables::default(),
            artifacts_bucket: "screensort-artifacts".into(),
            audit_bucket: "screensort-audit".into(),
            exports_bucket: "screensort-exports".into(),
            cursor_secret: "screensort/cursor".into(),
            tmdb_secret: "screensort/tmdb".into(),
            tmdb_url: choices.tmdb_url,
            tmdb_exports_url: choices.tmdb_exports_url,
            tmdb_requests_per_second: choices.tmdb_requests_per_second.unwrap_or(TMDB_RATE),
            cors_origins: choices.cors_origins,
            limits: choices.limits.unwrap_or_default(),
            data_key: "alias/screensort-auth".into(),
            old_data_keys: Vec::new(),
            pepper_key: "alias/screensort-pepper".into(),
            pepper_id: KeyId::new("p1").map_err(Error::Keys)?,
            index_secret: "screensort/index".into(),
            mac_secret: "screensort/mac".into(),
            lasting_secret: "screensort/lasting".into(),
            signing_secret: "screensort/signing".into(),
            jwks_secret: "screensort/jwks".into(),
            old_peppers: Vec::new(),
            password_range_url: choices.password_range_url,
            challenge: choices.challenge.unwrap_or(ChallengeVerifier::Work),
            identity: Identity {
                issuer: "https://screensort.example".into(),
                audience: "screensort-api".into(),
            },
            password_cost: choices.password_cost.unwrap_or(Cost::DEFAULT),
            password_policy: Policy::default(),
            password_max_age: MaxAge::default(),
            app_url: "http://localhost:3000/v1/docs".into(),
            mail_from: "ScreenSort <no-reply@screensort.example>".into(),
            security_contact: "mailto:security@example.org".into(),
            dormancy: Dormancy::default(),
            otlp: choices.otlp,
            texts: choices.texts,
            calls: Calls::from_environment(),
            address_sets: v4.zip(v6).map(|(v4, v6)| AddressSets { v4, v6 }),
        };
        let key = random_text()?;
        cloud.secret_or_create(&settings.cursor_secret, || format!("{{\"current\":\"{key}\"}}")).await?;
        let now = clock.now();
        let stack = Stack::new(settings, clock);
        crate::rings::make(&stack, now).await?;
        create_tables(stack.dynamodb(), &stack.settings().tables).await?;
        Ok(Self { cloud, stack })
    }
}

impl Stand {
    /// Puts TMDb's key where jobs look for it.
    ///
    /// # Errors
    /// If the secret cannot be written.
    pub async fn set_tmdb_token(&self, token: &str) -> Result<(), Error> {
        let name = &self.stack.settings().tmdb_secret;
        let trouble = |e: Box<dyn std::error::Error + Send + Sync>| Error::Secret(name.clone(), e);
        let kept = self.cloud.secret_or_create(name, || token.to_owned()).await?;
        if kept != token {
            let put = self.stack.secrets().put_secret_value().secret_id(name).secret_string(token);
            put.send().await.map_err(|e| trouble(Box::new(e)))?;
        }
        Ok(())
    }
}

/// 256 random bits as text.
fn random_text() -> Result<String, Error> {
    use base64::Engine;
    let mut bytes = [0_u8; 32];
    let random = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&random, &mut bytes).map_err(|_| Error::Random)?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
