//! Networks: addresses that share their first bits.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Refused;

/// A network in CIDR notation. Its host bits are zero; an IPv4 network in IPv6 clothing is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// Networks that no caller from the internet has: nobody is to be shut out by them, or by what holds them.
const PRIVATE: [&str; 13] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
    "::/127",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
    "64:ff9b::/96",
];

impl Network {
    /// The network of the first `prefix` bits of `address`; `None` if it has fewer bits.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        let (address, prefix) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(v4)) => (IpAddr::V4(v4), prefix.checked_sub(96)?),
            (_, canonical) => (canonical, prefix),
        };
        let address = match address {
            IpAddr::V4(v4) if prefix <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) if prefix <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
            _ => return None,
        };
        Some(Self { address, prefix })
    }

    /// The smallest network that one customer has: the address itself for IPv4, its /64 for IPv6.
    pub fn of_customer(address: IpAddr) -> Option<Self> {
        let address = address.to_canonical();
        Self::new(address, if address.is_ipv4() { 32 } else { 64 })
    }

    /// Whether its addresses are IPv4 addresses.
    pub fn is_v4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether `address` lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.address.is_ipv4() && Self::new(address, self.prefix) == Some(*self)
    }

    /// Whether the two have an address in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        if self.prefix <= other.prefix { self.contains(other.address) } else { other.contains(self.address) }
    }

    /// Whether it holds addresses that nobody has on the internet.
    pub fn is_private(&self) -> bool {
        PRIVATE.iter().filter_map(|text| text.parse().ok()).any(|private: Self| self.overlaps(&private))
    }

    /// Whether it is wider than any one holder's: over a /8 of IPv4, over a /19 of IPv6.
    pub fn is_too_wide(&self) -> bool {
        self.prefix < if self.address.is_ipv4() { 8 } else { 19 }
    }
}

impl FromStr for Network {
    type Err = Refused;

    /// `203.0.113.0/24`, or an address alone. A hyphen may stand for the slash, which some proxies take for the
    /// path's.
    fn from_str(text: &str) -> Result<Self, Refused> {
        const REFUSED: Refused =
            Refused("a network is an address, a slash and a number of bits, such as 203.0.113.0/24");
        let (address, bits) = match text.split_once(['/', '-']) {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| REFUSED)?;
        let prefix = match bits {
            None if address.is_ipv4() => 32,
            None => 128,
            Some(bits) => {
                let plain =
                    bits.bytes().all(|b| b.is_ascii_digit()) && (bits == "0" || !bits.starts_with('0'));
                if plain { bits.parse().map_err(|_| REFUSED)? } else { return Err(REFUSED) }
            }
        };
        Self::new(address, prefix).ok_or(REFUSED)
    }
}

impl TryFrom<String> for Network {
    type Error = Refused;

    fn try_from(text: String) -> Result<Self, Refused> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Network {
        text.parse().unwrap_or_else(|_| panic!("{text}"))
    }

    #[test]
    fn one_network_has_one_form() {
        for (text, form) in [
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.0-24", "203.0.113.0/24"),
            ("2001:DB8::1/32", "2001:db8::/32"),
            ("::ffff:203.0.113.7/120", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(net(text).to_string(), form, "{text}");
        }
        for bad in [
            "",
            "/",
            "1.2.3.4/33",
            "1.2.3/8",
            "::/129",
            "1.2.3.4/",
            "1.2.3.4/-1",
            "1.2.3.4/08",
            "a/8",
            "1.2.3.4/8/8",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_lies_in_its_network_in_whatever_clothing() {
        assert!(net("203.0.113.0/24").contains("203.0.113.255".parse().unwrap()));
        assert!(net("203.0.113.0/24").contains("::ffff:203.0.113.9".parse().unwrap()));
        assert!(!net("203.0.113.0/24").contains("203.0.114.0".parse().unwrap()));
        assert!(!net("0.0.0.0/0").contains("::1".parse().unwrap()));
        assert!(net("2001:db8::/64").contains("2001:db8::ffff".parse().unwrap()));
    }

    #[test]
    fn what_holds_private_addresses_or_half_the_world_is_known() {
        for private in ["10.1.0.0/16", "192.168.0.1", "0.0.0.0/0", "::1", "fe80::1", "::/0", "100.64.1.1"] {
            assert!(net(private).is_private(), "{private}");
        }
        for public in ["203.0.113.0/24", "8.8.8.8", "2001:db8::/32", "11.0.0.0/8"] {
            assert!(!net(public).is_private(), "{public}");
        }
        assert!(net("96.0.0.0/7").is_too_wide() && !net("96.0.0.0/8").is_too_wide());
        assert!(net("2000::/18").is_too_wide() && !net("2000::/19").is_too_wide());
    }
}
