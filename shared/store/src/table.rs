//! The tables themselves. In AWS the template makes them; the local server makes them with this.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
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

/// Makes the tables that do not exist yet.
///
/// # Errors
/// If the store is down or refuses.
pub async fn create_tables(client: &Client, tables: &Tables) -> Result<(), Error> {
    for name in [&tables.catalog, &tables.auth, &tables.library, &tables.audit] {
        create(client, name).await?;
    }
    Ok(())
}

async fn create(client: &Client, name: &str) -> Result<(), Error> {
    let string = |attribute: &str| {
        AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(|e| Error::corrupt("table", e))
    };
    let key = |attribute: &str, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(attribute)
            .key_type(kind)
            .build()
            .map_err(|e| Error::corrupt("table", e))
    };
    let made = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(string(PK)?)
        .attribute_definitions(string(SK)?)
        .key_schema(key(PK, KeyType::Hash)?)
        .key_schema(key(SK, KeyType::Range)?)
        .send()
        .await;
    match made {
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
