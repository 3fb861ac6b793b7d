//! Where to watch it. The data are JustWatch's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ImagePath, Region,
    decode::{Many, Soft, whole},
    text::soft_line,
};

const MAX_OFFERS: usize = 100;
/// Links lead to TMDb's own page, which attributes JustWatch, and nowhere else.
const LINK: &str = "https://www.themoviedb.org/";

/// What a region's services offer, by the way of paying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Offers {
    /// TMDb's page about it, the only address to link to.
    pub link: Option<String>,
    /// In a subscription.
    pub flatrate: Vec<Offer>,
    /// For nothing.
    pub free: Vec<Offer>,
    /// With advertisements.
    pub ads: Vec<Offer>,
    /// For rent.
    pub rent: Vec<Offer>,
    /// For sale.
    pub buy: Vec<Offer>,
}

/// A service that offers a film.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offer {
    /// TMDb's id of the service.
    pub provider_id: u32,
    /// Its name.
    pub provider_name: String,
    /// Its logo.
    pub logo_path: Option<ImagePath>,
    /// Its place, lowest first.
    pub display_priority: u32,
}

#[derive(Default, Deserialize)]
pub(super) struct Wire {
    results: BTreeMap<String, Soft<WireOffers>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireOffers {
    link: Soft<String>,
    flatrate: Many<WireOffer>,
    free: Many<WireOffer>,
    ads: Many<WireOffer>,
    rent: Many<WireOffer>,
    buy: Many<WireOffer>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireOffer {
    provider_id: Soft<f64>,
    provider_name: Soft<String>,
    logo_path: Soft<String>,
    display_priority: Soft<f64>,
}

/// The offers per region; a region without any is left out.
pub(super) fn read(wire: Wire) -> BTreeMap<Region, Offers> {
    let region = |wire: WireOffers| Offers {
        link: wire.link.0.filter(|link| is_safe(link)),
        flatrate: offers(wire.flatrate),
        free: offers(wire.free),
        ads: offers(wire.ads),
        rent: offers(wire.rent),
        buy: offers(wire.buy),
    };
    let any = |offers: &Offers| {
        [&offers.flatrate, &offers.free, &offers.ads, &offers.rent, &offers.buy]
            .iter()
            .any(|list| !list.is_empty())
    };
    wire.results
        .into_iter()
        .filter_map(|(name, offers)| Some((Region::parse(&name)?, region(offers.0?))))
        .filter(|(_, offers)| any(offers))
        .collect()
}

fn offers(list: Many<WireOffer>) -> Vec<Offer> {
    let offer = |wire: WireOffer| {
        Some(Offer {
            provider_id: whole(wire.provider_id, u32::MAX)?,
            provider_name: Some(soft_line(wire.provider_name, 200)).filter(|name| !name.is_empty())?,
            logo_path: ImagePath::soft(&wire.logo_path),
            display_priority: whole(wire.display_priority, u32::MAX).unwrap_or(u32::MAX),
        })
    };
    let mut offers: Vec<_> = list.0.into_iter().filter_map(offer).take(MAX_OFFERS).collect();
    offers.sort_by_key(|offer| offer.display_priority);
    offers
}

fn is_safe(link: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~?=&%".contains(&byte);
    link.len() <= 500 && link.strip_prefix(LINK).is_some_and(|rest| rest.bytes().all(safe))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_in_order_and_links_stay_at_tmdb() {
        let json = r#"{"results": {
            "US": {"link": "https://www.themoviedb.org/movie/550-fight-club/watch?locale=US", "flatrate": [
                {"provider_id": 9, "provider_name": "B", "display_priority": 5},
                {"provider_id": 8, "provider_name": "A", "display_priority": 1, "logo_path": "/a.jpg"},
                {"provider_id": 7, "provider_name": ""}, {"provider_name": "C"}]},
            "DE": {"link": "https://www.themoviedb.org.evil.example/", "buy": [{"provider_id": 2, "provider_name": "D"}]},
            "FR": {"link": "https://www.themoviedb.org/x", "rent": []},
            "nowhere": {"buy": [{"provider_id": 2, "provider_name": "D"}]}, "GB": null}}"#;
        let watch = read(serde_json::from_str(json).unwrap());
        let regions: Vec<_> = watch.keys().map(Region::as_str).collect();
        assert_eq!(regions, ["DE", "US"]);
        let ids = |offers: &[Offer]| offers.iter().map(|offer| offer.provider_id).collect::<Vec<_>>();
        let us = &watch[&Region::parse("US").unwrap()];
        assert_eq!(ids(&us.flatrate), [8, 9]);
        assert!(us.link.is_some());
        assert_eq!(watch[&Region::parse("DE").unwrap()].link, None);
    }

    #[test]
    fn a_link_holds_nothing_that_could_leave_an_attribute() {
        for bad in [
            "https://www.themoviedb.org/\"onclick=",
            "javascript:alert(1)",
            "http://www.themoviedb.org/",
            "https://www.themoviedb.org/a b",
        ] {
            assert!(!is_safe(bad), "{bad}");
        }
    }
}
