//! Everything that the product holds about a person, as one JSON document; docs/library.md has its fields.

use screensort_catalog::Catalog;
use screensort_http::{Authority, Problem};
use screensort_runtime::Stack;
use screensort_store::{ErrandKind, FilmState, Person, Profile, Review, Watch};
use serde_json::{Value, json};

use super::{Said, named};

/// The most entries of a list that a person can hardly fill: logins of 90 days, queries of 180.
const MOST: usize = 10_000;

pub(super) async fn of(
    stack: &Stack,
    person: &Person,
    catalog: &Catalog,
    said: &Said,
) -> Result<Value, Problem> {
    let (library, account) = (stack.library(), &person.account);
    let private = stack.private(&account.id).await?;
    let (profile, _) = library.profile(&account.id).await?;
    let (preferences, wishes) = library.wants(&account.id).await?;
    let phone = person.credentials.phone.as_ref();
    let phone = phone.map(|sealed| private.open_account("phone", sealed)).transpose()?;
    let open = |field: &str, sealed: &Option<String>| {
        sealed.as_ref().map(|sealed| private.open(field, sealed)).transpose()
    };
    let Profile { display_name, bio, region, birth_year, .. } = &profile;
    let mut document = json!({
        "format": "screensort", "version": 2, "exported_at": stack.clock().now(),
        "account": {"id": account.id, "username": account.username,
            "email": private.open_account("email", &account.email)?,
            "created_at": account.created_at, "verified_at": account.verified_at, "roles": account.roles,
            "password_changed_at": person.credentials.password_changed_at,
            "second_factor": {"authenticator": person.credentials.totp.is_some(),
                "mail": person.credentials.mail_factor, "phone": phone, "recovery_codes_left": person.recovery.len()}},
        "profile": {"display_name": open("display_name", display_name)?, "bio": open("bio", bio)?,
            "region": open("region", region)?,
            "birth_year": open("birth_year", birth_year)?.and_then(|year| year.parse::<i16>().ok())},
        "preferences": preferences,
        "wishes": {"more": wishes.more, "less": wishes.less},
        "films": said.films.iter().map(|state| film(catalog, state)).collect::<Vec<_>>(),
        "history": said.history.iter().map(|entry| watch(catalog, entry)).collect::<Vec<_>>(),
        "reviews": said.reviews.iter().map(|entry| review(catalog, entry)).collect::<Vec<_>>(),
        "sessions": person.sessions.iter().map(|session| json!({"created_at": session.created_at,
            "last_seen_at": session.last_seen, "browser": session.device, "network": session.prefix}))
            .collect::<Vec<_>>(),
    });
    for (name, list) in beside(stack, &account.id).await? {
        document[name] = list;
    }
    Ok(document)
}

/// What there is besides films.
async fn beside(stack: &Stack, account: &str) -> Result<Vec<(&'static str, Value)>, Problem> {
    let now = stack.clock().now();
    let logins = stack.sessions().logins(account, None, 500).await?;
    let logins = logins
        .into_iter()
        .map(|(_, login)| json!({"at": login.at, "browser": login.device, "network": login.prefix}));
    let favourites = stack.favourites().page(account, None, MOST).await?;
    let favourites = favourites.into_iter().map(|f| json!({"operator": f.operator, "added_at": f.added_at}));
    let queries = stack.queries().page(account, None, MOST, now).await?;
    let queries = queries.into_iter().map(|(_, query)| json!(query));
    let links = stack.links().of(account).await?;
    let links = links.into_iter().map(|link| {
        json!({"id": link.id, "side": link.side, "status": link.stage, "scopes": link.scopes,
            "other_username": link.other_name, "created_at": link.created_at,
            "confirmed_at": link.confirmed_at, "ended_at": link.ended_at})
    });
    let keys = stack.api_keys().of(account).await?;
    let keys = keys.into_iter().map(|key| {
        json!({"id": key.id, "name": key.name, "prefix": key.prefix, "scopes": key.scopes,
            "created_at": key.created_at, "expires_at": key.expires_at, "last_used_at": key.last_used_at,
            "network": key.network})
    });
    let reports = stack.library().own_reports(account).await?;
    let reports = reports
        .into_iter()
        .map(|report| json!({"review_id": report.review, "reason": report.reason, "at": report.at}));
    let errands = stack.library().errands(account).await?;
    let errands = errands.into_iter().map(|(kind, errand)| {
        let kind = if kind == ErrandKind::Export { "export" } else { "import" };
        json!({"id": errand.id, "kind": kind, "form": errand.form, "status": errand.progress,
            "asked_at": errand.asked_at})
    });
    Ok(vec![
        ("logins", logins.collect()),
        ("favourites", favourites.collect()),
        ("queries", queries.collect()),
        ("links", links.collect()),
        ("api_keys", keys.collect()),
        ("reports", reports.collect()),
        ("exports_and_imports", errands.collect()),
    ])
}

fn film(catalog: &Catalog, film: &FilmState) -> Value {
    let (title, year) = named(catalog, film.movie);
    json!({"movie_id": film.movie, "title": title, "year": year,
        "thumb": film.thumb, "thumb_at": film.thumb_at, "rating": film.rating, "rating_at": film.rating_at,
        "hidden_at": film.hidden_at, "watchlist_at": film.watchlist_at, "watched_at": film.watched_at})
}

fn watch(catalog: &Catalog, watch: &Watch) -> Value {
    let (title, year) = named(catalog, watch.movie);
    json!({"movie_id": watch.movie, "title": title, "year": year, "watched_at": watch.watched_at,
        "rewatch": watch.rewatch, "operator": watch.operator, "mode": watch.mode})
}

fn review(catalog: &Catalog, review: &Review) -> Value {
    let (title, year) = named(catalog, review.movie);
    json!({"id": review.id, "movie_id": review.movie, "title": title, "year": year, "text": review.text,
        "spoiler": review.spoiler, "language": review.language, "state": review.state.name(),
        "note": review.note, "created_at": review.created_at, "updated_at": review.updated_at})
}
