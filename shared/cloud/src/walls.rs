//! The firewall (WAFv2): two sets of addresses, and of its calls the two that the product makes. Kept in memory: the
//! job that fills the sets does so again within a minute.
//!
//! Written here because the crate that would fit brings a parser of firewall rules along, and because a test has to
//! make somebody else change a set in between.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use winterbaume_core::{MockRequest, MockResponse};

use crate::{ACCOUNT, REGION};

/// The most addresses that a set holds.
const MOST: usize = 10_000;
/// Name, id and version of what there is.
const SETS: [(&str, &str, &str); 2] = [
    ("screensort-blocked-v4", "11111111-1111-4111-8111-111111111111", "IPV4"),
    ("screensort-blocked-v6", "22222222-2222-4222-8222-222222222222", "IPV6"),
];

/// One set.
#[derive(Debug, Default)]
struct Set {
    addresses: Vec<String>,
    /// Another one after every change.
    edition: u64,
}

#[derive(Debug, Default)]
struct State {
    sets: BTreeMap<&'static str, Set>,
    /// So many updates more meet a change of somebody else's.
    conflicts: u32,
}

/// The firewall.
#[derive(Debug, Default)]
pub(crate) struct Walls(Mutex<State>);

impl Walls {
    /// The sets' ARNs: IPv4, IPv6.
    pub(crate) fn arns() -> [String; 2] {
        SETS.map(|(name, id, _)| format!("arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/ipset/{name}/{id}"))
    }

    /// What the sets hold: IPv4, IPv6.
    pub(crate) fn held(&self) -> [Vec<String>; 2] {
        let state = self.state();
        SETS.map(|(name, ..)| state.sets.get(name).map(|set| set.addresses.clone()).unwrap_or_default())
    }

    /// Makes the next `times` updates meet a change of somebody else's.
    pub(crate) fn meddle(&self, times: u32) {
        self.state().conflicts = times;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a call.
    pub(crate) fn handle(&self, request: &MockRequest) -> MockResponse {
        let target = request.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let named = |(name, id, _): &&(&'static str, &'static str, &'static str)| {
            body["Name"] == *name && body["Id"] == *id && body["Scope"] == "REGIONAL"
        };
        let Some((name, id, version)) = SETS.iter().find(named) else {
            return refused("WAFNonexistentItemException");
        };
        let mut state = self.state();
        match target {
            Some("AWSWAF_20190729.GetIPSet") => {
                let set = state.sets.entry(name).or_default();
                answered(&json!({
                    "IPSet": {
                        "Name": name, "Id": id, "ARN": Self::arns()[usize::from(*version == "IPV6")],
                        "IPAddressVersion": version, "Addresses": set.addresses,
                    },
                    "LockToken": set.edition.to_string(),
                }))
            }
            Some("AWSWAF_20190729.UpdateIPSet") => {
                let meddled = state.conflicts > 0;
                state.conflicts = state.conflicts.saturating_sub(1);
                let set = state.sets.entry(name).or_default();
                set.edition += u64::from(meddled);
                let now = set.edition.to_string();
                if body["LockToken"].as_str() != Some(now.as_str()) {
                    return refused("WAFOptimisticLockException");
                }
                let Some(addresses) = addresses(&body["Addresses"], version) else {
                    return refused("WAFInvalidParameterException");
                };
                if addresses.len() > MOST {
                    return refused("WAFLimitsExceededException");
                }
                set.addresses = addresses;
                set.edition += 1;
                answered(&json!({ "NextLockToken": set.edition.to_string() }))
            }
            _ => refused("WAFInvalidOperationException"),
        }
    }
}

/// The addresses of an update, if all are CIDR blocks of the set's version and not the whole internet.
fn addresses(given: &Value, version: &str) -> Option<Vec<String>> {
    let fits = |text: &str| {
        let (address, bits) = text.split_once('/')?;
        let address: std::net::IpAddr = address.parse().ok()?;
        let bits: u8 = bits.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (address.is_ipv4() == (version == "IPV4") && (1..=most).contains(&bits)).then(|| text.to_owned())
    };
    given.as_array()?.iter().map(|one| one.as_str().and_then(fits)).collect()
}

fn answered(body: &Value) -> MockResponse {
    with(200, body)
}

fn refused(code: &str) -> MockResponse {
    with(400, &json!({ "__type": code, "message": code }))
}

fn with(status: u16, body: &Value) -> MockResponse {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.1"));
    MockResponse { status, headers, body: body.to_string().into() }
}
