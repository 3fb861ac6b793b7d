//! The films: a few recordings, the rest made in TMDb's shape from a table of facts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

const FACTS: &str = include_str!("../../fixtures/tmdb/films.tsv");
const GENRES: &str = include_str!("../../fixtures/tmdb/genres_en.json");

/// Details as recorded, trimmed.
const RECORDED: [&str; 7] = [
    include_str!("../../fixtures/tmdb/movie_550.json"),
    include_str!("../../fixtures/tmdb/movie_47964.json"),
    include_str!("../../fixtures/tmdb/movie_49026.json"),
    include_str!("../../fixtures/tmdb/movie_19995.json"),
    include_str!("../../fixtures/tmdb/movie_168259.json"),
    include_str!("../../fixtures/tmdb/movie_87421.json"),
    include_str!("../../fixtures/tmdb/movie_1744731.json"),
];

/// The services and regions that made films are offered by and in.
const SERVICES: [(u32, &str); 5] = [
    (8, "Netflix"),
    (9, "Amazon Prime Video"),
    (337, "Disney Plus"),
    (2, "Apple TV Store"),
    (3, "Google Play Movies"),
];
const REGIONS: [&str; 4] = ["US", "GB", "DE", "FR"];

/// All films by id.
pub(super) fn all() -> BTreeMap<u32, Value> {
    let recorded = RECORDED.iter().map(|text| serde_json::from_str(text).expect("a recorded film is JSON"));
    let genres = genre_names();
    let made =
        FACTS.lines().skip(1).map(|line| made(line, &genres).expect("a line of facts has all its columns"));
    recorded.chain(made).filter_map(|film: Value| Some((id_of(&film)?, complete(film)))).collect()
}

/// A film's id.
pub(super) fn id_of(film: &Value) -> Option<u32> {
    u32::try_from(film.get("id")?.as_u64()?).ok()
}

fn genre_names() -> BTreeMap<u64, String> {
    let genres: Value = serde_json::from_str(GENRES).expect("the recorded genres are JSON");
    let list = genres["genres"].as_array().into_iter().flatten();
    list.filter_map(|genre| Some((genre["id"].as_u64()?, genre["name"].as_str()?.to_owned()))).collect()
}

/// TMDb always answers with every part it was asked for, be it empty; recordings were made with fewer.
pub(super) fn complete(mut film: Value) -> Value {
    let imdb = film.get("imdb_id").cloned().unwrap_or(Value::Null);
    let empty = [
        ("keywords", json!({"keywords": []})),
        ("credits", json!({"cast": [], "crew": []})),
        ("watch/providers", json!({"results": {}})),
        ("release_dates", json!({"results": []})),
        ("videos", json!({"results": []})),
        ("alternative_titles", json!({"titles": []})),
        ("translations", json!({"translations": []})),
        (
            "external_ids",
            json!({"imdb_id": imdb, "wikidata_id": null, "facebook_id": null, "instagram_id": null, "twitter_id": null}),
        ),
    ];
    if let Some(film) = film.as_object_mut() {
        for (part, value) in empty {
            film.entry(part).or_insert(value);
        }
    }
    film
}

fn made(line: &str, genres: &BTreeMap<u64, String>) -> Option<Value> {
    let mut columns = line.split('\t');
    let mut next = || columns.next();
    let (id, imdb, title, original, language, date) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let (runtime, genre_ids, vote_average, vote_count, popularity) =
        (next()?, next()?, next()?, next()?, next()?);
    let (directors, writers, cast, us_rating, keywords) = (next()?, next()?, next()?, next()?, next()?);
    let id: u32 = id.parse().ok()?;
    let genres: Vec<_> = genre_ids
        .split(',')
        .filter_map(|genre| genre.parse::<u64>().ok())
        .map(|genre| json!({"id": genre, "name": genres.get(&genre)}))
        .collect();
    let number = |text: &str| text.parse::<f64>().ok();
    let keyword = |(id, name): (&str, &str)| Some(json!({"id": id.parse::<u32>().ok()?, "name": name}));
    let keywords: Vec<_> = pairs(keywords).filter_map(keyword).collect();
    let other_title = json!({"iso_3166_1": "US", "title": title, "type": ""});
    let other_titles: Vec<_> = (original != title).then_some(other_title).into_iter().collect();
    Some(json!({
        "adult": false,
        "backdrop_path": image("backdrop", title),
        "belongs_to_collection": null,
        "budget": 0,
        "genres": genres,
        "homepage": "",
        "id": id,
        "imdb_id": imdb,
        "origin_country": [],
        "original_language": language,
        "original_title": original,
        "overview": "",
        "popularity": number(popularity)?,
        "poster_path": image("poster", title),
        "production_companies": [],
        "production_countries": [],
        "release_date": date,
        "revenue": 0,
        "runtime": runtime.parse::<u32>().ok()?,
        "softcore": false,
        "spoken_languages": [],
        "status": "Released",
        "tagline": "",
        "title": title,
        "video": false,
        "vote_average": number(vote_average)?,
        "vote_count": vote_count.parse::<u32>().ok()?,
        "keywords": {"keywords": keywords},
        "credits": credits(directors, writers, cast),
        "release_dates": releases(date, us_rating),
        "watch/providers": watch(id),
        "external_ids": {"imdb_id": imdb, "wikidata_id": null, "facebook_id": null, "instagram_id": null, "twitter_id": null},
        "videos": {"results": []},
        "alternative_titles": {"titles": other_titles},
        "translations": {"translations": []},
    }))
}

/// `a:b;c:d`.
fn pairs(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(';').filter_map(|pair| pair.split_once(':'))
}

fn credits(directors: &str, writers: &str, cast: &str) -> Value {
    let cast: Vec<_> = pairs(cast)
        .enumerate()
        .map(|(order, (name, character))| {
            let mut member = person(name, "Acting");
            member["cast_id"] = json!(order + 1);
            member["character"] = json!(character);
            member["order"] = json!(order);
            member
        })
        .collect();
    let crew = |names: &str, department: &str, job: &str| {
        let member = |name: &str| {
            let mut member = person(name, department);
            member["department"] = json!(department);
            member["job"] = json!(job);
            member
        };
        names.split(';').map(member).collect::<Vec<_>>()
    };
    let crew = [crew(directors, "Directing", "Director"), crew(writers, "Writing", "Screenplay")].concat();
    json!({"cast": cast, "crew": crew})
}

/// Somebody under an invented id, which is the same in every film.
fn person(name: &str, department: &str) -> Value {
    json!({
        "adult": false,
        "gender": 0,
        "id": 90_000_000 + hash(name) % 1_000_000,
        "known_for_department": department,
        "name": name,
        "original_name": name,
        "popularity": 1.0,
        "profile_path": null,
        "credit_id": format!("{:024x}", hash(name)),
    })
}

fn releases(date: &str, us_rating: &str) -> Value {
    let release = |rating: &str| {
        json!([{"certification": rating, "descriptors": [], "iso_639_1": "", "note": "",
            "release_date": format!("{date}T00:00:00.000Z"), "type": 3}])
    };
    json!({"results": [
        {"iso_3166_1": "US", "release_dates": release(us_rating)},
        {"iso_3166_1": "DE", "release_dates": release("")},
    ]})
}

/// Invented offers: by id, so that films differ and a film's stay.
fn watch(id: u32) -> Value {
    let offer = |place: usize| {
        let (provider, name) = SERVICES[place % SERVICES.len()];
        json!({"logo_path": image("logo", name), "provider_id": provider, "provider_name": name, "display_priority": place % 20})
    };
    let offers = |(place, region): (usize, &&str)| {
        let first = id as usize + place;
        let link = format!("https://www.themoviedb.org/movie/{id}/watch?locale={region}");
        (
            region.to_string(),
            json!({"link": link, "flatrate": [offer(first)], "rent": [offer(first + 1), offer(first + 2)], "buy": [offer(first + 1)]}),
        )
    };
    let results: serde_json::Map<_, _> = REGIONS.iter().enumerate().map(offers).collect();
    json!({"results": results})
}

fn image(kind: &str, name: &str) -> String {
    format!("/{:016x}{:011x}.jpg", hash(name), hash(kind) >> 20)
}

/// FNV-1a: the same everywhere and for ever, which the standard library's hasher does not promise.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_recorded_and_made_films_with_every_part() {
        let films = all();
        assert!(films.len() >= 50, "{}", films.len());
        for film in films.values() {
            for part in ["keywords", "credits", "watch/providers", "release_dates", "external_ids", "videos"]
            {
                assert!(film[part].is_object(), "{part} of {}", film["title"]);
            }
            assert!(film["genres"].as_array().unwrap().iter().all(|genre| genre["name"].is_string()));
        }
        assert_eq!(films[&603]["title"], "The Matrix");
        assert_eq!(films[&603]["credits"]["crew"][0]["job"], "Director");
    }
}
