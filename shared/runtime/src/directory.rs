//! What handlers about operators and links need: their tables, and the directory in memory.

use std::sync::Arc;

use screensort_http::Problem;
use screensort_store::{Directory, Favourites, Links, Operators, Queries};
use tokio::sync::Mutex;

use crate::Stack;

/// The directory as it was read, and which edition that was.
pub(crate) type Held = Mutex<Option<(u64, Arc<Directory>)>>;

impl Stack {
    /// The operator directory in its table.
    pub fn operators(&self) -> Operators {
        Operators::new(self.dynamodb().clone(), &self.settings().tables.catalog, self.trail_table())
    }

    /// The directory, as it is now. One small read tells whether what is held still is; it is read again only
    /// after a change.
    ///
    /// # Errors
    /// 503 if the store fails.
    pub async fn directory(&self) -> Result<Arc<Directory>, Problem> {
        let operators = self.operators();
        self.needs("dynamodb:Query", || self.settings().tables.catalog.clone());
        // The number first: a change in between makes the next call read again, never the other way round.
        let edition = operators.edition().await?;
        let mut held = self.held().lock().await;
        if let Some((of, directory)) = held.as_ref()
            && *of == edition
        {
            return Ok(Arc::clone(directory));
        }
        let directory = Arc::new(operators.load().await?);
        *held = Some((edition, Arc::clone(&directory)));
        Ok(directory)
    }

    /// What people asked the directory.
    pub fn queries(&self) -> Queries {
        Queries::new(self.dynamodb().clone(), &self.settings().tables.library)
    }

    /// Favourite operators.
    pub fn favourites(&self) -> Favourites {
        Favourites::new(self.dynamodb().clone(), &self.settings().tables.library)
    }

    /// Links between accounts.
    pub fn links(&self) -> Links {
        let tables = &self.settings().tables;
        Links::new(self.dynamodb().clone(), &tables.library, &tables.auth, self.trail_table())
    }
}
