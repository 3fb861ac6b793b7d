//! The product on this machine, until somebody stops it.

use std::path::PathBuf;
use std::sync::Arc;

use screensort_runtime::Otlp;

use super::arguments::ServeArgs;
use super::{Failure, bar, say, stand, why};
use crate::gateway::Gateway;
use crate::server::Server;
use crate::stand::{Choices, Stand};
use crate::{import, product};

/// How often streams are looked at for what no request has brought.
const FEEDING: std::time::Duration = std::time::Duration::from_secs(2);

/// Rounds between two looks for what a schedule starts each minute.
const MINUTE: u64 = 30;

pub(super) async fn serve(data: Option<PathBuf>, args: ServeArgs) -> Result<(), Failure> {
    let began = std::time::Instant::now();
    let choices = Choices {
        service_ports: args.service_ports,
        cors_origins: args.cors_origin,
        limits: Some(args.limits.limits()),
        password_range_url: args.password_range_url.filter(|url| !url.trim().is_empty()),
        texts: args.texts.texts().map_err(|error| Failure(error.to_string(), 1))?,
        otlp: Otlp::from_environment().map_err(|error| Failure(error.to_string(), 1))?,
        ..args.tmdb.choices(data.clone())
    };
    let stand = stand(choices).await?;
    let films = first_catalogue(&stand).await?;
    first_model(&stand).await?;
    let gateway = Gateway::new(product::endpoints(), stand.stack.clone(), true, args.tls);
    gateway.show_mail(stand.cloud.mailbox());
    gateway.follow_all(&stand.cloud).await;
    let admin = screensort_accounts::first_admin(&stand.stack, "admin", "admin@screensort.example").await;
    let admin = admin.map_err(|problem| {
        Failure(problem.causes().unwrap_or_else(|| problem.code().title().to_owned()), 1)
    })?;
    let feeding = tokio::spawn(feed_streams(Arc::clone(&gateway)));
    let server = Server::start(gateway, args.port, data.clone()).await?;
    stand.cloud.announce(&server.url)?;
    // Whoever reads the welcome may want to stop it at once.
    let stopped = stop_signal()?;
    say(&welcome(&server, data, films, began.elapsed()));
    if let Some(admin) = admin {
        // Once: nothing of it can be read back.
        say(&format!("admin {} {} {}", admin.email, admin.password, admin.otpauth_uri));
    }
    if args.service_ports.is_some() {
        say(&lambda_hints(&stand));
    }
    stopped.await?;
    say("Stopping.");
    server.stop().await;
    feeding.abort();
    stand.cloud.shutdown().await?;
    Ok(())
}

/// Looks at the tables' streams again and again, as AWS does, and once a minute for attacks and for what waits to be done.
async fn feed_streams(gateway: Arc<Gateway>) {
    for round in 1_u64.. {
        tokio::time::sleep(FEEDING).await;
        if let Err(error) = gateway.feed(None).await {
            tracing::warn!(name: "stream.unread", %error, "changes wait to be delivered: {error}");
        }
        if round % MINUTE == 0 {
            // The job says in the log what went wrong; the next round looks again.
            let _ = screensort_jobs::detect::job(serde_json::json!({}), gateway.stack().clone()).await;
            if let Err(error) = gateway.run_errands().await {
                tracing::warn!(name: "errands.undone", %error, "exports or imports wait to be done: {error}");
            }
            gateway.forget_people().await;
        }
    }
}

/// Loads the sample catalogue where nothing was published yet. Returns how many films are served.
pub(crate) async fn first_catalogue(stand: &Stand) -> Result<usize, Failure> {
    if let Ok(None) = stand.stack.artifacts().current().await {
        let (films, operators) = import::sample(stand.stack.clock().now())?;
        let bar = bar(films.len(), "sample films");
        import::keep(&stand.stack, &films, &operators, |kept| bar.set_position(kept as u64)).await?;
        bar.finish_and_clear();
    }
    let catalog = match stand.stack.catalog().await {
        Ok(catalog) => catalog,
        Err(problem) => {
            // The table holds all that the file held.
            say(&format!("The published catalogue is unusable ({}). It is made again.", why(problem)));
            screensort_jobs::publish_catalog::run(&stand.stack, true).await?;
            stand.stack.catalog().await.map_err(|problem| Failure(why(problem), 1))?
        }
    };
    Ok(catalog.len())
}

/// Publishes a model of the catalogue alone where none was published yet: recommendations then go by what films have
/// in common, until there are people to learn from.
async fn first_model(stand: &Stand) -> Result<(), Failure> {
    if let Ok(None) = stand.stack.models().current().await {
        screensort_jobs::train_recommender::run(&stand.stack, Default::default(), |_| {}).await?;
    }
    Ok(())
}

fn welcome(server: &Server, data: Option<PathBuf>, films: usize, took: std::time::Duration) -> String {
    let url = &server.url;
    let insecure = if server.plain_url.is_some() { "-k " } else { "" };
    let kept = data.map_or("nothing is kept (--memory)".into(), |data| format!("kept in {}", data.display()));
    let plain = server
        .plain_url
        .as_ref()
        .map(|plain| format!("  plain     {plain} (pages are sent on, calls refused)\n"));
    format!(
        "ScreenSort {} serves {films} films at {url} ({kept}; started in {:.1} s)
{}  reference {url}/docs
  try       curl {insecure}'{url}/movies?genre=878&sort=rating&limit=3'
            curl {insecure}'{url}/search?q=godfather'
            curl {insecure}'{url}/movies/27205/similar?limit=3'
Ctrl-C stops it; screensort --help lists the other commands.",
        screensort_system::VERSION,
        took.as_secs_f64(),
        plain.unwrap_or_default(),
    )
}

/// The environment that a Lambda binary needs to work on this server's services.
fn lambda_hints(stand: &Stand) -> String {
    let endpoints = stand.cloud.endpoints();
    let settings = stand.stack.settings();
    format!(
        "For Lambda binaries run by hand:
  export AWS_REGION={} AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY={}
  export AWS_ENDPOINT_URL={} AWS_ENDPOINT_URL_DYNAMODB={}
  export SCREENSORT_TABLE_CATALOG={} SCREENSORT_TABLE_AUTH={} SCREENSORT_TABLE_LIBRARY={}
  export SCREENSORT_TABLE_AUDIT={} SCREENSORT_BUCKET_ARTIFACTS={}",
        endpoints.region,
        endpoints.access_key,
        endpoints.secret_key,
        endpoints.services,
        endpoints.dynamodb,
        settings.tables.catalog,
        settings.tables.auth,
        settings.tables.library,
        settings.tables.audit,
        settings.artifacts_bucket
    )
}

/// Listens for the wish to stop from now on; the future ends when it comes.
fn stop_signal() -> std::io::Result<impl Future<Output = std::io::Result<()>>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            Ok(())
        })
    }
    #[cfg(not(unix))]
    Ok(tokio::signal::ctrl_c())
}
