//! Configuration: read once, from the environment, by name.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use screensort_auth::Phone;
use screensort_auth::password::{Cost, MaxAge, Policy};
use screensort_auth::token::Identity;
use screensort_crypto::KeyId;
use screensort_http::Limits;
use screensort_store::Tables;

use crate::Otlp;
use crate::firewall::AddressSets;

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

/// Who says that a challenge was solved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChallengeVerifier {
    /// We do: proof of work.
    Work,
    /// A site that speaks the `siteverify` protocol of Turnstile, hCaptcha and reCAPTCHA.
    Site {
        /// Its address.
        url: String,
        /// The secret with our key there.
        secret: String,
    },
}

/// Text messages: where they may go, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// What a number may begin with: `+` and a country code, perhaps with some more digits. Nobody is texted elsewhere:
    /// dear numbers are what people who earn by texts name.
    pub countries: Vec<String>,
    /// Who sends them, where the country allows that to be said: a name of up to 11 letters and digits, or a number.
    pub sender: Option<String>,
    /// How many may be sent in a day (UTC); half of them to numbers that nobody has confirmed.
    pub per_day: u32,
}

impl Texts {
    /// As the variables say that `get` reads; `None` where no country is named.
    ///
    /// # Errors
    /// [`Error`] if one of them is not usable.
    pub fn from_lookup(get: &impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Error> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let countries = list(&get("SCREENSORT_SMS_COUNTRIES").unwrap_or_default());
        let country = |text: &String| {
            let code = text.strip_prefix('+');
            code.is_some_and(|code| digits(code) && code.len() <= 15 && !code.starts_with('0'))
        };
        if !countries.iter().all(country) {
            return Err(Error::Bad(
                "SCREENSORT_SMS_COUNTRIES",
                "country codes joined by commas, such as +44,+49",
            ));
        }
        let sender = get("SCREENSORT_SMS_SENDER").filter(|sender| !sender.is_empty());
        let named = |text: &String| {
            let name = text.len() <= 11
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
                && text.bytes().any(|byte| byte.is_ascii_alphabetic());
            name || text.strip_prefix('+').is_some_and(|number| digits(number) && number.len() <= 15)
        };
        if !sender.as_ref().is_none_or(named) {
            return Err(Error::Bad(
                "SCREENSORT_SMS_SENDER",
                "a name of up to 11 letters and digits, or a number such as +441234567890",
            ));
        }
        let a_day = |number: &u32| (2..=1_000_000).contains(number);
        let per_day = number(get, "SCREENSORT_SMS_PER_DAY", 500, a_day, "a whole number from 2 to 1000000")?;
        Ok((!countries.is_empty()).then_some(Self { countries, sender, per_day }))
    }

    /// Whether texts may go to `phone`.
    pub fn reach(&self, phone: &Phone) -> bool {
        self.countries.iter().any(|country| phone.as_str().starts_with(country.as_str()))
    }
}

/// Requests a second that TMDb is asked for unless another number is set: half of what it allows.
pub const TMDB_RATE: u32 = 20;

/// After how many days what nobody used is taken back; its owner is told after half of them. 0 for never: then it is
/// only named in the reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dormancy {
    /// API keys.
    pub keys: u16,
    /// Roles besides `user`, of who does not sign in.
    pub roles: u16,
}

impl Default for Dormancy {
    fn default() -> Self {
        Self { keys: 180, roles: 180 }
    }
}

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
    /// The bucket that the trail is shipped to.
    pub audit_bucket: String,
    /// The bucket with what people export and import.
    pub exports_bucket: String,
    /// The secret with the keys of cursors: a key ring, or JSON with `current` and perhaps `previous`.
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
    /// How often somebody may call.
    pub limits: Limits,
    /// The key that wraps people's data keys: id, alias or ARN.
    pub data_key: String,
    /// Keys that wrapped data keys before it: what they wrapped is still opened.
    pub old_data_keys: Vec<String>,
    /// The key that peppers passwords: id, alias or ARN.
    pub pepper_key: String,
    /// The name of that key in stored hashes.
    pub pepper_id: KeyId,
    /// The secret with the keys of the blind index.
    pub index_secret: String,
    /// The secret with the keys of cookies, refresh tokens, challenges and codes.
    pub mac_secret: String,
    /// The secret with the keys of what is kept for good: recovery codes, and proofs in the trail.
    pub lasting_secret: String,
    /// The secret with the keys that sign access tokens.
    pub signing_secret: String,
    /// The secret with the public halves of those.
    pub jwks_secret: String,
    /// Peppers of hashes that were made before, by name: a login replaces them.
    pub old_peppers: Vec<(KeyId, String)>,
    /// Where breached passwords are looked up by the first digits of their hashes; nowhere if not set.
    pub password_range_url: Option<String>,
    /// Who verifies challenges.
    pub challenge: ChallengeVerifier,
    /// Who we are in access tokens.
    pub identity: Identity,
    /// What hashing a password costs.
    pub password_cost: Cost,
    /// What a new password must be like.
    pub password_policy: Policy,
    /// When a password is too old.
    pub password_max_age: MaxAge,
    /// Where links in mail lead: the page of whoever's app this is. Never taken from a request.
    pub app_url: String,
    /// The address that mail comes from.
    pub mail_from: String,
    /// Codes by text message; none if not set.
    pub texts: Option<Texts>,
    /// Where to report a weakness: a `mailto:` or `https:` address.
    pub security_contact: String,
    /// The firewall's sets of addresses that the blocklist is mirrored to; nowhere if not set.
    pub address_sets: Option<AddressSets>,
    /// What becomes of what nobody uses.
    pub dormancy: Dormancy,
    /// Where traces are sent; nowhere if not set.
    pub otlp: Option<Otlp>,
    /// Where calls of AWS are noted, for tests.
    #[cfg(feature = "calls")]
    pub calls: Option<crate::Calls>,
}

/// The name under which CloudWatch counts: an installation's own, so that one's failures take back no version of
/// another's in the same account.
#[allow(clippy::disallowed_methods, reason = "a line of the log is written before there are settings, too")]
pub(crate) fn metrics() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| {
        std::env::var("SCREENSORT_METRICS")
            .ok()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "ScreenSort".into())
    });
    &NAME
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
        let or = |name: &str, default: &str| get(name).unwrap_or_else(|| default.to_owned());
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
            tables: Tables {
                catalog: need("SCREENSORT_TABLE_CATALOG")?,
                auth: get("SCREENSORT_TABLE_AUTH").unwrap_or_else(|| Tables::default().auth),
                library: get("SCREENSORT_TABLE_LIBRARY").unwrap_or_else(|| Tables::default().library),
                audit: get("SCREENSORT_TABLE_AUDIT").unwrap_or_else(|| Tables::default().audit),
            },
            artifacts_bucket: need("SCREENSORT_BUCKET_ARTIFACTS")?,
            audit_bucket: or("SCREENSORT_BUCKET_AUDIT", "screensort-audit"),
            exports_bucket: get("SCREENSORT_BUCKET_EXPORTS").unwrap_or_else(|| "screensort-exports".into()),
            cursor_secret: get("SCREENSORT_SECRET_CURSOR").unwrap_or_else(|| "screensort/cursor".into()),
            tmdb_secret: get("SCREENSORT_SECRET_TMDB").unwrap_or_else(|| "screensort/tmdb".into()),
            tmdb_url: url("TMDB_BASE_URL")?,
            tmdb_exports_url: url("TMDB_EXPORTS_URL")?,
            tmdb_requests_per_second: number(
                &get,
                "SCREENSORT_TMDB_RATE",
                TMDB_RATE,
                |rate| (1..=40).contains(rate),
                "a whole number from 1 to 40",
            )?,
            cors_origins,
            limits: limits(&get)?,
            data_key: or("SCREENSORT_KEY_DATA", "alias/screensort-auth"),
            old_data_keys: list(&or("SCREENSORT_OLD_KEYS_DATA", "")),
            pepper_key: or("SCREENSORT_KEY_PEPPER", "alias/screensort-pepper"),
            pepper_id: KeyId::new(or("SCREENSORT_PEPPER_ID", "p1"))
                .map_err(|_| Error::Bad("SCREENSORT_PEPPER_ID", "1 to 32 of a-z, 0-9 and -"))?,
            index_secret: or("SCREENSORT_SECRET_INDEX", "screensort/index"),
            mac_secret: or("SCREENSORT_SECRET_MAC", "screensort/mac"),
            lasting_secret: or("SCREENSORT_SECRET_LASTING", "screensort/lasting"),
            signing_secret: or("SCREENSORT_SECRET_SIGNING", "screensort/signing"),
            jwks_secret: or("SCREENSORT_SECRET_JWKS", "screensort/jwks"),
            old_peppers: old_peppers(&or("SCREENSORT_OLD_PEPPERS", ""))?,
            password_range_url: url("PASSWORD_RANGE_URL")?,
            challenge: match or("CHALLENGE_VERIFIER", "pow").as_str() {
                "pow" => ChallengeVerifier::Work,
                "siteverify" => ChallengeVerifier::Site {
                    url: url("CHALLENGE_SITEVERIFY_URL")?
                        .ok_or(Error::Missing("CHALLENGE_SITEVERIFY_URL"))?,
                    secret: or("SCREENSORT_SECRET_CHALLENGE", "screensort/challenge"),
                },
                _ => return Err(Error::Bad("CHALLENGE_VERIFIER", "pow or siteverify")),
            },
            identity: Identity {
                issuer: or("SCREENSORT_ISSUER", "https://screensort.example"),
                audience: or("SCREENSORT_AUDIENCE", "screensort-api"),
            },
            password_cost: password_cost(&or("SCREENSORT_ARGON2", "65536,3,1"))?,
            password_policy: password_policy(
                &or("PASSWORD_POLICY", "classic"),
                &or("CLASSIC_WAIVE_AT", "15"),
            )?,
            password_max_age: MaxAge {
                days: or("PASSWORD_MAX_AGE_DAYS", "0")
                    .parse()
                    .map_err(|_| Error::Bad("PASSWORD_MAX_AGE_DAYS", "a number of days, 0 for never"))?,
            },
            app_url: url("SCREENSORT_APP_URL")?.unwrap_or_else(|| "http://localhost:3000/v1/docs".into()),
            mail_from: or("SCREENSORT_MAIL_FROM", "ScreenSort <no-reply@screensort.example>"),
            texts: Texts::from_lookup(&get)?,
            security_contact: get("SCREENSORT_SECURITY_CONTACT")
                .unwrap_or_else(|| "mailto:security@example.org".into()),
            address_sets: address_sets(get("SCREENSORT_WAF_IPV4"), get("SCREENSORT_WAF_IPV6"))?,
            dormancy: dormancy(&get)?,
            otlp: Otlp::from_lookup(&get)?,
            #[cfg(feature = "calls")]
            calls: None,
        })
    }
}

/// The number in a variable; `default` if it is not set, an error that says what `fits` if it does not.
fn number<T: FromStr>(
    get: &impl Fn(&str) -> Option<String>,
    name: &'static str,
    default: T,
    fits: impl Fn(&T) -> bool,
    words: &'static str,
) -> Result<T, Error> {
    let Some(text) = get(name) else { return Ok(default) };
    text.parse().ok().filter(fits).ok_or(Error::Bad(name, words))
}

fn dormancy(get: &impl Fn(&str) -> Option<String>) -> Result<Dormancy, Error> {
    let fits = |days: &u16| *days == 0 || (30..=3_650).contains(days);
    let or =
        |name, default| number(get, name, default, fits, "a number of days from 30 to 3650, 0 for never");
    let usual = Dormancy::default();
    Ok(Dormancy {
        keys: or("SCREENSORT_DORMANT_KEY_DAYS", usual.keys)?,
        roles: or("SCREENSORT_DORMANT_ROLE_DAYS", usual.roles)?,
    })
}

/// Both sets or neither: half a mirror is none.
fn address_sets(v4: Option<String>, v6: Option<String>) -> Result<Option<AddressSets>, Error> {
    let set = |name: &'static str, arn: Option<String>| {
        let arn = arn.ok_or(Error::Missing(name))?;
        arn.parse().map_err(|()| Error::Bad(name, "the ARN of an IP set of the firewall (WAFv2)"))
    };
    if v4.is_none() && v6.is_none() {
        return Ok(None);
    }
    Ok(Some(AddressSets { v4: set("SCREENSORT_WAF_IPV4", v4)?, v6: set("SCREENSORT_WAF_IPV6", v6)? }))
}

/// The quotas; what is not set is as documented.
fn limits(get: &impl Fn(&str) -> Option<String>) -> Result<Limits, Error> {
    let fits = |number: &u32| (1..=1_000_000_000).contains(number);
    let or = |name, default| number(get, name, default, fits, "a whole number from 1 to 1000000000");
    let usual = Limits::default();
    Ok(Limits {
        writes_per_minute: or("SCREENSORT_WRITES_PER_MINUTE", usual.writes_per_minute)?,
        writes_per_day: or("SCREENSORT_WRITES_PER_DAY", usual.writes_per_day)?,
        reads_per_minute: or("SCREENSORT_READS_PER_MINUTE", usual.reads_per_minute)?,
        reads_per_day: or("SCREENSORT_READS_PER_DAY", usual.reads_per_day)?,
        client_calls_per_minute: or("SCREENSORT_CLIENT_CALLS_PER_MINUTE", usual.client_calls_per_minute)?,
        client_calls_per_day: or("SCREENSORT_CLIENT_CALLS_PER_DAY", usual.client_calls_per_day)?,
        directory_calls_per_minute: or(
            "SCREENSORT_DIRECTORY_CALLS_PER_MINUTE",
            usual.directory_calls_per_minute,
        )?,
        directory_calls_per_day: or("SCREENSORT_DIRECTORY_CALLS_PER_DAY", usual.directory_calls_per_day)?,
        guest_reads_per_minute: or("SCREENSORT_GUEST_READS_PER_MINUTE", usual.guest_reads_per_minute)?,
        guest_reads_per_day: or("SCREENSORT_GUEST_READS_PER_DAY", usual.guest_reads_per_day)?,
    })
}

/// `memory in KiB,passes,lanes`.
fn password_cost(text: &str) -> Result<Cost, Error> {
    const BAD: Error =
        Error::Bad("SCREENSORT_ARGON2", "KiB,passes,lanes, such as 65536,3,1; at least 19456,2,1");
    let numbers: Vec<u32> =
        text.split(',').map(|part| part.trim().parse().map_err(|_| BAD)).collect::<Result<_, _>>()?;
    let [memory, passes, lanes] = numbers[..] else { return Err(BAD) };
    Cost::new(memory, passes, lanes).map_err(|_| BAD)
}

/// What is joined by commas.
fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

/// `name=key` pairs, joined by commas.
fn old_peppers(text: &str) -> Result<Vec<(KeyId, String)>, Error> {
    const BAD: Error =
        Error::Bad("SCREENSORT_OLD_PEPPERS", "name=key pairs joined by commas, such as p1=alias/pepper-2025");
    list(text)
        .iter()
        .map(|pair| {
            let (name, key) = pair.split_once('=').ok_or(BAD)?;
            Ok((KeyId::new(name).map_err(|_| BAD)?, key.to_owned()))
        })
        .collect()
}

fn password_policy(profile: &str, waive_at: &str) -> Result<Policy, Error> {
    let waive_at = waive_at.parse().map_err(|_| Error::Bad("CLASSIC_WAIVE_AT", "a length, 0 for never"))?;
    match profile {
        "classic" => Ok(Policy::classic(waive_at)),
        "nist" => Ok(Policy::nist()),
        _ => Err(Error::Bad("PASSWORD_POLICY", "classic or nist")),
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
            _ if name.starts_with("PASSWORD_") || name.starts_with("CLASSIC_") => None,
            "SCREENSORT_WAF_IPV4" | "SCREENSORT_WAF_IPV6" => None,
            _ if name.starts_with("OTEL_") || name.starts_with("SCREENSORT_DORMANT_") => None,
            "SCREENSORT_ARGON2" | "SCREENSORT_APP_URL" | "SCREENSORT_PEPPER_ID" => None,
            "SCREENSORT_OLD_PEPPERS" | "CHALLENGE_VERIFIER" => None,
            _ if name.starts_with("SCREENSORT_SMS_") => None,
            _ if name.ends_with("_PER_MINUTE") || name.ends_with("_PER_DAY") => None,
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
    fn a_site_that_verifies_challenges_needs_its_address_and_old_peppers_their_keys() {
        let with = |pairs: &'static [(&'static str, &'static str)]| {
            Settings::from_lookup(move |name| {
                let given = pairs.iter().find(|(given, _)| *given == name).map(|(_, value)| *value);
                given.map(str::to_owned).or_else(|| get(name).filter(|_| !name.starts_with("CHALLENGE_")))
            })
        };
        let error = with(&[("CHALLENGE_VERIFIER", "siteverify")]).unwrap_err();
        assert!(error.to_string().starts_with("CHALLENGE_SITEVERIFY_URL"));
        assert!(with(&[("CHALLENGE_VERIFIER", "captcha")]).is_err());
        let settings = with(&[("SCREENSORT_OLD_PEPPERS", "p0=alias/one, p9=alias/two")]).unwrap();
        assert_eq!(settings.old_peppers.len(), 2);
        assert!(with(&[("SCREENSORT_OLD_PEPPERS", "alias/one")]).is_err());
        let settings = with(&[("SCREENSORT_OLD_KEYS_DATA", "alias/one, alias/two,")]).unwrap();
        assert_eq!(settings.old_data_keys, ["alias/one", "alias/two"]);
    }

    #[test]
    fn texts_go_to_the_countries_that_are_named_and_nowhere_unless_one_is() {
        let with = |countries: &'static str, sender: &'static str, per_day: &'static str| {
            Settings::from_lookup(move |name| match name {
                "SCREENSORT_SMS_COUNTRIES" => Some(countries.to_owned()),
                "SCREENSORT_SMS_SENDER" => Some(sender.to_owned()),
                "SCREENSORT_SMS_PER_DAY" => Some(per_day.to_owned()),
                _ => get(name),
            })
            .map(|settings| settings.texts)
        };
        assert_eq!(Settings::from_lookup(get).unwrap().texts, None);
        assert_eq!(with("", "", "500").unwrap(), None);
        let texts = with("+44, +1204", "ScreenSort", "20").unwrap().unwrap();
        let reach = |number: &str| texts.reach(&Phone::parse(number).unwrap());
        assert!(reach("+442071838750") && reach("+12045550123"));
        assert!(!reach("+12425550123") && !reach("+4912345678"));
        for (countries, sender, per_day) in [
            ("44", "", "500"),
            ("+", "", "500"),
            ("+0", "", "500"),
            ("+44,all", "", "500"),
            ("+44", "Screen Sort", "500"),
            ("+44", "12345", "500"),
            ("+44", "ScreenSortLtd", "500"),
            ("+44", "", "1"),
            ("+44", "", "many"),
        ] {
            let error = with(countries, sender, per_day).unwrap_err();
            assert!(error.to_string().starts_with("SCREENSORT_SMS_"), "{countries} {sender} {per_day}");
        }
    }

    #[test]
    fn the_firewalls_sets_are_named_both_or_not_at_all() {
        let with = |v4: &'static str, v6: &'static str| {
            Settings::from_lookup(move |name| match name {
                "SCREENSORT_WAF_IPV4" => Some(v4.to_owned()).filter(|arn| !arn.is_empty()),
                "SCREENSORT_WAF_IPV6" => Some(v6.to_owned()).filter(|arn| !arn.is_empty()),
                _ => get(name),
            })
        };
        let arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/ipset/blocked/0a1b";
        assert_eq!(with("", "").unwrap().address_sets, None);
        assert!(with(arn, arn).unwrap().address_sets.is_some());
        assert!(with(arn, "").unwrap_err().to_string().starts_with("SCREENSORT_WAF_IPV6 is not set"));
        assert!(
            with("blocked", arn).unwrap_err().to_string().starts_with("SCREENSORT_WAF_IPV4 is not usable")
        );
    }

    #[test]
    fn quotas_are_as_set_or_as_documented() {
        let with = |value: &'static str| {
            Settings::from_lookup(move |name| match name {
                "SCREENSORT_WRITES_PER_DAY" => Some(value.to_owned()),
                _ => get(name),
            })
        };
        assert_eq!(Settings::from_lookup(get).unwrap().limits, Limits::default());
        assert_eq!(with("7").unwrap().limits, Limits { writes_per_day: 7, ..Limits::default() });
        for bad in ["0", "-1", "many", "1000000001"] {
            assert!(with(bad).unwrap_err().to_string().starts_with("SCREENSORT_WRITES_PER_DAY"), "{bad}");
        }
    }

    #[test]
    fn what_nobody_uses_ends_after_half_a_year_or_as_set_and_never_within_a_month() {
        let with = |days: &'static str| {
            Settings::from_lookup(move |name| match name {
                "SCREENSORT_DORMANT_KEY_DAYS" => Some(days.to_owned()),
                _ => get(name),
            })
        };
        assert_eq!(Settings::from_lookup(get).unwrap().dormancy, Dormancy { keys: 180, roles: 180 });
        assert_eq!(with("0").unwrap().dormancy, Dormancy { keys: 0, roles: 180 });
        for bad in ["1", "29", "3651", "-1", "soon"] {
            assert!(with(bad).unwrap_err().to_string().starts_with("SCREENSORT_DORMANT_KEY_DAYS"), "{bad}");
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
