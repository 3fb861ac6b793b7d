//! What somebody asked the directory, kept for those who want it kept.

use std::collections::BTreeMap;

use screensort_http::{Problem, Who};
use screensort_runtime::Stack;
use screensort_store::{Directory, Hand, Query};
use std::sync::Arc;

/// Filters that say where a page begins, not what was asked.
const PAGING: [&str; 2] = ["limit", "cursor"];

/// A query as it was put.
#[derive(Debug)]
pub(crate) struct Asked {
    path: String,
    parameters: BTreeMap<String, String>,
    request_id: String,
    /// A later page of the same query is no other query.
    is_first_page: bool,
}

impl Asked {
    pub(crate) fn of(request: &screensort_http::Incoming) -> Self {
        let asked = request.query.iter().filter(|(name, _)| !PAGING.contains(&name.as_str()));
        Self {
            path: request.path.clone(),
            parameters: asked.cloned().collect(),
            request_id: request.request_id.clone(),
            is_first_page: request.query.iter().all(|(name, _)| name != "cursor"),
        }
    }

    /// The directory, read at the same time as whether `who` wants their queries kept.
    pub(crate) async fn directory(
        &self,
        stack: &Stack,
        who: &Who,
    ) -> Result<(Arc<Directory>, bool), Problem> {
        let kept = async {
            match who {
                Who::Person(person) if self.is_first_page => {
                    Ok(stack.queries().are_kept(person.id()).await?)
                }
                _ => Ok(false),
            }
        };
        futures::future::try_join(stack.directory(), kept).await
    }

    /// Keeps it.
    pub(crate) async fn keep(&self, stack: &Stack, who: &Who, found: usize) -> Result<(), Problem> {
        let now = stack.clock().now();
        let query = Query {
            asked_at: now,
            path: self.path.clone(),
            parameters: self.parameters.clone(),
            found: u64::try_from(found).unwrap_or(u64::MAX),
        };
        let hand = Hand { by: who.id(), rid: &self.request_id };
        Ok(stack.queries().note(who.id(), &stack.new_id()?, &query, &hand).await?)
    }
}
