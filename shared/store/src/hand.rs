use crate::catalogue::Item;
use crate::table::TTL;
use crate::vault::{Values, n, s};

/// Who changes something, and in which request: written beside what they change, so that whoever reads the
/// table's changes knows it.
#[derive(Debug, Clone, Copy)]
pub struct Hand<'h> {
    /// The account's id.
    pub by: &'h str,
    /// The request's id.
    pub rid: &'h str,
}

impl Hand<'_> {
    /// Signs an item that is put as a whole.
    pub(crate) fn sign(&self, item: &mut Item) {
        item.insert("by".into(), s(self.by));
        item.insert("rid".into(), s(self.rid));
    }

    /// The values of an update that says `#by = :by, rid = :rid`.
    pub(crate) fn values(&self) -> Values {
        vec![(":by", s(self.by)), (":rid", s(self.rid))]
    }

    /// What is left of an item that was deleted: that it is gone, and who did it; itself soon gone.
    pub(crate) fn tombstone(&self, mut key: Item, until: i64) -> Item {
        self.sign(&mut key);
        key.insert("gone".into(), aws_sdk_dynamodb::types::AttributeValue::Bool(true));
        key.insert(TTL.into(), n(until));
        key
    }
}

/// Whether an item was deleted and only says so.
pub(crate) fn is_gone(item: &Item) -> bool {
    item.get("gone").and_then(|value| value.as_bool().ok()).copied().unwrap_or(false)
}
