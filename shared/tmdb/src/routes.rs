//! What can be asked: one method per route.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    Client, Error, Genre, Language, MovieDetails, Region, Rule,
    decode::{Many, Soft, answer},
    exchange::{Answer, Ask, status_code},
    film::{self, MOVIE},
    lists::{self, CertificationRating, Images, MovieSummary, Page, WatchProvider, WatchRegion},
};

/// The last page TMDb serves.
pub const MAX_PAGE: u32 = 500;

/// An answer about one thing that may be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched<T> {
    /// It is there.
    Found(T),
    /// TMDb says, in its own words and not just by a status, that it does not exist: removed, or merged into another
    /// id. A proxy's 404 is an error instead.
    Gone,
}

impl<T> Fetched<T> {
    /// The thing, if it is there.
    #[must_use]
    pub fn found(self) -> Option<T> {
        match self {
            Self::Found(thing) => Some(thing),
            Self::Gone => None,
        }
    }
}

/// The period a trend is measured over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrendWindow {
    /// The last day.
    Day,
    /// The last week.
    Week,
}

/// TMDb's standing lists of films.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovieList {
    /// In cinemas now.
    NowPlaying,
    /// In cinemas soon.
    Upcoming,
    /// By popularity.
    Popular,
    /// By votes.
    TopRated,
}

impl MovieList {
    fn route(self) -> (&'static str, &'static str) {
        match self {
            Self::NowPlaying => ("/movie/now_playing", "now_playing"),
            Self::Upcoming => ("/movie/upcoming", "upcoming"),
            Self::Popular => ("/movie/popular", "popular"),
            Self::TopRated => ("/movie/top_rated", "top_rated"),
        }
    }
}

/// Every method fails with the causes of [`Error`]; transient ones have been retried by then.
impl Client {
    /// Asks TMDb whether the key is good.
    ///
    /// # Errors
    /// [`Error::KeyRejected`] when it is not.
    pub async fn check_key(&self) -> Result<(), Error> {
        #[derive(Deserialize)]
        struct Body {
            success: bool,
        }
        let route = "/authentication";
        let body: Body = self.ask_list(route, &["authentication"], &[]).await?;
        if body.success {
            Ok(())
        } else {
            Err(Error::BadAnswer { route, why: "it is no success".to_owned() })
        }
    }

    /// Everything the product needs about a film, in one request: about 165 to 375 KB of JSON, fetched compressed.
    ///
    /// # Errors
    /// Also [`Error::BadAnswer`] when the answer is about another film.
    pub async fn movie(&self, id: u32) -> Result<Fetched<MovieDetails>, Error> {
        if id == 0 {
            return Err(Error::BadQuestion(Rule::Id));
        }
        let parts = film::parts(self.shared.translations);
        let ask = self.ask(MOVIE, &["movie", &id.to_string()], &[("append_to_response", &parts.join(","))]);
        let limit = self.shared.limits.detail;
        let found = self
            .fetch(&ask, limit, |answer| match (answer.status, status_code(&answer.body)) {
                (404, Some(6 | 34)) => Ok(Fetched::Gone),
                (404, code) => Err(Error::Refused { route: MOVIE, status: 404, code }),
                _ => film::read(id, &answer.body, &parts).map(Fetched::Found),
            })
            .await?;
        if let Fetched::Found(film) = &found
            && !film.absent.is_empty()
        {
            tracing::warn!(name: "tmdb.drift", route = MOVIE, absent = film.absent.join(","), "tmdb.drift");
        }
        Ok(found)
    }

    /// A page of the films that are talked about. 20 a page.
    ///
    /// # Errors
    /// [`Rule::Page`] for a page outside 1 to 500.
    pub async fn trending(&self, window: TrendWindow, page: u32) -> Result<Page<MovieSummary>, Error> {
        let (route, window) = match window {
            TrendWindow::Day => ("/trending/movie/day", "day"),
            TrendWindow::Week => ("/trending/movie/week", "week"),
        };
        self.page(route, &["trending", "movie", window], &[], page, lists::summary).await
    }

    /// A page of one of the standing lists. 20 a page.
    ///
    /// # Errors
    /// [`Rule::Page`] for a page outside 1 to 500.
    pub async fn list(&self, list: MovieList, page: u32) -> Result<Page<MovieSummary>, Error> {
        let (route, name) = list.route();
        self.page(route, &["movie", name], &[], page, lists::summary).await
    }

    /// The film genres with their names in a language.
    ///
    /// # Errors
    /// As all methods.
    pub async fn genres(&self, language: &Language) -> Result<Vec<Genre>, Error> {
        #[derive(Deserialize)]
        struct Body {
            genres: Vec<Soft<film::WireNamed>>,
        }
        let path = ["genre", "movie", "list"];
        let body: Body =
            self.ask_list("/genre/movie/list", &path, &[("language", language.as_str())]).await?;
        Ok(film::genres(Many(body.genres.into_iter().filter_map(|genre| genre.0).collect())))
    }

    /// The age ratings for films in every region, in the region's own order, mildest first.
    ///
    /// # Errors
    /// As all methods.
    pub async fn certifications(&self) -> Result<BTreeMap<Region, Vec<CertificationRating>>, Error> {
        #[derive(Deserialize)]
        struct Body {
            certifications: BTreeMap<String, Many<lists::WireCertification>>,
        }
        let path = ["certification", "movie", "list"];
        let body: Body = self.ask_list("/certification/movie/list", &path, &[]).await?;
        Ok(lists::certifications(body.certifications))
    }

    /// The services that stream, rent or sell films: all, or those of a region.
    ///
    /// # Errors
    /// As all methods.
    pub async fn watch_providers(&self, region: Option<&Region>) -> Result<Vec<WatchProvider>, Error> {
        let query: Vec<_> = region.map(|region| ("watch_region", region.as_str())).into_iter().collect();
        let path = ["watch", "providers", "movie"];
        let body: Results<lists::WireProvider> =
            self.ask_list("/watch/providers/movie", &path, &query).await?;
        Ok(body.good().filter_map(lists::provider).collect())
    }

    /// The regions that have watch providers.
    ///
    /// # Errors
    /// As all methods.
    pub async fn watch_regions(&self) -> Result<Vec<WatchRegion>, Error> {
        let path = ["watch", "providers", "regions"];
        let body: Results<lists::WireRegion> = self.ask_list("/watch/providers/regions", &path, &[]).await?;
        Ok(body.good().filter_map(lists::region).collect())
    }

    /// Where images are and in which sizes.
    ///
    /// # Errors
    /// Also [`Error::BadAnswer`] when the image host is not an `https` address.
    pub async fn configuration(&self) -> Result<Images, Error> {
        let route = "/configuration";
        let body: lists::WireConfiguration = self.ask_list(route, &["configuration"], &[]).await?;
        lists::images(body).ok_or_else(|| Error::BadAnswer {
            route,
            why: "its image host is not an https address".to_owned(),
        })
    }

    /// A page of any paged route.
    pub(crate) async fn page<W, T>(
        &self,
        route: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
        page: u32,
        read: fn(W) -> Option<T>,
    ) -> Result<Page<T>, Error>
    where
        W: serde::de::DeserializeOwned,
    {
        if page == 0 || page > MAX_PAGE {
            return Err(Error::BadQuestion(Rule::Page));
        }
        let number = page.to_string();
        let query = [query, &[("page", number.as_str())]].concat();
        let body: lists::WirePage<W> = self.ask_list(route, path, &query).await?;
        if body.page != page {
            return Err(Error::BadAnswer {
                route,
                why: format!("asked for page {page}, it is page {}", body.page),
            });
        }
        Ok(lists::page(body, read))
    }

    /// Any route whose 404 is a mistake of ours.
    async fn ask_list<T: serde::de::DeserializeOwned>(
        &self,
        route: &'static str,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<T, Error> {
        let ask = self.ask(route, path, query);
        let read = |found: &Answer| match found.status {
            404 => Err(Error::Refused { route, status: 404, code: status_code(&found.body) }),
            _ => answer(route, &found.body),
        };
        self.fetch(&ask, self.shared.limits.list, read).await
    }

    fn ask(&self, route: &'static str, path: &[&str], query: &[(&str, &str)]) -> Ask {
        let mut url = self.shared.base.clone();
        // `endpoint` accepted http and https only, and these have segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let key = Some(self.shared.key.clone());
        Ask { route, url, key, accept: "application/json", encoding: "gzip" }
    }
}

/// `{"results": [...]}`: the list must be there, its elements may drift.
#[derive(Deserialize)]
#[serde(bound = "T: serde::de::DeserializeOwned")]
struct Results<T> {
    results: Vec<Soft<T>>,
}

impl<T> Results<T> {
    fn good(self) -> impl Iterator<Item = T> {
        self.results.into_iter().filter_map(|item| item.0)
    }
}
