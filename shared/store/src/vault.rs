//! The table of credentials, in DynamoDB's verbs. Everything else in this crate that concerns people is made
//! of these few.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, ConsumedCapacity, Delete, KeysAndAttributes, Put, ReturnConsumedCapacity,
    ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::catalogue::{Item, key};
use crate::patience::{MEETINGS, patiently, wait};
use crate::table::{SK, TTL};
use crate::{Error, Meter};

/// The values of an expression.
pub(crate) type Values = Vec<(&'static str, AttributeValue)>;

/// How a conditional transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// All of it is written.
    Done,
    /// None of it is: the writes at these places found their condition unmet.
    Refused(Vec<usize>),
}

/// How a conditional change ended.
#[derive(Debug)]
pub(crate) enum Changed {
    /// It is done: the item as it is now.
    Done(Item),
    /// Its condition was unmet: the item as it was, empty if there was none.
    Refused(Item),
}

/// A question to an index.
#[derive(Debug)]
pub(crate) struct IndexAsk {
    /// The index.
    pub index: &'static str,
    /// The condition on its keys.
    pub keys: &'static str,
    /// What is left out.
    pub filter: Option<&'static str>,
    /// Whether it shares its partitions with the table.
    pub local: bool,
    /// Whether the first of its order comes first.
    pub ascending: bool,
}

/// The table.
#[derive(Debug, Clone)]
pub(crate) struct Vault {
    client: Client,
    table: String,
}

pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn n(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// `record` as an item under `pk` and `sk`, to be forgotten at `expires` (seconds since 1970).
pub(crate) fn item<T: Serialize>(
    pk: &str,
    sk: &str,
    record: &T,
    expires: Option<i64>,
) -> Result<Item, Error> {
    let mut item: Item = serde_dynamo::to_item(record).map_err(|e| Error::corrupt("record", e))?;
    item.extend(key(pk, sk));
    if let Some(expires) = expires {
        item.insert(TTL.into(), n(expires));
    }
    Ok(item)
}

/// The record in `item`.
pub(crate) fn record<T: DeserializeOwned>(item: Item, aggregate: &'static str) -> Result<T, Error> {
    serde_dynamo::from_item(item).map_err(|_| Error::corrupt(aggregate, "not of the expected shape"))
}

pub(crate) fn one(capacity: &Option<ConsumedCapacity>) -> &[ConsumedCapacity] {
    capacity.as_ref().map(std::slice::from_ref).unwrap_or_default()
}

fn map(values: Values) -> Option<HashMap<String, AttributeValue>> {
    (!values.is_empty()).then(|| values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The attributes that `expression` writes with a `#` in front, because DynamoDB has reserved their names.
fn names(expression: &str) -> Option<HashMap<String, String>> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let names: HashMap<_, _> = expression
        .split('#')
        .skip(1)
        .filter_map(|rest| rest.split(ends).next())
        .map(|name| (format!("#{name}"), name.to_owned()))
        .collect();
    (!names.is_empty()).then_some(names)
}

/// `change` and `condition` as one text, for [`names`].
fn both(change: &str, condition: Option<&str>) -> String {
    format!("{change} {}", condition.unwrap_or_default())
}

fn is_unmet<E: ProvideErrorMetadata, R>(error: &aws_sdk_dynamodb::error::SdkError<E, R>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("ConditionalCheckFailedException")
}

impl Vault {
    pub(crate) fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// The same table, asked once whatever comes back: for what must not be done twice and cannot tell that it was.
    pub(crate) fn asking_once(&self) -> Self {
        let config = self.client.config().to_builder().retry_config(RetryConfig::disabled());
        Self { client: Client::from_conf(config.build()), table: self.table.clone() }
    }

    /// The items under `keys` that are there, in no order, as they are now. At most 100 keys, each once.
    pub(crate) async fn get_all(&self, keys: Vec<Item>) -> Result<Vec<Item>, Error> {
        let mut found = self.get_each(HashMap::from([(self.table.clone(), keys)])).await?;
        Ok(found.remove(&self.table).unwrap_or_default())
    }

    /// As [`Vault::get_all`], with items of another table in the same request.
    pub(crate) async fn get_beside(
        &self,
        keys: Vec<Item>,
        other: &Self,
        others: Vec<Item>,
    ) -> Result<(Vec<Item>, Vec<Item>), Error> {
        let wanted = HashMap::from([(self.table.clone(), keys), (other.table.clone(), others)]);
        let mut found = self.get_each(wanted).await?;
        let mut of = |vault: &Self| found.remove(&vault.table).unwrap_or_default();
        Ok((of(self), of(other)))
    }

    async fn get_each(
        &self,
        mut wanted: HashMap<String, Vec<Item>>,
    ) -> Result<HashMap<String, Vec<Item>>, Error> {
        let mut found: HashMap<String, Vec<Item>> = HashMap::new();
        for meeting in 0..MEETINGS {
            if meeting > 0 {
                // Keys are handed back where the table is at its limit, or the answer would be too long.
                wait(meeting).await;
            }
            let started = Meter::start();
            let mut ask = self.client.batch_get_item();
            for (table, keys) in wanted {
                let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
                ask = ask.request_items(table, keys.map_err(|e| Error::corrupt("keys", e))?);
            }
            let ask = ask.return_consumed_capacity(ReturnConsumedCapacity::Total);
            let out = ask.send().await.map_err(|e| Error::of("BatchGetItem", e))?;
            started.note("BatchGetItem", &self.table, out.consumed_capacity());
            for (table, items) in out.responses.unwrap_or_default() {
                found.entry(table).or_default().extend(items);
            }
            let left = out.unprocessed_keys.unwrap_or_default().into_iter();
            wanted =
                left.map(|(table, left)| (table, left.keys)).filter(|(_, left)| !left.is_empty()).collect();
            if wanted.is_empty() {
                return Ok(found);
            }
        }
        Err(Error::Throttled { operation: "BatchGetItem", cause: "keys were handed back".into() })
    }

    pub(crate) async fn get(&self, pk: &str, sk: &str) -> Result<Option<Item>, Error> {
        Ok(self.get_all(vec![key(pk, sk)]).await?.pop())
    }

    /// A question for the items of a partition whose sort keys begin with `prefix`, as they are now.
    fn prefixed(&self, pk: &str, prefix: &str) -> QueryFluentBuilder {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .expression_attribute_values(":pk", s(pk))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        // DynamoDB takes no empty text for a key, not even to begin with.
        if prefix.is_empty() {
            return query.key_condition_expression("pk = :pk");
        }
        query
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":prefix", s(prefix))
    }

    /// The items of a partition whose sort keys begin with `prefix`, at most `most`, in their order.
    pub(crate) async fn query(&self, pk: &str, prefix: &str, most: i32) -> Result<Vec<Item>, Error> {
        let started = Meter::start();
        let out = self.prefixed(pk, prefix).limit(most).send().await.map_err(|e| Error::of("Query", e))?;
        started.note("Query", &self.table, one(&out.consumed_capacity));
        Ok(out.items.unwrap_or_default())
    }

    /// The last items of a partition, newest first, that come before `before`.
    pub(crate) async fn query_before(
        &self,
        pk: &str,
        before: Option<&str>,
        most: i32,
    ) -> Result<Vec<Item>, Error> {
        let started = Meter::start();
        let out = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk < :before")
            .expression_attribute_values(":pk", s(pk))
            // Sort keys are ULIDs: all of them lie before this.
            .expression_attribute_values(":before", s(before.unwrap_or("~")))
            .scan_index_forward(false)
            .limit(most)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("Query", e))?;
        started.note("Query", &self.table, one(&out.consumed_capacity));
        Ok(out.items.unwrap_or_default())
    }

    /// The items of a partition that come after `after`, in their order, at most `most` in as many requests as it
    /// takes.
    pub(crate) async fn query_after(&self, pk: &str, after: &str, most: usize) -> Result<Vec<Item>, Error> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let started = Meter::start();
            let out = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk > :after")
                .expression_attribute_values(":pk", s(pk))
                // Nothing comes before a space in a sort key, and a key may not be compared with nothing.
                .expression_attribute_values(":after", s(if after.is_empty() { " " } else { after }))
                .consistent_read(true)
                .limit(i32::try_from(most - items.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| Error::of("Query", e))?;
            started.note("Query", &self.table, one(&out.consumed_capacity));
            items.extend(out.items.unwrap_or_default());
            start = out.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || items.len() >= most {
                return Ok(items);
            }
        }
    }

    /// Items of a partition whose sort keys lie from `from` to `to`, newest or oldest first, at most `most`.
    pub(crate) async fn between(
        &self,
        pk: &str,
        (from, to): (&str, &str),
        forward: bool,
        most: i32,
    ) -> Result<Vec<Item>, Error> {
        let started = Meter::start();
        let out = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", s(pk))
            .expression_attribute_values(":from", s(from))
            .expression_attribute_values(":to", s(to))
            .scan_index_forward(forward)
            .consistent_read(true)
            .limit(most)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("Query", e))?;
        started.note("Query", &self.table, one(&out.consumed_capacity));
        Ok(out.items.unwrap_or_default())
    }

    /// Every item of a partition whose sort key begins with `prefix`, in as many requests as it takes.
    pub(crate) async fn query_all(&self, pk: &str, prefix: &str) -> Result<Vec<Item>, Error> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let started = Meter::start();
            let query = self.prefixed(pk, prefix).set_exclusive_start_key(start);
            let out = query.send().await.map_err(|e| Error::of("Query", e))?;
            started.note("Query", &self.table, one(&out.consumed_capacity));
            items.extend(out.items.unwrap_or_default());
            match out.last_evaluated_key {
                Some(key) if !key.is_empty() => start = Some(key),
                _ => return Ok(items),
            }
        }
    }

    /// At most `most` items of an index, in as many requests as the filter makes necessary.
    pub(crate) async fn query_index(
        &self,
        ask: &IndexAsk,
        values: Values,
        most: usize,
    ) -> Result<Vec<Item>, Error> {
        let (mut items, mut start) = (Vec::new(), None);
        let values = map(values);
        loop {
            let left = most - items.len();
            // What a filter leaves out costs a read all the same: then whole pages are looked at.
            let limit = if ask.filter.is_some() { 1_000 } else { left };
            let started = Meter::start();
            let out = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(ask.index)
                .key_condition_expression(ask.keys)
                .set_filter_expression(ask.filter.map(str::to_owned))
                .set_expression_attribute_names(names(&both(ask.keys, ask.filter)))
                .set_expression_attribute_values(values.clone())
                // Only local indexes can be read as they are now.
                .consistent_read(ask.local)
                .scan_index_forward(ask.ascending)
                .set_limit(i32::try_from(limit).ok())
                .set_exclusive_start_key(start)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|e| Error::of("Query", e))?;
            started.note("Query", &self.table, one(&out.consumed_capacity));
            items.extend(out.items.unwrap_or_default());
            items.truncate(most);
            match out.last_evaluated_key {
                Some(key) if !key.is_empty() && items.len() < most => start = Some(key),
                _ => return Ok(items),
            }
        }
    }

    /// One page of a segment of everything in the table whose sort key begins with `prefix`.
    pub(crate) async fn scan_segment(
        &self,
        prefix: &str,
        segment: (u32, u32),
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), Error> {
        let started = Meter::start();
        let out = self
            .client
            .scan()
            .table_name(&self.table)
            .segment(i32::try_from(segment.0).unwrap_or(0))
            .total_segments(i32::try_from(segment.1).unwrap_or(1))
            .filter_expression("begins_with(sk, :prefix)")
            .expression_attribute_values(":prefix", s(prefix))
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("Scan", e))?;
        started.note("Scan", &self.table, one(&out.consumed_capacity));
        Ok((out.items.unwrap_or_default(), out.last_evaluated_key.filter(|key| !key.is_empty())))
    }

    /// One page of everything in the table under one sort key, for jobs and the last-resort lists of administration.
    pub(crate) async fn scan(
        &self,
        sk: &str,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), Error> {
        self.scan_where("sk = :sk", vec![(":sk", s(sk))], start).await
    }

    /// As [`Vault::scan`], but only these attributes of each item leave the store.
    pub(crate) async fn scan_attributes(
        &self,
        sk: &str,
        attributes: &'static str,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), Error> {
        let started = Meter::start();
        let out = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("sk = :sk")
            .projection_expression(attributes)
            .expression_attribute_values(":sk", s(sk))
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("Scan", e))?;
        started.note("Scan", &self.table, one(&out.consumed_capacity));
        Ok((out.items.unwrap_or_default(), out.last_evaluated_key.filter(|key| !key.is_empty())))
    }

    /// One page of what `filter` lets through of everything in the table.
    pub(crate) async fn scan_where(
        &self,
        filter: &'static str,
        values: Values,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), Error> {
        let started = Meter::start();
        let out = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression(filter)
            .set_expression_attribute_values(map(values))
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|e| Error::of("Scan", e))?;
        started.note("Scan", &self.table, one(&out.consumed_capacity));
        Ok((out.items.unwrap_or_default(), out.last_evaluated_key.filter(|key| !key.is_empty())))
    }

    pub(crate) async fn put(&self, item: Item) -> Result<(), Error> {
        let started = Meter::start();
        let write = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let out = patiently(|| write.clone().send()).await.map_err(|e| Error::of("PutItem", e))?;
        started.note("PutItem", &self.table, one(&out.consumed_capacity));
        Ok(())
    }

    /// Puts the item if nothing is in its place; says whether it did.
    pub(crate) async fn put_new(&self, item: Item) -> Result<bool, Error> {
        self.put_if(item, "attribute_not_exists(pk)", Vec::new()).await
    }

    /// Puts an item if `condition` holds for what is in its place; says whether it did.
    pub(crate) async fn put_if(
        &self,
        item: Item,
        condition: &'static str,
        values: Values,
    ) -> Result<bool, Error> {
        let started = Meter::start();
        let write = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values(map(values))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let out = patiently(|| write.clone().send()).await;
        let (done, spent) = match out {
            Ok(out) => (true, out.consumed_capacity),
            Err(error) if is_unmet(&error) => (false, None),
            Err(error) => return Err(Error::of("PutItem", error)),
        };
        started.note("PutItem", &self.table, one(&spent));
        Ok(done)
    }

    /// Changes an item if `condition` holds. The item as it then is; `None` if the condition does not hold.
    pub(crate) async fn update(
        &self,
        at: Item,
        change: &'static str,
        condition: Option<&'static str>,
        values: Values,
    ) -> Result<Option<Item>, Error> {
        let started = Meter::start();
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(at))
            .update_expression(change)
            .set_expression_attribute_names(names(&both(change, condition)))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values(map(values))
            .return_values(ReturnValue::AllNew)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let out = patiently(|| write.clone().send()).await;
        let (item, spent) = match out {
            Ok(out) => (Some(out.attributes.unwrap_or_default()), out.consumed_capacity),
            Err(error) if is_unmet(&error) => (None, None),
            Err(error) => return Err(Error::of("UpdateItem", error)),
        };
        started.note("UpdateItem", &self.table, one(&spent));
        Ok(item)
    }

    /// Changes an item if `condition` holds, and shows what stands there in either case.
    pub(crate) async fn change(
        &self,
        at: Item,
        change: &'static str,
        condition: &'static str,
        values: Values,
    ) -> Result<Changed, Error> {
        let started = Meter::start();
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(at))
            .update_expression(change)
            .set_expression_attribute_names(names(change))
            .condition_expression(condition)
            .set_expression_attribute_values(map(values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let out = patiently(|| write.clone().send()).await;
        let (changed, spent) = match out {
            Ok(out) => (Changed::Done(out.attributes.unwrap_or_default()), out.consumed_capacity),
            Err(error) if is_unmet(&error) => {
                let before = match error.into_service_error() {
                    UpdateItemError::ConditionalCheckFailedException(unmet) => unmet.item,
                    _ => None,
                };
                (Changed::Refused(before.unwrap_or_default()), None)
            }
            Err(error) => return Err(Error::of("UpdateItem", error)),
        };
        started.note("UpdateItem", &self.table, one(&spent));
        Ok(changed)
    }

    /// Deletes an item if `condition` holds and gives back what it was; `None` if it does not hold.
    pub(crate) async fn delete_if(
        &self,
        at: Item,
        condition: &'static str,
        values: Values,
    ) -> Result<Option<Item>, Error> {
        let started = Meter::start();
        let write = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(at))
            .condition_expression(condition)
            .set_expression_attribute_values(map(values))
            .return_values(ReturnValue::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let out = patiently(|| write.clone().send()).await;
        let (item, spent) = match out {
            Ok(out) => (Some(out.attributes.unwrap_or_default()), out.consumed_capacity),
            Err(error) if is_unmet(&error) => (None, None),
            Err(error) => return Err(Error::of("DeleteItem", error)),
        };
        started.note("DeleteItem", &self.table, one(&spent));
        Ok(item)
    }

    /// A put for [`Vault::transact`].
    pub(crate) fn putting(
        &self,
        item: Item,
        condition: Option<&'static str>,
    ) -> Result<TransactWriteItem, Error> {
        self.put_write(item, condition, Vec::new())
    }

    /// A put for [`Vault::transact`] in the place of what meets `condition`.
    pub(crate) fn putting_over(
        &self,
        item: Item,
        condition: &'static str,
        values: Values,
    ) -> Result<TransactWriteItem, Error> {
        self.put_write(item, Some(condition), values)
    }

    fn put_write(
        &self,
        item: Item,
        condition: Option<&'static str>,
        values: Values,
    ) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values(map(values))
            .build()
            .map_err(|e| Error::corrupt("write", e))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// An update for [`Vault::transact`].
    pub(crate) fn updating(
        &self,
        at: Item,
        change: &str,
        condition: &str,
        values: Values,
    ) -> Result<TransactWriteItem, Error> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(at))
            .update_expression(change)
            .set_expression_attribute_names(names(&both(change, Some(condition))))
            .condition_expression(condition)
            .set_expression_attribute_values(map(values))
            .build()
            .map_err(|e| Error::corrupt("write", e))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// A condition on an item that nothing is done to, for [`Vault::transact`].
    pub(crate) fn checking(&self, at: Item, condition: &'static str) -> Result<TransactWriteItem, Error> {
        self.checking_values(at, condition, Vec::new())
    }

    /// As [`Vault::checking`], with values.
    pub(crate) fn checking_values(
        &self,
        at: Item,
        condition: &'static str,
        values: Values,
    ) -> Result<TransactWriteItem, Error> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(at))
            .condition_expression(condition)
            .set_expression_attribute_values(map(values))
            .build()
            .map_err(|e| Error::corrupt("write", e))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// A deletion for [`Vault::transact`].
    pub(crate) fn deleting(
        &self,
        at: Item,
        condition: Option<&'static str>,
        values: Values,
    ) -> Result<TransactWriteItem, Error> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(at))
            .set_condition_expression(condition.map(str::to_owned))
            .set_expression_attribute_values(map(values))
            .build()
            .map_err(|e| Error::corrupt("write", e))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// All of `writes` or none.
    pub(crate) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<Written, Error> {
        Ok(match self.transact_or_see(writes).await? {
            Ok(()) => Written::Done,
            Err(unmet) => Written::Refused(unmet.into_iter().map(|(at, _)| at).collect()),
        })
    }

    /// All of `writes` or none. If none: the places of those whose condition was unmet, with what stands there as far
    /// as they were [`shown`]; nothing if nothing does.
    pub(crate) async fn transact_or_see(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Result<(), Vec<(usize, Item)>>, Error> {
        for meeting in 0..MEETINGS {
            if meeting > 0 {
                wait(meeting).await;
            }
            let started = Meter::start();
            let out = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match out {
                Ok(out) => {
                    started.note("TransactWriteItems", &self.table, out.consumed_capacity());
                    return Ok(Ok(()));
                }
                Err(error) => error,
            };
            started.note("TransactWriteItems", &self.table, &[]);
            let reasons = match error.as_service_error() {
                Some(aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(canceled)) => {
                    canceled.cancellation_reasons()
                }
                _ => return Err(Error::of("TransactWriteItems", error)),
            };
            let unmet: Vec<(usize, Item)> = reasons
                .iter()
                .enumerate()
                .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
                .map(|(at, reason)| (at, reason.item().cloned().unwrap_or_default()))
                .collect();
            if !unmet.is_empty() {
                return Ok(Err(unmet));
            }
            if !reasons.iter().any(|reason| reason.code() == Some("TransactionConflict")) {
                return Err(Error::of("TransactWriteItems", error));
            }
        }
        Err(Error::Throttled {
            operation: "TransactWriteItems",
            cause: "it met other writes six times".into(),
        })
    }
}

/// A write that shows what stands in its place if its condition is unmet.
pub(crate) fn shown(mut write: TransactWriteItem) -> TransactWriteItem {
    let all = Some(ReturnValuesOnConditionCheckFailure::AllOld);
    if let Some(put) = &mut write.put {
        put.return_values_on_condition_check_failure = all;
    } else if let Some(update) = &mut write.update {
        update.return_values_on_condition_check_failure = all;
    }
    write
}

/// An item's sort key.
pub(crate) fn sort_key(item: &Item) -> &str {
    crate::catalogue::text(item, SK).unwrap_or_default()
}
