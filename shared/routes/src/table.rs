//! The table itself. A new endpoint starts here: the tests then name every part that is still missing.

use http::Method;

use crate::{Access, Area, Caching, Quota, Route};

macro_rules! routes {
    ($($name:ident: $method:ident $path:literal => $area:ident/$binary:literal, $access:ident, $quota:ident,
       $caching:ident, $summary:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($method), " ", $path, "`: ", $summary)]
            pub const $name: &Route = &Route {
                method: Method::$method,
                path: $path,
                binary: $binary,
                area: Area::$area,
                access: Access::$access,
                quota: Quota::$quota,
                caching: Caching::$caching,
                summary: $summary,
            };
        )*

        /// Every route of the product.
        pub const TABLE: &[&Route] = &[$($name),*];
    };
}

routes! {
    MOVIES: GET "/movies" => Movies/"movies", Anyone, Read, Catalogue,
        "Browse films by filters, in one of five orders.";
    MOVIE: GET "/movies/{id}" => Movies/"movie", Anyone, Read, Catalogue,
        "One film with everything known of it.";
    SIMILAR: GET "/movies/{id}/similar" => Movies/"similar", Anyone, Read, Catalogue,
        "Films with the same genres, keywords and people.";
    MOVIE_OPERATORS: GET "/movies/{id}/operators" => Movies/"movie_operators", Anyone, Read, Catalogue,
        "Who shows a film in a region, by mode.";
    TRENDING: GET "/trending" => Movies/"trending", Anyone, Read, Catalogue,
        "The films most looked at today or this week.";
    SEARCH: GET "/search" => Movies/"search", Anyone, Read, Catalogue,
        "Find films, people and operators by name, typing errors forgiven.";
    SUGGEST: GET "/search/suggest" => Movies/"suggest", Anyone, Read, Catalogue,
        "Up to eight completions of what is being typed.";
    GENRES: GET "/genres" => Movies/"genres", Anyone, Read, Catalogue,
        "The genres, age ratings, languages and regions that filters take.";
    PERSON: GET "/people/{id}" => Movies/"person", Anyone, Read, Catalogue,
        "A person and the films they made.";
    HEALTH: GET "/health" => System/"health", Anyone, Free, NoStore,
        "Whether the product is up.";
    ABOUT: GET "/about" => System/"about", Anyone, Free, Document,
        "Version and attribution.";
    OPENAPI: GET "/openapi.json" => System/"openapi", Anyone, Free, Document,
        "This reference as an OpenAPI 3.1 document.";
    DOCS: GET "/docs" => System/"docs", Anyone, Free, Document,
        "This reference as a page to read and try.";
    DOCS_ASSET: GET "/docs/{asset}" => System/"docs", Anyone, Free, Document,
        "A file of the reference page.";
    PROBLEM: GET "/problems/{code}" => System/"problem", Anyone, Free, Document,
        "What a problem's type means and what to do about it.";
    SECURITY_TXT: GET "/.well-known/security.txt" => System/"security_txt", Anyone, Free, Document,
        "Where to report a weakness (RFC 9116).";
}
