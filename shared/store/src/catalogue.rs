//! Films, operators and lists: the catalogue table, all of which can be made again from its sources.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{Read, Write};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, DeleteRequest, Put, PutRequest, ReturnConsumedCapacity, Select,
    TransactWriteItem, WriteRequest,
};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use jiff::Timestamp;
use jiff::civil::Date;
use screensort_model::reference::Reference;
use screensort_model::{Movie, MovieId, Operator, Window};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::edits::{EDIT, Edit};
use crate::table::{PK, SK};
use crate::{Error, Meter};

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The most bytes that a stored document may take when inflated: a guard against a bomb in the table.
const MOST_INFLATED: u64 = 2 << 20;

/// Where a film's facts come from. What TMDb gave may not be kept longer than TMDb allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Read from TMDb by the sync.
    Tmdb,
    /// From the sample catalogue or an imported file.
    Sample,
    /// Added by an administrator.
    Hand,
}

/// One film with all that the catalogue holds under its id.
#[derive(Debug, Default)]
pub struct Film {
    /// The film, unless it was never known or has been withdrawn.
    pub movie: Option<Movie>,
    /// What people made of it.
    pub counters: Counters,
    /// Why it is not there, if it once was.
    pub tombstone: Option<Tombstone>,
    /// What administrators say of it.
    pub edit: Option<Edit>,
    /// Where its facts come from.
    pub source: Option<Why>,
}

/// The whole table, as far as films are concerned.
#[derive(Debug, Default)]
pub struct Everything {
    /// Films and where their facts come from.
    pub films: Vec<(Movie, Why)>,
    /// What became of films that are no more, or are doubted.
    pub tombstones: Vec<(MovieId, Tombstone)>,
    /// What administrators say of films; [`Everything::edited`] lays it over them.
    pub edits: Vec<(MovieId, Edit)>,
    /// Films with an item that this release cannot read: reading them from their source again mends them.
    pub unreadable: Vec<MovieId>,
}

impl Everything {
    fn take(&mut self, item: &Item) {
        let Some(id) = movie_of(item) else { return };
        let read = match text(item, SK) {
            Some("FILM") => {
                document(item, "film").map(|movie| self.films.push((movie, document_source(item))))
            }
            Some(EDIT) => Edit::of(item).map(|edit| self.edits.push((id, edit))),
            _ => document(item, "tombstone").map(|tombstone| self.tombstones.push((id, tombstone))),
        };
        if let Err(error) = read {
            let error: &dyn std::error::Error = &error;
            tracing::error!(name: "store.unreadable", movie = id.get(), error, "an item of film {id} cannot be read");
            self.unreadable.push(id);
        }
    }
}

/// What people made of a film. Written by the stream aggregator alone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counters {
    /// Thumbs up.
    pub thumbs_up: u32,
    /// Thumbs down.
    pub thumbs_down: u32,
    /// Number of ratings.
    pub rating_count: u32,
    /// Sum of all ratings in half stars, 1 to 20 each.
    pub rating_halves: u64,
    /// Published reviews.
    pub reviews: u32,
}

/// What became of a film that TMDb no longer knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Tombstone {
    /// TMDb answered 404 on these days; not yet believed.
    Doubted {
        /// Different days, in order.
        days: BTreeSet<Date>,
    },
    /// Gone for good.
    Withdrawn,
    /// The same film lives on under another id.
    Merged {
        /// That id.
        into: MovieId,
    },
}

/// The catalogue table.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pub(crate) client: Client,
    pub(crate) table: String,
}

impl Catalogue {
    /// Over `table`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Everything under a film's id as the product shows it, in one request.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn film(&self, id: MovieId) -> Result<Film, Error> {
        Ok(self.synced(id).await?.edited())
    }

    /// The same as its source has it: its edit is not laid over it.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn synced(&self, id: MovieId) -> Result<Film, Error> {
        let mut film = Film::default();
        for item in self.query(&movie_key(id), 8).await? {
            match text(&item, SK) {
                Some("FILM") => {
                    film.movie = Some(document(&item, "film")?);
                    film.source = Some(document_source(&item));
                }
                Some(EDIT) => film.edit = Some(Edit::of(&item)?),
                Some("COUNTERS") => film.counters = counters(&item),
                Some("TOMB") => film.tombstone = Some(document(&item, "tombstone")?),
                _ => {}
            }
        }
        Ok(film)
    }

    /// Keeps a film and, if it has an IMDb id, the way from that id to it. A tombstone is left alone.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep(&self, movie: &Movie, from: Why) -> Result<(), Error> {
        let Some(imdb) = &movie.imdb_id else {
            return self.put(film_item(movie, from)?).await;
        };
        let table = &self.table;
        let put = |item: Item| {
            let put = Put::builder().table_name(table).set_item(Some(item)).build();
            put.map(|put| TransactWriteItem::builder().put(put).build())
                .map_err(|e| Error::corrupt("film", e))
        };
        let alias = imdb_item(imdb, movie.id);
        let out = self
            .client
            .transact_write_items()
            .transact_items(put(film_item(movie, from)?)?)
            .transact_items(put(alias)?)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("TransactWriteItems", e))?;
        Meter::note("TransactWriteItems", table, out.consumed_capacity());
        Ok(())
    }

    /// Keeps many films quickly: for imports. Calls `progress` with the number kept so far.
    ///
    /// # Errors
    /// If the store fails; what was kept until then stays.
    pub async fn keep_all(
        &self,
        movies: &[Movie],
        from: Why,
        mut progress: impl FnMut(usize),
    ) -> Result<(), Error> {
        let mut kept = 0;
        for chunk in movies.chunks(12) {
            let mut items = Vec::with_capacity(25);
            for movie in chunk {
                items.push(film_item(movie, from)?);
                items.extend(movie.imdb_id.as_deref().map(|imdb| imdb_item(imdb, movie.id)));
            }
            self.put_all(items).await?;
            kept += chunk.len();
            progress(kept);
        }
        Ok(())
    }

    /// The film that an IMDb id leads to.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn by_imdb(&self, imdb: &str) -> Result<Option<MovieId>, Error> {
        let item = self.get(&format!("IMDB#{imdb}"), "MOVIE").await?;
        Ok(item.and_then(|item| number::<u32>(&item, "movie")).and_then(|id| MovieId::try_from(id).ok()))
    }

    /// Notes what became of a film; with anything but doubt its record goes, both or neither.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn bury(&self, id: MovieId, tombstone: &Tombstone) -> Result<(), Error> {
        let mut item = key(&movie_key(id), "TOMB");
        item.insert("doc".into(), AttributeValue::B(Blob::new(deflated(tombstone)?)));
        if matches!(tombstone, Tombstone::Doubted { .. }) {
            return self.put(item).await;
        }
        let put = Put::builder().table_name(&self.table).set_item(Some(item)).build();
        let put = put.map_err(|e| Error::corrupt("tombstone", e))?;
        let film = Some(key(&movie_key(id), "FILM"));
        let delete = Delete::builder().table_name(&self.table).set_key(film).build();
        let delete = delete.map_err(|e| Error::corrupt("tombstone", e))?;
        let out = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(put).build())
            .transact_items(TransactWriteItem::builder().delete(delete).build())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("TransactWriteItems", e))?;
        Meter::note("TransactWriteItems", &self.table, out.consumed_capacity());
        Ok(())
    }

    /// Takes a film's tombstone away: TMDb knows it again.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn revive(&self, id: MovieId) -> Result<(), Error> {
        self.delete(&movie_key(id), "TOMB").await
    }

    /// Forgets a film's record, without a tombstone: it may be read again.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn forget(&self, id: MovieId) -> Result<(), Error> {
        self.delete(&movie_key(id), "FILM").await
    }

    /// The films whose facts come from the sample or an imported file, in no order.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn samples(&self) -> Result<Vec<MovieId>, Error> {
        let (mut films, mut start) = (Vec::new(), None);
        loop {
            let out = self
                .client
                .scan()
                .table_name(&self.table)
                .filter_expression("sk = :film AND #source = :sample")
                .projection_expression("pk")
                .expression_attribute_names("#source", "source")
                .expression_attribute_values(":film", AttributeValue::S("FILM".into()))
                .expression_attribute_values(":sample", AttributeValue::S("sample".into()))
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| Error::of("Scan", e))?;
            Meter::note("Scan", &self.table, out.consumed_capacity());
            films.extend(out.items().iter().filter_map(movie_of));
            match out.last_evaluated_key {
                Some(key) if !key.is_empty() => start = Some(key),
                _ => return Ok(films),
            }
        }
    }

    /// Every film with its source and every tombstone, in no order, in `segments` parallel reads.
    ///
    /// One item that cannot be read does not hide the others: it is named instead.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn everything(&self, segments: u32) -> Result<Everything, Error> {
        let reads = (0..segments.max(1)).map(|segment| self.segment(segment, segments.max(1)));
        let mut all = Everything::default();
        for part in futures::future::try_join_all(reads).await? {
            all.films.extend(part.films);
            all.tombstones.extend(part.tombstones);
            all.edits.extend(part.edits);
            all.unreadable.extend(part.unreadable);
        }
        Ok(all)
    }

    async fn segment(&self, segment: u32, of: u32) -> Result<Everything, Error> {
        let mut all = Everything::default();
        let mut start = None;
        loop {
            let out = self
                .client
                .scan()
                .table_name(&self.table)
                .segment(i32::try_from(segment).unwrap_or(0))
                .total_segments(i32::try_from(of).unwrap_or(1))
                .filter_expression("sk IN (:film, :tomb, :edit)")
                .expression_attribute_values(":film", AttributeValue::S("FILM".into()))
                .expression_attribute_values(":tomb", AttributeValue::S("TOMB".into()))
                .expression_attribute_values(":edit", AttributeValue::S(EDIT.into()))
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| Error::of("Scan", e))?;
            Meter::note("Scan", &self.table, out.consumed_capacity());
            for item in out.items() {
                all.take(item);
            }
            match out.last_evaluated_key {
                Some(key) if !key.is_empty() => start = Some(key),
                _ => return Ok(all),
            }
        }
    }

    /// Keeps operators.
    ///
    /// # Errors
    /// If the store fails; what was kept until then stays.
    pub async fn keep_operators(&self, operators: &[Operator]) -> Result<(), Error> {
        for chunk in operators.chunks(25) {
            let mut items = Vec::with_capacity(chunk.len());
            for operator in chunk {
                let mut item = key("OPERATORS", &operator.id.to_string());
                item.insert("doc".into(), AttributeValue::B(Blob::new(deflated(operator)?)));
                items.push(item);
            }
            self.put_all(items).await?;
        }
        crate::operators::changed(&crate::vault::Vault::new(self.client.clone(), self.table.as_str())).await
    }

    /// Every operator, by id.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn operators(&self) -> Result<Vec<Operator>, Error> {
        self.query("OPERATORS", usize::MAX).await?.iter().map(|item| document(item, "operator")).collect()
    }

    /// Keeps a list of trending films, best first, as of `at`.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep_trending(&self, window: Window, films: &[MovieId], at: Timestamp) -> Result<(), Error> {
        let mut item = key("LISTS", &format!("trending#{}", window.name()));
        item.insert("doc".into(), AttributeValue::B(Blob::new(deflated(&films)?)));
        item.insert("at".into(), AttributeValue::S(at.to_string()));
        self.put(item).await
    }

    /// The lists of trending films that were kept.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn trending(&self) -> Result<BTreeMap<&'static str, Vec<MovieId>>, Error> {
        let mut lists = BTreeMap::new();
        for item in self.query("LISTS", 16).await? {
            let window = Window::ALL.into_iter().find(|w| {
                text(&item, SK)
                    .and_then(|sk| sk.strip_prefix("trending#"))
                    .is_some_and(|name| name == w.name())
            });
            if let Some(window) = window {
                lists.insert(window.name(), document(&item, "list")?);
            }
        }
        Ok(lists)
    }

    /// Keeps the lists that filters refer to.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep_reference(&self, reference: &Reference) -> Result<(), Error> {
        let mut item = key("REFERENCE", "LISTS");
        item.insert("doc".into(), AttributeValue::B(Blob::new(deflated(reference)?)));
        self.put(item).await
    }

    /// The lists that filters refer to, if the sync has read them.
    ///
    /// # Errors
    /// If the store fails or the item cannot be read.
    pub async fn reference(&self) -> Result<Option<Reference>, Error> {
        self.get("REFERENCE", "LISTS").await?.map(|item| document(&item, "reference")).transpose()
    }

    pub(crate) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, Error> {
        let out = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("GetItem", e))?;
        Meter::note("GetItem", &self.table, out.consumed_capacity());
        Ok(out.item)
    }

    pub(crate) async fn put(&self, item: Item) -> Result<(), Error> {
        let out = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("PutItem", e))?;
        Meter::note("PutItem", &self.table, out.consumed_capacity());
        Ok(())
    }

    pub(crate) async fn delete(&self, pk: &str, sk: &str) -> Result<(), Error> {
        let out = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key(pk, sk)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("DeleteItem", e))?;
        Meter::note("DeleteItem", &self.table, out.consumed_capacity());
        Ok(())
    }

    /// How many items a partition has.
    pub(crate) async fn count(&self, pk: &str) -> Result<u64, Error> {
        let (mut count, mut start) = (0, None);
        loop {
            let out = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .select(Select::Count)
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| Error::of("Query", e))?;
            Meter::note("Query", &self.table, out.consumed_capacity());
            count += u64::from(out.count().unsigned_abs());
            match out.last_evaluated_key {
                Some(key) if !key.is_empty() => start = Some(key),
                _ => return Ok(count),
            }
        }
    }

    /// All items of a partition, up to `most`, in the order of their sort keys.
    pub(crate) async fn query(&self, pk: &str, most: usize) -> Result<Vec<Item>, Error> {
        self.query_in(pk, most, true).await
    }

    /// As [`Catalogue::query`], but from the last sort key down unless `forward`.
    pub(crate) async fn query_in(&self, pk: &str, most: usize, forward: bool) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let out = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .select(Select::AllAttributes)
                .scan_index_forward(forward)
                .set_limit(i32::try_from(most - items.len()).ok())
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| Error::of("Query", e))?;
            Meter::note("Query", &self.table, out.consumed_capacity());
            items.extend(out.items.unwrap_or_default());
            match out.last_evaluated_key {
                Some(key) if !key.is_empty() && items.len() < most => start = Some(key),
                _ => return Ok(items),
            }
        }
    }

    /// Writes at most 25 items, retrying those that the store hands back.
    pub(crate) async fn put_all(&self, items: Vec<Item>) -> Result<(), Error> {
        let mut requests = Vec::with_capacity(items.len());
        for item in items {
            let put =
                PutRequest::builder().set_item(Some(item)).build().map_err(|e| Error::corrupt("item", e))?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        self.write_all(requests).await
    }

    /// Deletes at most 25 items, retrying those that the store hands back.
    pub(crate) async fn delete_all(&self, keys: Vec<Item>) -> Result<(), Error> {
        let mut requests = Vec::with_capacity(keys.len());
        for key in keys {
            let delete =
                DeleteRequest::builder().set_key(Some(key)).build().map_err(|e| Error::corrupt("item", e))?;
            requests.push(WriteRequest::builder().delete_request(delete).build());
        }
        self.write_all(requests).await
    }

    async fn write_all(&self, mut requests: Vec<WriteRequest>) -> Result<(), Error> {
        for attempt in 0..8_u32 {
            if requests.is_empty() {
                return Ok(());
            }
            if attempt > 0 {
                tokio::time::sleep(std::time::Duration::from_millis(50 << attempt)).await;
            }
            let out = self
                .client
                .batch_write_item()
                .request_items(&self.table, std::mem::take(&mut requests))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| Error::of("BatchWriteItem", e))?;
            Meter::note("BatchWriteItem", &self.table, out.consumed_capacity());
            requests = out.unprocessed_items.unwrap_or_default().remove(&self.table).unwrap_or_default();
        }
        Err(Error::Throttled {
            operation: "BatchWriteItem",
            cause: "items were handed back eight times".into(),
        })
    }
}

pub(crate) fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([
        (PK.to_owned(), AttributeValue::S(pk.to_owned())),
        (SK.to_owned(), AttributeValue::S(sk.to_owned())),
    ])
}

pub(crate) fn text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

pub(crate) fn number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn movie_of(item: &Item) -> Option<MovieId> {
    text(item, PK)?.strip_prefix("MOVIE#")?.parse().ok()
}

pub(crate) fn movie_key(id: MovieId) -> String {
    format!("MOVIE#{id}")
}

pub(crate) fn film_item(movie: &Movie, from: Why) -> Result<Item, Error> {
    let mut item = key(&movie_key(movie.id), "FILM");
    let source = match from {
        Why::Tmdb => "tmdb",
        Why::Sample => "sample",
        Why::Hand => "hand",
    };
    item.insert("source".into(), AttributeValue::S(source.into()));
    item.insert("synced_at".into(), AttributeValue::S(movie.synced_at.to_string()));
    item.insert("doc".into(), AttributeValue::B(Blob::new(deflated(movie)?)));
    Ok(item)
}

pub(crate) fn imdb_item(imdb: &str, id: MovieId) -> Item {
    let mut item = key(&format!("IMDB#{imdb}"), "MOVIE");
    item.insert("movie".into(), AttributeValue::N(id.to_string()));
    item
}

fn document_source(item: &Item) -> Why {
    match text(item, "source") {
        Some("tmdb") => Why::Tmdb,
        Some("hand") => Why::Hand,
        _ => Why::Sample,
    }
}

pub(crate) fn counters(item: &Item) -> Counters {
    let of = |name: &str| number::<u32>(item, name).unwrap_or(0);
    Counters {
        thumbs_up: of("thumbs_up"),
        thumbs_down: of("thumbs_down"),
        rating_count: of("rating_count"),
        rating_halves: number(item, "rating_halves").unwrap_or(0),
        reviews: of("reviews"),
    }
}

/// `value` as deflated JSON: a film of 2.5 kB takes about 1 kB, so that a read costs half a capacity unit.
pub(crate) fn deflated<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    let json = serde_json::to_vec(value).map_err(|e| Error::corrupt("document", e))?;
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(json.len() / 2), Compression::new(6));
    encoder.write_all(&json).and_then(|()| encoder.finish()).map_err(|e| Error::corrupt("document", e))
}

/// `value` as the attribute of a document.
pub(crate) fn blob<T: Serialize>(value: &T) -> Result<AttributeValue, Error> {
    Ok(AttributeValue::B(Blob::new(deflated(value)?)))
}

pub(crate) fn document<T: DeserializeOwned>(item: &Item, aggregate: &'static str) -> Result<T, Error> {
    let bytes = item
        .get("doc")
        .and_then(|value| value.as_b().ok())
        .ok_or_else(|| Error::corrupt(aggregate, "it has no document"))?;
    let mut json = Vec::with_capacity(bytes.as_ref().len() * 3);
    DeflateDecoder::new(bytes.as_ref())
        .take(MOST_INFLATED)
        .read_to_end(&mut json)
        .map_err(|e| Error::corrupt(aggregate, e))?;
    serde_json::from_slice(&json).map_err(|e| {
        Error::corrupt(aggregate, format!("not as expected at line {}, column {}", e.line(), e.column()))
    })
}
