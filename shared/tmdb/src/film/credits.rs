//! Who made it: the first of the cast, directors, writers.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::{
    ImagePath,
    decode::{Many, Soft, whole},
    text::soft_line,
};

const MAX_CAST: usize = 15;
const MAX_CREW: usize = 10;
const MAX_NAME: usize = 200;
const WRITING: [&str; 3] = ["Writer", "Screenplay", "Story"];

/// Somebody who acts in a film.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CastMember {
    /// TMDb's id of the person.
    pub id: u32,
    /// Name.
    pub name: String,
    /// Whom they play, or "".
    pub character: String,
    /// Portrait.
    pub profile_path: Option<ImagePath>,
}

/// Somebody behind the camera.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// TMDb's id.
    pub id: u32,
    /// Name.
    pub name: String,
    /// Portrait.
    pub profile_path: Option<ImagePath>,
}

#[derive(Default, Deserialize)]
pub(super) struct Wire {
    cast: Many<WirePerson>,
    #[serde(default)]
    crew: Many<WirePerson>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WirePerson {
    id: Soft<f64>,
    name: Soft<String>,
    character: Soft<String>,
    profile_path: Soft<String>,
    order: Soft<f64>,
    job: Soft<String>,
}

impl WirePerson {
    fn person(self) -> Option<Person> {
        Some(Person {
            id: whole(self.id, u32::MAX)?,
            name: Some(soft_line(self.name, MAX_NAME)).filter(|name| !name.is_empty())?,
            profile_path: ImagePath::soft(&self.profile_path),
        })
    }
}

/// Cast, directors, writers.
pub(super) fn read(wire: Wire) -> (Vec<CastMember>, Vec<Person>, Vec<Person>) {
    let order = |person: &WirePerson| person.order.0.filter(|order| *order >= 0.0).unwrap_or(f64::MAX);
    let mut cast = wire.cast.0;
    // Stable: those without a place keep the answer's order, at the end.
    cast.sort_by(|a, b| order(a).total_cmp(&order(b)));
    let cast = cast.into_iter().filter_map(member).take(MAX_CAST).collect();

    let (mut directors, mut writers) = (Vec::new(), Vec::new());
    for person in wire.crew.0 {
        match person.job.0.as_deref() {
            Some("Director") => directors.extend(person.person()),
            Some(job) if WRITING.contains(&job) => writers.extend(person.person()),
            _ => {}
        }
    }
    (cast, once(directors), once(writers))
}

fn member(mut wire: WirePerson) -> Option<CastMember> {
    let character = soft_line(std::mem::take(&mut wire.character), MAX_NAME);
    let Person { id, name, profile_path } = wire.person()?;
    Some(CastMember { id, name, character, profile_path })
}

/// Each person once: the same name stands for screenplay and story.
fn once(people: Vec<Person>) -> Vec<Person> {
    let mut seen = HashSet::new();
    people.into_iter().filter(|person| seen.insert(person.id)).take(MAX_CREW).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cast_is_in_order_and_capped_and_the_nameless_are_left_out() {
        let people: Vec<_> =
            (0..40).rev().map(|i| format!(r#"{{"id": {i}, "name": "N{i}", "order": {i}}}"#)).collect();
        let json = format!(
            r#"{{"cast": [{{"id": 99, "name": "No place"}}, {{"id": 98, "name": "", "order": 0}}, {}]}}"#,
            people.join(",")
        );
        let (cast, directors, writers) = read(serde_json::from_str(&json).unwrap());
        let ids: Vec<_> = cast.iter().map(|member| member.id).collect();
        assert_eq!(ids, (0..15).collect::<Vec<_>>());
        assert!(directors.is_empty() && writers.is_empty());
    }

    #[test]
    fn a_writer_with_two_jobs_is_one_writer() {
        let json = r#"{"cast": [], "crew": [
            {"id": 1, "name": "A", "job": "Screenplay"}, {"id": 1, "name": "A", "job": "Story"},
            {"id": 2, "name": "B", "job": "Director"}, {"id": 3, "name": "C", "job": "Gaffer"}, {"job": "Director"}]}"#;
        let (_, directors, writers) = read(serde_json::from_str(json).unwrap());
        assert_eq!((directors.len(), writers.len()), (1, 1));
        assert_eq!((directors[0].id, writers[0].id), (2, 1));
    }
}
