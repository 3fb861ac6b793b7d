//! API1:2023, broken object level authorization. `nobody_reads_or_changes_anything_of_anybody_elses_by_path_query_body_or_cursor`
//! walks the library, reviews, profile and recommendations; here it is ids that are bent, and things of other areas:
//! sessions, keys, links.

use serde_json::Value;

use crate::product::Got;
use crate::victim::Victim;
use crate::world::World;

/// The calls that lead to a thing by its id, which goes in the place of `{}`.
const DOORS: [(&str, &str); 10] = [
    ("DELETE", "/sessions/{}"),
    ("DELETE", "/api_keys/{}"),
    ("GET", "/links/{}/history"),
    ("GET", "/links/{}/ratings"),
    ("GET", "/links/{}/watchlist"),
    ("DELETE", "/links/{}"),
    ("GET", "/profile/export/{}"),
    ("GET", "/imports/{}"),
    ("PATCH", "/history/{}"),
    ("DELETE", "/history/{}"),
];

/// The id of nothing that is anybody's.
const NOBODYS: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// The ids of the victim's things, of every kind.
fn ids(of: &Victim) -> [&str; 8] {
    [&of.session, &of.key, &of.link, &of.export, &of.import, &of.entry, &of.review, &of.account]
}

/// What an answer says, without what is peculiar to the one call.
fn said(got: &Got) -> (u16, Value) {
    let mut body = got.body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("request_id");
        fields.remove("instance");
    }
    (got.status, body)
}

fn body(method: &str) -> Value {
    if method == "PATCH" { serde_json::json!({"rewatch": true}) } else { Value::Null }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_somebody_elses_thing_is_answered_like_the_id_of_nothing_whatever_it_is_bent_to() {
    let world = World::start().await;
    let ann = world.victim("ann").await;
    let bob = world.person("bob").await;
    let before = world.belongings(&ann).await;
    for (method, door) in DOORS {
        let ask = |token: &str, id: &str| {
            let (path, token) = (door.replace("{}", id), token.to_owned());
            let world = &world;
            async move { world.product.with(&token, method, &path, body(method)).await }
        };
        // Nobody learns by asking which ids there are: not even whether one is of the right kind.
        let nothing = said(&ask(&bob, NOBODYS).await);
        assert_eq!(nothing.0, 404, "{method} {door}: {nothing:?}");
        for id in ids(&ann) {
            world.product.wait(1);
            assert_eq!(said(&ask(&bob, id).await), nothing, "{method} {door} with {id}");
            let last = if id.ends_with('0') { "1" } else { "0" };
            for bent in [
                id.to_lowercase(),
                format!("{}{last}", &id[..id.len() - 1]),
                format!("{}-{id}", ann.account),
                format!("PERSON%23{}", ann.account),
                format!("{id}%00"),
                format!("{id}%2F..%2F{id}"),
                format!("{id}%23"),
                format!("*{id}"),
            ] {
                let got = ask(&bob, &bent).await;
                assert!([400, 404].contains(&got.status), "{method} {door} with {bent}: {}", got.text);
                assert!(!got.text.contains("planted"), "{method} {door} with {bent}: {}", got.text);
            }
        }
    }
    // Her own, too, are of one kind each: the id of one opens no other.
    let fresh = world.product.login("ann@example.org").await.str("access_token");
    for (method, door) in DOORS.iter().filter(|(method, _)| *method == "GET") {
        let own = match *door {
            "/profile/export/{}" => &ann.export,
            "/imports/{}" => &ann.import,
            _ => &ann.link,
        };
        for id in ids(&ann).into_iter().filter(|id| id != own) {
            let got = world.product.with(&fresh, method, &door.replace("{}", id), Value::Null).await;
            assert_eq!(got.status, 404, "{method} {door} with {id}: {}", got.text);
        }
    }
    let ann = Victim { token: fresh, ..ann };
    let after = world.belongings(&ann).await;
    for (before, after) in before.iter().zip(&after).filter(|(before, _)| !before.starts_with("/se")) {
        assert_eq!(before, after, "something of ann's has changed");
    }
    let sessions = world.get(&ann.token, "/sessions").await;
    assert!(sessions.text.contains(&ann.session), "her session lives: {}", sessions.text);
}
