//! A client, a stand-in, everything that is logged, and a clock that moves by what the client says it waits for.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use screensort_testkit::tmdb_standin::{Fault, Script, Standin};
use screensort_tmdb::{Client, Config, Token};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*};

/// The key of all tests: what must turn up nowhere.
pub(crate) const SECRET: &str = "planted-Secret.T0ken_never-to-be-seen";

pub(crate) struct Rig {
    pub(crate) tmdb: Standin,
    pub(crate) client: Client,
    pub(crate) log: Log,
    _hold: mpsc::Sender<()>,
    _subscriber: DefaultGuard,
}

/// A rig with the default politeness. Call it on a paused clock.
pub(crate) async fn rig() -> Rig {
    rig_with(|_| {}).await
}

pub(crate) async fn rig_with(change: impl FnOnce(&mut Config)) -> Rig {
    let (waits, mut waited) = unbounded_channel();
    let log = Log { lines: Arc::default(), waits };
    let subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(log.clone()));

    // A paused clock jumps to the next timer whenever the runtime is idle, and waiting for a socket is idle: every
    // time-out would strike at once. A blocking task in flight stops that; the clock moves by announced waits alone.
    let (hold, held) = mpsc::channel::<()>();
    tokio::task::spawn_blocking(move || held.recv());
    tokio::spawn(async move {
        while let Some(wait) = waited.recv().await {
            tokio::time::advance(wait).await;
        }
    });

    let tmdb = Standin::start_with_token(SECRET).await;
    let mut config = Config::new(Token::new(SECRET));
    config.base_url = tmdb.url();
    config.exports_base_url = tmdb.exports_url();
    config.jitter_seed = Some(1);
    change(&mut config);
    let client = Client::new(config).expect("the configuration is good");
    Rig { tmdb, client, log, _hold: hold, _subscriber: subscriber }
}

impl Rig {
    /// Lets one request to a path go wrong.
    pub(crate) fn once(&self, path: &str, fault: Fault) {
        self.tmdb.script(Script::on(path).fault(fault));
    }

    /// Lets all requests go wrong.
    pub(crate) fn always(&self, fault: Fault) {
        self.tmdb.script(Script::anywhere().fault(fault).always());
    }

    /// How many requests arrived.
    pub(crate) fn arrived(&self) -> usize {
        self.tmdb.requests().len()
    }
}

/// What was logged, by everybody, at every level.
#[derive(Clone)]
pub(crate) struct Log {
    lines: Arc<Mutex<Vec<Line>>>,
    waits: UnboundedSender<Duration>,
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) level: tracing::Level,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl Log {
    pub(crate) fn all(&self) -> Vec<Line> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn named(&self, name: &str) -> Vec<Line> {
        self.all().into_iter().filter(|line| line.name == name).collect()
    }

    /// A field of all lines of a name.
    pub(crate) fn field(&self, name: &str, field: &str) -> Vec<String> {
        self.named(name).into_iter().filter_map(|line| line.fields.get(field).cloned()).collect()
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        let (name, level) = (event.metadata().name(), *event.metadata().level());
        if name == "tmdb.wait" {
            let wait = fields.0["wait_ms"].parse().expect("a wait is a number");
            let _ = self.waits.send(Duration::from_millis(wait));
        }
        self.lines.lock().unwrap().push(Line { name, level, fields: fields.0 });
    }
}

struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}
