//! The firewall's sets of addresses, which hold what the blocklist says, so that the gateway turns a shut-out caller
//! away before any function runs. Only the job that feeds the list asks for this.

use std::collections::BTreeSet;
use std::str::FromStr;
use std::time::Duration;

use aws_sdk_wafv2::Client;
use aws_sdk_wafv2::types::Scope;
use screensort_model::Network;

use crate::{Stack, client};

/// The most addresses that a set holds.
const MOST: usize = 10_000;
/// How often a set is read again because somebody else changed it meanwhile.
const MEETINGS: u32 = 6;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the firewall does not hold what it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It refused or did not answer.
    #[error("the firewall's set of addresses {0} cannot be used")]
    Refused(String, #[source] Cause),
    /// Others changed the set again and again.
    #[error("the firewall's set of addresses {0} was changed by somebody else {MEETINGS} times")]
    Contended(String),
}

/// A set of addresses, as its ARN names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressSet {
    name: String,
    id: String,
    scope: Scope,
}

impl FromStr for AddressSet {
    type Err = ();

    /// `arn:aws:wafv2:REGION:ACCOUNT:regional/ipset/NAME/ID`.
    fn from_str(arn: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", _, "wafv2", _, _, resource] = parts[..] else { return Err(()) };
        let path: Vec<&str> = resource.split('/').collect();
        let [scope, "ipset", name, id] = path[..] else { return Err(()) };
        let scope = match scope {
            "regional" => Scope::Regional,
            "global" => Scope::Cloudfront,
            _ => return Err(()),
        };
        if name.is_empty() || id.is_empty() {
            return Err(());
        }
        Ok(Self { name: name.to_owned(), id: id.to_owned(), scope })
    }
}

/// The two sets: a set holds addresses of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressSets {
    /// Of IPv4.
    pub v4: AddressSet,
    /// Of IPv6.
    pub v6: AddressSet,
}

/// What became of the sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mirrored {
    /// Networks that the sets hold now.
    pub held: usize,
    /// Sets that were changed.
    pub changed: usize,
    /// Networks that no set has room for.
    pub left_out: usize,
}

/// The firewall.
pub struct Firewall {
    client: Client,
    sets: AddressSets,
}

impl Stack {
    /// The firewall, if the settings name its sets.
    pub fn firewall(&self) -> Option<Firewall> {
        // Built anew by each run, so that no binary but the job's links it.
        let sets = self.settings().address_sets.clone()?;
        Some(Firewall { client: client::firewall(self.settings(), self.http()), sets })
    }
}

impl Firewall {
    /// Makes the sets hold `networks` and nothing else. Of more than a set holds, the first ones stay.
    ///
    /// # Errors
    /// If the firewall refuses; the sets hold what they held, or one of them already what it should.
    pub async fn hold(&self, networks: &[Network]) -> Result<Mirrored, Error> {
        let mut done = Mirrored::default();
        for (set, is_v4) in [(&self.sets.v4, true), (&self.sets.v6, false)] {
            let fitting = networks.iter().filter(|network| network.is_v4() == is_v4);
            let all: Vec<String> = fitting.map(ToString::to_string).collect();
            let wanted: BTreeSet<&str> = all.iter().take(MOST).map(String::as_str).collect();
            done.held += wanted.len();
            done.left_out += all.len().saturating_sub(MOST);
            done.changed += usize::from(self.set(set, &wanted).await?);
        }
        Ok(done)
    }

    /// Makes a set hold `wanted`; says whether it held something else.
    async fn set(&self, set: &AddressSet, wanted: &BTreeSet<&str>) -> Result<bool, Error> {
        let refused = |cause: Cause| Error::Refused(set.name.clone(), cause);
        for meeting in 0..MEETINGS {
            if meeting > 0 {
                tokio::time::sleep(Duration::from_millis(20 << meeting)).await;
            }
            let get = self.client.get_ip_set().name(&set.name).id(&set.id).scope(set.scope.clone());
            let there = get.send().await.map_err(|e| refused(Box::new(e)))?;
            let held = there.ip_set().map(|set| set.addresses()).unwrap_or_default();
            // The firewall may write an address otherwise than we do.
            let held: BTreeSet<Option<Network>> = held.iter().map(|text| text.parse().ok()).collect();
            if held == wanted.iter().map(|text| text.parse().ok()).collect() {
                return Ok(false);
            }
            let update = self
                .client
                .update_ip_set()
                .name(&set.name)
                .id(&set.id)
                .scope(set.scope.clone())
                .set_lock_token(there.lock_token)
                .set_addresses(Some(wanted.iter().map(|text| (*text).to_owned()).collect()));
            match update.send().await {
                Ok(_) => return Ok(true),
                // Changed since it was read: it is read again.
                Err(e) if e.as_service_error().is_some_and(|e| e.is_waf_optimistic_lock_exception()) => {}
                Err(e) => return Err(refused(Box::new(e))),
            }
        }
        Err(Error::Contended(set.name.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_named_by_its_arn() {
        let arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/ipset/screensort-blocked-v4/0a1b";
        let set: AddressSet = arn.parse().unwrap();
        assert_eq!((set.name.as_str(), set.id.as_str()), ("screensort-blocked-v4", "0a1b"));
        assert_eq!(set.scope, Scope::Regional);
        let global = "arn:aws-cn:wafv2:us-east-1:1:global/ipset/a/b".parse::<AddressSet>().unwrap();
        assert_eq!(global.scope, Scope::Cloudfront);
        for bad in [
            "",
            "a/b",
            "arn:aws:wafv2:r:1:regional/webacl/a/b",
            "arn:aws:wafv2:r:1:regional/ipset//b",
            "arn:aws:s3:r:1:regional/ipset/a/b",
            "arn:aws:wafv2:r:1:local/ipset/a/b",
        ] {
            assert!(bad.parse::<AddressSet>().is_err(), "{bad}");
        }
    }
}
