//! The operator directory: what its sources say of operators, and what was changed by hand.
//!
//! What the sync writes stays apart from what people edit or load, so that neither overwrites the other. A number
//! that every change raises tells readers whether what they hold is still the directory.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use screensort_model::{Listing, Mode, OperatorId};

use crate::audit::{Audit, Trail};
use crate::catalogue::{Catalogue, deflated, document, key, number};
use crate::hand::is_gone;
use crate::vault::{Vault, Written, n, s, sort_key};
use crate::{Error, Hand};

const DIRECTORY: &str = "DIRECTORY";
/// Apart from the directory, so that reading all of it is no reading of this.
const DIRECTORY_EDITION: &str = "DIRECTORY-EDITION";
const EDITION: &str = "EDITION";
/// Sorts behind every id.
const MODES: &str = "~MODES";

/// The whole directory.
#[derive(Debug, Default)]
pub struct Directory {
    /// Those that are shown, by name.
    pub listings: Vec<Listing>,
    /// How often each was edited that is not shown because somebody took it out.
    pub removed: BTreeMap<OperatorId, u64>,
}

impl Directory {
    /// One operator.
    pub fn get(&self, id: OperatorId) -> Option<&Listing> {
        self.listings.iter().find(|listing| listing.id == id)
    }
}

/// The directory in its table.
#[derive(Debug, Clone)]
pub struct Operators {
    vault: Vault,
    catalogue: Catalogue,
    audit: Audit,
}

impl Operators {
    /// In the catalogue's `table`; records go to `audit`.
    pub fn new(client: Client, table: &str, audit: Audit) -> Self {
        Self { vault: Vault::new(client.clone(), table), catalogue: Catalogue::new(client, table), audit }
    }

    /// A number that is another one after every change.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn edition(&self) -> Result<u64, Error> {
        let found = self.vault.get(DIRECTORY_EDITION, EDITION).await?;
        Ok(found.and_then(|item| number(&item, "edition")).unwrap_or(0))
    }

    /// Everything: the sources' operators, with what was loaded or edited in their place.
    ///
    /// # Errors
    /// If the store fails or an item cannot be read.
    pub async fn load(&self) -> Result<Directory, Error> {
        let own = self.catalogue.query(DIRECTORY, usize::MAX);
        let (sourced, own) = futures::future::try_join(self.catalogue.operators(), own).await?;
        let mut modes: BTreeMap<OperatorId, BTreeSet<Mode>> = BTreeMap::new();
        let mut all: BTreeMap<OperatorId, Listing> =
            sourced.into_iter().map(|operator| (operator.id, Listing::of(operator))).collect();
        let mut removed = BTreeMap::new();
        for item in &own {
            if sort_key(item) == MODES {
                modes = document(item, "modes")?;
                continue;
            }
            let listing: Listing = document(item, "operator")?;
            if is_gone(item) {
                all.remove(&listing.id);
                removed.insert(listing.id, listing.revision);
            } else {
                all.insert(listing.id, listing);
            }
        }
        for listing in all.values_mut().filter(|listing| listing.modes.is_empty()) {
            let shown = modes.get(&listing.id).into_iter().flatten();
            listing.modes = shown.map(|mode| (*mode).into()).collect();
        }
        let mut listings: Vec<Listing> = all.into_values().collect();
        listings.sort_by_cached_key(Listing::place);
        Ok(Directory { listings, removed })
    }

    /// Puts `listing` in the place of the revision before its own (0: never edited); with `gone` it is no longer
    /// shown. False if somebody else edited it meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn edit(
        &self,
        listing: &Listing,
        gone: bool,
        hand: &Hand<'_>,
        trail: &Trail,
    ) -> Result<bool, Error> {
        let from = listing.revision.saturating_sub(1);
        let condition = if from == 0 { "attribute_not_exists(revision)" } else { "revision = :from" };
        let mut values = vec![
            (":doc", AttributeValue::B(Blob::new(deflated(listing)?))),
            (":revision", n(listing.revision)),
            (":gone", AttributeValue::Bool(gone)),
        ];
        values.extend(hand.values());
        if from > 0 {
            values.push((":from", n(from)));
        }
        let edit = self.vault.updating(
            key(DIRECTORY, &listing.id.to_string()),
            "SET doc = :doc, revision = :revision, gone = :gone, #by = :by, rid = :rid",
            condition,
            values,
        )?;
        self.with_edition(edit, trail).await
    }

    /// Loads an operator from elsewhere. False if it was edited by hand: then it stays as it is.
    ///
    /// # Errors
    /// If the store fails; loading it again is safe.
    pub async fn take(&self, listing: &Listing, trail: &Trail) -> Result<bool, Error> {
        let taken = self.vault.updating(
            key(DIRECTORY, &listing.id.to_string()),
            "SET doc = :doc, loaded_at = :at",
            "attribute_not_exists(revision)",
            vec![
                (":doc", AttributeValue::B(Blob::new(deflated(listing)?))),
                (":at", s(listing.updated_at.to_string())),
            ],
        )?;
        self.with_edition(taken, trail).await
    }

    /// A change of an operator, the number that tells readers of it, and its record.
    async fn with_edition(&self, change: TransactWriteItem, trail: &Trail) -> Result<bool, Error> {
        let edition = self.vault.updating(
            key(DIRECTORY_EDITION, EDITION),
            "ADD edition :one",
            // Another change may have raised it; a condition that always holds.
            "attribute_not_exists(gone)",
            vec![(":one", n(1))],
        )?;
        let mut writes = vec![change, edition];
        writes.extend(self.audit.writes(trail)?);
        Ok(self.vault.transact(writes).await? == Written::Done)
    }

    /// Keeps how operators show films, as their films say, for those whose source does not say it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep_modes(&self, modes: &BTreeMap<OperatorId, BTreeSet<Mode>>) -> Result<(), Error> {
        let mut item = key(DIRECTORY, MODES);
        item.insert("doc".into(), AttributeValue::B(Blob::new(deflated(modes)?)));
        self.vault.put(item).await?;
        changed(&self.vault).await
    }
}

/// Raises the number that tells readers of a change.
pub(crate) async fn changed(vault: &Vault) -> Result<(), Error> {
    let values = vec![(":one", n(1))];
    vault.update(key(DIRECTORY_EDITION, EDITION), "ADD edition :one", None, values).await?;
    Ok(())
}
