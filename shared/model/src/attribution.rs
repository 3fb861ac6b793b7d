//! Whom the product owes what it shows, in the words that they ask for.

/// TMDb's sentence, from its terms of use.
pub const TMDB: &str = "This product uses the TMDB API but is not endorsed or certified by TMDB.";
/// JustWatch's, wherever it is said who shows a film.
pub const JUSTWATCH: &str = "Where to watch: data by JustWatch.";
/// Where pictures are.
pub const IMAGES: &str = "https://image.tmdb.org/t/p";
