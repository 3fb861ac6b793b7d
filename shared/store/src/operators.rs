//! The operator directory: what its sources say of operators, and what was changed by hand.
//!
//! What the sync writes stays apart from what people edit or load, so that neither overwrites the other. A number
//! that every change raises tells readers whether what they hold is still the directory.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use screensort_model::{Listing, Mode, OperatorId};

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
}

impl Operators {
    /// In the catalogue's `table`.
    pub fn new(client: Client, table: &str) -> Self {
        Self { vault: Vault::new(client.clone(), table), catalogue: Catalogue::new(client, table) }
    }

    /// A number that is another one after every change.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn edition(&self) -> Result<u64, Error> {
        let found = self.vault.get(DIRECTORY_EDITION, EDITION).await?;
        Ok(found.and_then(|item| number(&item, "edition")).unwrap_or(0))
    }

    /// Raises that number.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn changed(&self) -> Result<(), Error> {
        let values = vec![(":one", n(1))];
        self.vault.update(key(DIRECTORY_EDITION, EDITION), "ADD edition :one", None, values).await?;
        Ok(())
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

    /// Puts `listing` in the place of revision `from` (0: never edited); with `gone` it is no longer shown. False if somebody else
    /// edited it meanwhile.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn edit(
        &self,
        listing: &Listing,
        from: u64,
        gone: bool,
        hand: &Hand<'_>,
    ) -> Result<bool, Error> {
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
        let edition = self.vault.updating(
            key(DIRECTORY_EDITION, EDITION),
            "ADD edition :one",
            // Another edit may have raised it; a condition that always holds.
            "attribute_not_exists(gone)",
            vec![(":one", n(1))],
        )?;
        Ok(self.vault.transact(vec![edit, edition]).await? == Written::Done)
    }

    /// Loads operators from elsewhere. Those that were edited by hand stay as they are; says how many were
    /// loaded.
    ///
    /// # Errors
    /// If the store fails; what was loaded until then stays, and loading again is safe.
    pub async fn load_all(&self, listings: &[Listing]) -> Result<usize, Error> {
        let mut loaded = 0;
        for listing in listings {
            let kept = self
                .vault
                .update(
                    key(DIRECTORY, &listing.id.to_string()),
                    "SET doc = :doc, loaded_at = :at",
                    Some("attribute_not_exists(revision)"),
                    vec![
                        (":doc", AttributeValue::B(Blob::new(deflated(listing)?))),
                        (":at", s(listing.updated_at.to_string())),
                    ],
                )
                .await?;
            loaded += usize::from(kept.is_some());
        }
        self.changed().await?;
        Ok(loaded)
    }

    /// Keeps how operators show films, as their films say, for those whose source does not say it.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn keep_modes(&self, modes: &BTreeMap<OperatorId, BTreeSet<Mode>>) -> Result<(), Error> {
        let mut item = key(DIRECTORY, MODES);
        item.insert("doc".into(), AttributeValue::B(Blob::new(deflated(modes)?)));
        self.vault.put(item).await?;
        self.changed().await
    }
}
