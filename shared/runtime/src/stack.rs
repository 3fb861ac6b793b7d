//! What handlers are given: everything they may need, built when it is first asked for.

use std::sync::{Arc, OnceLock};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use screensort_catalog::Catalog;
use screensort_http::{Code, Problem};
use screensort_model::Clock;
use screensort_recommend::Model;
use screensort_store::{Catalogue, Edits, Progress};

use crate::artifact::Artifacts;
use crate::edge::Edge;
use crate::parcels::Parcels;
use crate::people::People;
use crate::shelf::Shelf;
use crate::{Settings, client};

/// The context of every handler and job. Cheap to clone. What a function never asks for is never built, and
/// what no code path of a binary asks for is not linked into it.
#[derive(Clone)]
pub struct Stack(Arc<Inner>);

struct Inner {
    settings: Settings,
    clock: Clock,
    http: OnceLock<SharedHttpClient>,
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    s3: OnceLock<aws_sdk_s3::Client>,
    secrets: OnceLock<aws_sdk_secretsmanager::Client>,
    catalogs: Shelf<Catalog>,
    models: Shelf<Model>,
    cursors: crate::cursors::Held,
    people: People,
    edge: Edge,
    directory: crate::directory::Held,
    waiting: crate::otlp::Waiting,
}

impl Stack {
    /// With these settings and this clock.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            settings,
            clock,
            http: OnceLock::new(),
            dynamodb: OnceLock::new(),
            s3: OnceLock::new(),
            secrets: OnceLock::new(),
            catalogs: Shelf::default(),
            models: Shelf::default(),
            cursors: crate::cursors::Held::default(),
            people: People::default(),
            edge: Edge::default(),
            directory: crate::directory::Held::default(),
            waiting: crate::otlp::Waiting::default(),
        }))
    }

    /// The configuration.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The catalogue table.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue::new(self.dynamodb().clone(), self.0.settings.tables.catalog.clone())
    }

    /// What administrators do with films.
    pub fn edits(&self) -> Edits {
        Edits::new(self.dynamodb().clone(), self.0.settings.tables.catalog.clone(), self.trail_table())
    }

    /// The sync's memory.
    pub fn progress(&self) -> Progress {
        Progress::new(self.catalogue())
    }

    /// DynamoDB, for who makes tables. Handlers use the aggregates.
    pub fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.0.dynamodb.get_or_init(|| client::dynamodb(&self.0.settings, self.http()))
    }

    pub(crate) fn s3(&self) -> &aws_sdk_s3::Client {
        self.0.s3.get_or_init(|| client::s3(&self.0.settings, self.http()))
    }

    /// The published catalogues.
    pub fn artifacts(&self) -> Artifacts {
        self.folder("catalog")
    }

    /// The published recommendation models.
    pub fn models(&self) -> Artifacts {
        self.folder("model")
    }

    fn folder(&self, folder: &'static str) -> Artifacts {
        Artifacts::new(self.s3().clone(), self.0.settings.artifacts_bucket.clone(), folder)
    }

    /// People's own files.
    pub fn parcels(&self) -> Parcels {
        Parcels::new(self.s3().clone(), self.0.settings.exports_bucket.clone())
    }

    /// The catalogue in memory: loaded at first use, looked at for a newer version at most every five minutes.
    ///
    /// # Errors
    /// 503 while there is none that can be used.
    pub async fn catalog(&self) -> Result<Arc<Catalog>, Problem> {
        self.needs_object("catalog");
        let catalog = self.0.catalogs.get(|| self.artifacts(), self.clock().now()).await;
        catalog.map_err(|error| {
            Problem::new(Code::Unavailable)
                .with_detail("The catalogue is not available right now. Try again in a few seconds.")
                .with_header(http::header::RETRY_AFTER, "5")
                .caused_by(error)
        })
    }

    /// Makes the next call of [`Stack::catalog`] look for a newer version at once.
    pub fn catalog_changed(&self) {
        self.0.catalogs.look_again();
    }

    /// The recommendation model in memory, as [`Stack::catalog`] has the catalogue; `None` while there is none that
    /// can be used: whoever asks goes by the catalogue alone then.
    pub async fn model(&self) -> Option<Arc<Model>> {
        self.needs_object("model");
        self.0.models.get_if_any(|| self.models(), self.clock().now()).await
    }

    /// Makes the next call of [`Stack::model`] look for a newer version at once.
    pub fn model_changed(&self) {
        self.0.models.look_again();
    }

    /// A secret's text.
    ///
    /// # Errors
    /// 503 if it is not there or cannot be read.
    pub async fn secret(&self, name: &str) -> Result<String, Problem> {
        let text = self.secret_if_any(name).await?;
        text.ok_or_else(|| Problem::new(Code::Unavailable).caused_by("a secret is missing or has no text"))
    }

    /// A secret's text, or `None` if there is no such secret.
    ///
    /// # Errors
    /// 503 if it cannot be read.
    pub async fn secret_if_any(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.secrets().get_secret_value().secret_id(name).send().await {
            Ok(out) => Ok(out.secret_string),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_resource_not_found_exception()) => Ok(None),
            Err(error) => Err(Problem::new(Code::Unavailable).caused_by(error)),
        }
    }

    /// Secrets Manager, for who writes secrets. Handlers read them with [`Stack::secret`].
    pub fn secrets(&self) -> &aws_sdk_secretsmanager::Client {
        self.0.secrets.get_or_init(|| client::secrets(&self.0.settings, self.http()))
    }

    /// Says that the function at work needs what may be in memory already, for the record of calls.
    pub(crate) fn needs(&self, action: &str, resource: impl FnOnce() -> String) {
        #[cfg(feature = "calls")]
        if let Some(calls) = &self.0.settings.calls {
            calls.needed(action, &resource());
        }
        #[cfg(not(feature = "calls"))]
        let _ = (action, resource);
    }

    pub(crate) fn needs_secret(&self, name: &str) {
        self.needs("secretsmanager:GetSecretValue", || name.to_owned());
    }

    fn needs_object(&self, folder: &str) {
        self.needs("s3:GetObject", || format!("{}/{folder}", self.0.settings.artifacts_bucket));
    }

    pub(crate) fn cursor_keys(&self) -> &crate::cursors::Held {
        &self.0.cursors
    }

    pub(crate) fn people(&self) -> &People {
        &self.0.people
    }

    pub(crate) fn edge(&self) -> &Edge {
        &self.0.edge
    }

    pub(crate) fn held(&self) -> &crate::directory::Held {
        &self.0.directory
    }

    pub(crate) fn waiting(&self) -> &crate::otlp::Waiting {
        &self.0.waiting
    }

    pub(crate) fn http(&self) -> SharedHttpClient {
        self.0.http.get_or_init(|| client::http_client(&self.0.settings)).clone()
    }
}
