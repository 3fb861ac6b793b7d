//! The changes of a table, as a function that follows them is given them.

use dynoxide::Database;
use serde_json::{Value, json};

use crate::Error;

/// Follows a table's stream from its beginning.
pub struct Changes {
    database: Database,
    table: String,
    next: Option<String>,
    last: Option<String>,
}

impl std::fmt::Debug for Changes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Changes").field("table", &self.table).finish_non_exhaustive()
    }
}

impl Changes {
    pub(crate) fn new(database: Database, table: &str) -> Self {
        Self { database, table: table.to_owned(), next: None, last: None }
    }

    /// The changes since the last call, oldest first, in the form in which Lambda passes them on; none if there is
    /// nothing new.
    ///
    /// # Errors
    /// [`Error::Tables`] if the table has no stream or it cannot be read.
    pub fn next_batch(&mut self) -> Result<Vec<Value>, Error> {
        let failed = |error: dynoxide::DynoxideError| Error::Tables(error.to_string());
        let iterator = match self.next.take() {
            Some(next) => next,
            None => self.beginning()?,
        };
        let ask = serde_json::from_value(json!({"ShardIterator": iterator}));
        let ask = ask.map_err(|error| Error::Tables(error.to_string()))?;
        let got = self.database.get_records(ask).map_err(failed)?;
        self.next = got.next_shard_iterator.clone().or_else(|| Some(iterator.clone()));
        self.last = Some(iterator);
        let got = serde_json::to_value(&got).map_err(|error| Error::Tables(error.to_string()))?;
        Ok(got["Records"].as_array().cloned().unwrap_or_default())
    }

    /// Gives the changes of the last call back: they come again.
    pub fn again(&mut self) {
        self.next = self.last.take();
    }

    fn beginning(&self) -> Result<String, Error> {
        let failed = |error: dynoxide::DynoxideError| Error::Tables(error.to_string());
        let unread = |error: serde_json::Error| Error::Tables(error.to_string());
        let ask = serde_json::from_value(json!({"TableName": self.table})).map_err(unread)?;
        let streams = self.database.list_streams(ask).map_err(failed)?;
        let arn = streams.streams.first().map(|stream| stream.stream_arn.clone());
        let arn = arn.ok_or_else(|| Error::Tables(format!("the table {} has no stream", self.table)))?;
        let ask = serde_json::from_value(json!({"StreamArn": arn})).map_err(unread)?;
        let described = self.database.describe_stream(ask).map_err(failed)?;
        let described = serde_json::to_value(&described).map_err(unread)?;
        let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
        let ask = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
        let ask = serde_json::from_value(ask).map_err(unread)?;
        let got = self.database.get_shard_iterator(ask).map_err(failed)?;
        got.shard_iterator.ok_or_else(|| Error::Tables("the stream has no beginning".to_owned()))
    }
}
