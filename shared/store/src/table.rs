//! The tables themselves. In AWS the template makes them; the local server makes them with this.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, LocalSecondaryIndex,
    Projection, ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
    TimeToLiveSpecification,
};

use crate::Error;

/// The tables' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    /// Films, people, operators, lists, sync cursors: all of it can be made again.
    pub catalog: String,
    /// Credentials, sessions, one-time tokens, attempt counters, mail that waits.
    pub auth: String,
    /// What people do and say: thumbs, ratings, history, reviews, profiles.
    pub library: String,
    /// Security and data events: put only.
    pub audit: String,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            catalog: "screensort-catalog".into(),
            auth: "screensort-auth".into(),
            library: "screensort-library".into(),
            audit: "screensort-audit".into(),
        }
    }
}

/// The partition key's attribute, in every table.
pub(crate) const PK: &str = "pk";
/// The sort key's attribute, in every table.
pub(crate) const SK: &str = "sk";
/// The attribute by which items expire, in seconds since 1970.
pub(crate) const TTL: &str = "ttl";

/// The library's orders within a person's items: each index is named after the attribute that it sorts by, and
/// holds only the items that have it.
pub(crate) const ORDERS: [&str; 5] =
    ["thumb_order", "rating_order", "hidden_order", "watchlist_order", "own_order"];
/// Published reviews of a film: partition and order.
pub(crate) const BY_FILM: (&str, &str) = ("film", "film_order");
/// Reviews that wait for an editor: partition and order.
pub(crate) const BY_QUEUE: (&str, &str) = ("queue", "queue_order");

/// Makes the tables that do not exist yet.
///
/// # Errors
/// If the store is down or refuses.
pub async fn create_tables(client: &Client, tables: &Tables) -> Result<(), Error> {
    for name in [&tables.catalog, &tables.auth, &tables.audit] {
        create(client, name, false).await?;
    }
    create(client, &tables.library, true).await?;
    follow_trail(client, &tables.audit).await
}

fn string(attribute: &str) -> Result<AttributeDefinition, Error> {
    AttributeDefinition::builder()
        .attribute_name(attribute)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .map_err(|e| Error::corrupt("table", e))
}

fn keys(partition: &str, order: &str) -> Result<Vec<KeySchemaElement>, Error> {
    [(partition, KeyType::Hash), (order, KeyType::Range)]
        .into_iter()
        .map(|(attribute, kind)| {
            KeySchemaElement::builder()
                .attribute_name(attribute)
                .key_type(kind)
                .build()
                .map_err(|e| Error::corrupt("table", e))
        })
        .collect()
}

/// The trail's table has a stream of new records, also where it was made without one.
async fn follow_trail(client: &Client, name: &str) -> Result<(), Error> {
    let described = client.describe_table().table_name(name).send().await;
    let described = described.map_err(|e| Error::of("DescribeTable", e))?;
    if described.table().is_some_and(|table| table.latest_stream_arn().is_some()) {
        return Ok(());
    }
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewImage)
        .build()
        .map_err(|e| Error::corrupt("table", e))?;
    let update = client.update_table().table_name(name).stream_specification(stream);
    update.send().await.map(drop).map_err(|e| Error::of("UpdateTable", e))
}

/// The table that one of the indexes and the change stream belong to has them from the start: none of the local
/// indexes can be added later.
async fn create(client: &Client, name: &str, is_library: bool) -> Result<(), Error> {
    let mut table = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(string(PK)?)
        .attribute_definitions(string(SK)?)
        .set_key_schema(Some(keys(PK, SK)?));
    if is_library {
        let all = Projection::builder().projection_type(ProjectionType::All).build();
        for order in ORDERS {
            let index = LocalSecondaryIndex::builder()
                .index_name(order)
                .set_key_schema(Some(keys(PK, order)?))
                .projection(all.clone())
                .build()
                .map_err(|e| Error::corrupt("table", e))?;
            table = table.attribute_definitions(string(order)?).local_secondary_indexes(index);
        }
        for (partition, order) in [BY_FILM, BY_QUEUE] {
            let index = GlobalSecondaryIndex::builder()
                .index_name(order)
                .set_key_schema(Some(keys(partition, order)?))
                .projection(all.clone())
                .build()
                .map_err(|e| Error::corrupt("table", e))?;
            table = table
                .attribute_definitions(string(partition)?)
                .attribute_definitions(string(order)?)
                .global_secondary_indexes(index);
        }
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewAndOldImages)
            .build()
            .map_err(|e| Error::corrupt("table", e))?;
        table = table.stream_specification(stream);
    }
    match table.send().await {
        Ok(_) => {}
        Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => {
            return Ok(());
        }
        Err(error) => return Err(Error::of("CreateTable", error)),
    }
    let expiry = TimeToLiveSpecification::builder()
        .attribute_name(TTL)
        .enabled(true)
        .build()
        .map_err(|e| Error::corrupt("table", e))?;
    client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(expiry)
        .send()
        .await
        .map_err(|e| Error::of("UpdateTimeToLive", e))?;
    Ok(())
}
