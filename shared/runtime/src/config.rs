//! Configuration: read once, from the environment, by name.

use std::fmt;

use screensort_store::Tables;

/// Why the configuration is unusable. The text names the variable and never its value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Needed and not there.
    #[error("{0} is not set: it is needed, see docs/configuration.md")]
    Missing(&'static str),
    /// There and not usable.
    #[error("{0} is not usable: {1}")]
    Bad(&'static str, &'static str),
}

/// AWS credentials, which never print.
#[derive(Clone)]
pub struct Credentials {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token, as Lambda has one.
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// Requests a second that TMDb is asked for unless another number is set: half of what it allows.
pub const TMDB_RATE: u32 = 20;

/// Everything that differs between two places where the product runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// AWS region.
    pub region: String,
    /// AWS credentials.
    pub credentials: Credentials,
    /// DynamoDB's address where it is not AWS's own.
    pub dynamodb_url: Option<String>,
    /// The other services' address where it is not AWS's own.
    pub services_url: Option<String>,
    /// The tables' names.
    pub tables: Tables,
    /// The bucket with the catalogue and the model.
    pub artifacts_bucket: String,
    /// The secret with the keys of cursors: JSON with `current` and perhaps `previous`.
    pub cursor_secret: String,
    /// The secret with TMDb's token: the token itself, or JSON with `token`.
    pub tmdb_secret: String,
    /// TMDb's address where it is not TMDb's own.
    pub tmdb_url: Option<String>,
    /// The address of TMDb's daily exports where it is not TMDb's own.
    pub tmdb_exports_url: Option<String>,
    /// Requests a second that TMDb is asked for, 1 to 40.
    pub tmdb_requests_per_second: u32,
    /// Origins that browsers may call from; never `*`.
    pub cors_origins: Vec<String>,
    /// Where to report a weakness: a `mailto:` or `https:` address.
    pub security_contact: String,
}

impl Settings {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// Names the first variable that is missing or unusable.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub fn from_environment() -> Result<Self, Error> {
        Self::from_lookup(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// Reads from `get`, by the variables' names.
    ///
    /// # Errors
    /// Names the first variable that is missing or unusable.
    pub fn from_lookup(get: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let need = |name: &'static str| get(name).ok_or(Error::Missing(name));
        let url = |name: &'static str| match get(name) {
            Some(url) if url.starts_with("https://") || url.starts_with("http://") => Ok(Some(url)),
            Some(_) => Err(Error::Bad(name, "not an http or https address")),
            None => Ok(None),
        };
        let services_url = url("AWS_ENDPOINT_URL")?;
        let cors_origins: Vec<String> = get("SCREENSORT_CORS_ORIGINS")
            .map(|list| list.split(',').map(|o| o.trim().to_owned()).filter(|o| !o.is_empty()).collect())
            .unwrap_or_default();
        if cors_origins.iter().any(|o| o == "*" || o == "null" || !o.contains("://")) {
            return Err(Error::Bad(
                "SCREENSORT_CORS_ORIGINS",
                "exact origins only, such as https://app.example.org",
            ));
        }
        Ok(Self {
            region: need("AWS_REGION")?,
            credentials: Credentials {
                access_key: need("AWS_ACCESS_KEY_ID")?,
                secret_key: need("AWS_SECRET_ACCESS_KEY")?,
                session_token: get("AWS_SESSION_TOKEN"),
            },
            dynamodb_url: url("AWS_ENDPOINT_URL_DYNAMODB")?.or_else(|| services_url.clone()),
            services_url,
            tables: Tables { catalog: need("SCREENSORT_TABLE_CATALOG")? },
            artifacts_bucket: need("SCREENSORT_BUCKET_ARTIFACTS")?,
            cursor_secret: get("SCREENSORT_SECRET_CURSOR").unwrap_or_else(|| "screensort/cursor".into()),
            tmdb_secret: get("SCREENSORT_SECRET_TMDB").unwrap_or_else(|| "screensort/tmdb".into()),
            tmdb_url: url("TMDB_BASE_URL")?,
            tmdb_exports_url: url("TMDB_EXPORTS_URL")?,
            tmdb_requests_per_second: match get("SCREENSORT_TMDB_RATE") {
                None => TMDB_RATE,
                Some(rate) => rate
                    .parse()
                    .ok()
                    .filter(|rate| (1..=40).contains(rate))
                    .ok_or(Error::Bad("SCREENSORT_TMDB_RATE", "a whole number from 1 to 40"))?,
            },
            cors_origins,
            security_contact: get("SCREENSORT_SECURITY_CONTACT")
                .unwrap_or_else(|| "mailto:security@example.org".into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(name: &str) -> Option<String> {
        match name {
            "SCREENSORT_CORS_ORIGINS" => None,
            "AWS_SESSION_TOKEN" | "AWS_ENDPOINT_URL" | "AWS_ENDPOINT_URL_DYNAMODB" => None,
            "TMDB_BASE_URL" | "TMDB_EXPORTS_URL" | "SCREENSORT_TMDB_RATE" => None,
            _ => Some(format!("planted-{name}")),
        }
    }

    #[test]
    fn a_missing_variable_is_named() {
        let error = Settings::from_lookup(|name| get(name).filter(|_| name != "AWS_REGION")).unwrap_err();
        assert!(error.to_string().starts_with("AWS_REGION is not set"));
    }

    #[test]
    fn tmdb_is_asked_at_a_rate_that_it_allows() {
        let with = |rate: &'static str| {
            Settings::from_lookup(move |name| match name {
                "SCREENSORT_TMDB_RATE" => Some(rate.to_owned()),
                _ => get(name),
            })
        };
        assert_eq!(Settings::from_lookup(get).unwrap().tmdb_requests_per_second, 20);
        assert_eq!(with("40").unwrap().tmdb_requests_per_second, 40);
        for bad in ["0", "41", "-1", "fast", "20.5"] {
            assert!(with(bad).unwrap_err().to_string().starts_with("SCREENSORT_TMDB_RATE"), "{bad}");
        }
    }

    #[test]
    fn credentials_never_print() {
        let settings = Settings::from_lookup(get).unwrap();
        assert!(!format!("{settings:?}").contains("planted-AWS_SECRET"));
    }

    #[test]
    fn any_origin_is_not_an_origin() {
        for bad in ["*", "null", "https://a.example,*", "example.org"] {
            let with =
                |name: &str| if name == "SCREENSORT_CORS_ORIGINS" { Some(bad.to_owned()) } else { get(name) };
            assert!(Settings::from_lookup(with).is_err(), "{bad}");
        }
    }
}
