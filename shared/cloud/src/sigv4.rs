//! Checks AWS signatures, version 4, in a header or in a presigned address.
//!
//! The emulators behind accept anything. Here a request must be signed with the directory's own credentials,
//! so that neither a page open in the browser nor another user of the machine can use the stand-ins, and so
//! that a presigned link ends when it should.
//!
//! Source: "Create a signed AWS API request" of the AWS IAM user guide.

use http::HeaderMap;
use http::request::Parts;
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use ring::{digest, hmac};

use crate::seal::{Credentials, hex, unhex};

/// How far the client's clock may be off.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// The longest that AWS lets a presigned address live, in seconds.
const LONGEST: i64 = 7 * 24 * 3600;

/// Why a request is refused; the name is the error code that AWS gives.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(crate) enum Refusal {
    /// Not signed, or not readably so.
    Unsigned,
    /// Signed with other credentials.
    InvalidAccessKeyId,
    /// Signed too long ago, too far ahead, or past the end of a presigned address.
    RequestExpired,
    /// The signature is of another request or by another secret.
    SignatureDoesNotMatch,
    /// The body is not the one that was signed.
    ContentSha256Mismatch,
}

/// What a request claims.
struct Claim {
    access_key: String,
    date: String,
    region: String,
    service: String,
    signed_headers: String,
    signature: String,
    time: String,
    /// Life in seconds, of a presigned address.
    life: Option<i64>,
}

/// Checks that the request at least names the credentials, before its body is read.
pub(crate) fn named(parts: &Parts, credentials: &Credentials) -> Result<(), Refusal> {
    let claim = claim(&parts.headers, &query(parts.uri.query().unwrap_or_default()));
    let claim = claim.ok_or(Refusal::Unsigned)?;
    if claim.access_key == credentials.access_key { Ok(()) } else { Err(Refusal::InvalidAccessKeyId) }
}

/// Checks that the request was signed with the credentials and names the service that it was signed for.
pub(crate) fn check(
    parts: &Parts,
    body: &[u8],
    credentials: &Credentials,
    now: Timestamp,
) -> Result<String, Refusal> {
    let query = query(parts.uri.query().unwrap_or_default());
    let claim = claim(&parts.headers, &query).ok_or(Refusal::Unsigned)?;
    if claim.access_key != credentials.access_key {
        return Err(Refusal::InvalidAccessKeyId);
    }
    check_time(&claim, now)?;
    let payload = payload_hash(&parts.headers, &claim, body)?;
    let canonical = canonical_request(parts, &query, &claim, &payload).ok_or(Refusal::Unsigned)?;
    let scope = format!("{}/{}/{}/aws4_request", claim.date, claim.region, claim.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", claim.time, sha256(canonical.as_bytes()));
    let mut key = format!("AWS4{}", credentials.secret_key).into_bytes();
    for step in [&claim.date, &claim.region, &claim.service, "aws4_request"] {
        key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), step.as_bytes()).as_ref().to_vec();
    }
    let signature = unhex(&claim.signature).ok_or(Refusal::Unsigned)?;
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &key), to_sign.as_bytes(), &signature)
        .map_err(|_| Refusal::SignatureDoesNotMatch)?;
    Ok(claim.service)
}

fn claim(headers: &HeaderMap, query: &[(String, String)]) -> Option<Claim> {
    let header = |name| headers.get(name)?.to_str().ok().map(str::to_owned);
    let asked = |name| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    if let Some(authorization) = header("authorization") {
        let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let field = |name: &str| {
            fields.split(',').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let signed = field("SignedHeaders")?.to_owned();
        return scoped(
            field("Credential")?,
            signed,
            field("Signature")?.to_owned(),
            header("x-amz-date")?,
            None,
        );
    }
    if asked("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" {
        return None;
    }
    let life = asked("X-Amz-Expires")?.parse().ok().filter(|life| (1..=LONGEST).contains(life))?;
    let signed = asked("X-Amz-SignedHeaders")?;
    scoped(&asked("X-Amz-Credential")?, signed, asked("X-Amz-Signature")?, asked("X-Amz-Date")?, Some(life))
}

fn scoped(
    credential: &str,
    signed_headers: String,
    signature: String,
    time: String,
    life: Option<i64>,
) -> Option<Claim> {
    let [access_key, date, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..]
    else {
        return None;
    };
    // The host at least must be signed, or the signature is good for any other.
    if !signed_headers.split(';').any(|name| name == "host") || !time.starts_with(date) {
        return None;
    }
    Some(Claim {
        access_key: access_key.to_owned(),
        date: date.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
        signed_headers,
        signature,
        time,
        life,
    })
}

fn check_time(claim: &Claim, now: Timestamp) -> Result<(), Refusal> {
    let signed = civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &claim.time)
        .and_then(|time| time.to_zoned(TimeZone::UTC))
        .map_err(|_| Refusal::Unsigned)?
        .timestamp();
    let age = now.duration_since(signed);
    let oldest = claim.life.map_or(SKEW, SignedDuration::from_secs);
    if age > oldest || age < -SKEW { Err(Refusal::RequestExpired) } else { Ok(()) }
}

fn payload_hash(headers: &HeaderMap, claim: &Claim, body: &[u8]) -> Result<String, Refusal> {
    let named = headers.get("x-amz-content-sha256").map(|hash| hash.to_str().map_err(|_| Refusal::Unsigned));
    match named.transpose()? {
        Some(word) if word == "UNSIGNED-PAYLOAD" || word.starts_with("STREAMING-") => Ok(word.to_owned()),
        Some(hash) if hash == sha256(body) => Ok(hash.to_owned()),
        Some(_) => Err(Refusal::ContentSha256Mismatch),
        None if claim.life.is_some() => Ok("UNSIGNED-PAYLOAD".to_owned()),
        None => Ok(sha256(body)),
    }
}

fn canonical_request(
    parts: &Parts,
    query: &[(String, String)],
    claim: &Claim,
    payload: &str,
) -> Option<String> {
    // S3 signs the path as it is sent; everybody else encodes it once more.
    let path = match claim.service.as_str() {
        "s3" => parts.uri.path().to_owned(),
        _ => encode(parts.uri.path(), "/"),
    };
    let mut pairs: Vec<_> = query
        .iter()
        .filter(|(key, _)| key != "X-Amz-Signature")
        .map(|(key, value)| (encode(key, ""), encode(value, "")))
        .collect();
    pairs.sort();
    let pairs: Vec<_> = pairs.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut lines = vec![parts.method.to_string(), path, pairs.join("&")];
    for name in claim.signed_headers.split(';') {
        let values: Option<Vec<_>> = parts.headers.get_all(name).iter().map(|v| v.to_str().ok()).collect();
        let values: Vec<_> = values?
            .into_iter()
            .map(|value| value.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
            .collect();
        lines.push(format!("{name}:{}", values.join(",")));
    }
    lines.extend([String::new(), claim.signed_headers.clone(), payload.to_owned()]);
    Some(lines.join("\n"))
}

/// The decoded parameters. Bytes that are no UTF-8 are replaced, which only makes a signature fail.
fn query(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| (decode(k), decode(v)))
        .collect()
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3).and_then(unhex)).flatten();
        match escaped {
            Some(byte) => {
                decoded.extend(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn encode(text: &str, kept: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let letter = char::from(byte);
        if letter.is_ascii_alphanumeric() || "-_.~".contains(letter) || kept.contains(letter) {
            encoded.push(letter);
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The examples of the Amazon S3 API reference, "Signature calculations": their credentials are public.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const IN_HEADER: &str = "AWS4-HMAC-SHA256 \
        Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
        SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,\
        Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    const IN_ADDRESS: &str = "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
        &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
        &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    fn credentials() -> Credentials {
        Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        }
    }

    fn seconds_later(seconds: i64) -> Timestamp {
        "2013-05-24T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
    }

    fn request(address: &str, headers: &[(&str, &str)]) -> Parts {
        let request = http::Request::builder().uri(address).header("host", "examplebucket.s3.amazonaws.com");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    fn signed() -> Parts {
        request(
            "/test.txt",
            &[
                ("range", "bytes=0-9"),
                ("x-amz-content-sha256", EMPTY),
                ("x-amz-date", "20130524T000000Z"),
                ("authorization", IN_HEADER),
            ],
        )
    }

    fn checked(parts: &Parts, body: &[u8], seconds: i64) -> Result<String, Refusal> {
        check(parts, body, &credentials(), seconds_later(seconds))
    }

    #[test]
    fn the_published_examples_are_accepted() {
        assert_eq!(checked(&signed(), b"", 0).unwrap(), "s3");
        assert_eq!(checked(&request(IN_ADDRESS, &[]), b"", 0).unwrap(), "s3");
    }

    #[test]
    fn anything_changed_is_refused() {
        let mut other = signed();
        other.headers.insert("range", "bytes=0-99".parse().unwrap());
        assert_eq!(checked(&other, b"", 0), Err(Refusal::SignatureDoesNotMatch));
        let mut other = signed();
        other.uri = "/other.txt".parse().unwrap();
        assert_eq!(checked(&other, b"", 0), Err(Refusal::SignatureDoesNotMatch));
        let mut other = signed();
        other.method = http::Method::DELETE;
        assert_eq!(checked(&other, b"", 0), Err(Refusal::SignatureDoesNotMatch));
        assert_eq!(checked(&signed(), b"more", 0), Err(Refusal::ContentSha256Mismatch));
        let longer = request(&IN_ADDRESS.replace("86400", "86401"), &[]);
        assert_eq!(checked(&longer, b"", 0), Err(Refusal::SignatureDoesNotMatch));
    }

    #[test]
    fn a_signature_ends() {
        assert_eq!(checked(&signed(), b"", 15 * 60), Ok("s3".to_owned()));
        assert_eq!(checked(&signed(), b"", 15 * 60 + 1), Err(Refusal::RequestExpired));
        assert_eq!(checked(&signed(), b"", -15 * 60 - 1), Err(Refusal::RequestExpired));
        assert_eq!(checked(&request(IN_ADDRESS, &[]), b"", 86_400), Ok("s3".to_owned()));
        assert_eq!(checked(&request(IN_ADDRESS, &[]), b"", 86_401), Err(Refusal::RequestExpired));
    }

    #[test]
    fn what_is_not_readably_signed_is_refused() {
        for authorization in [
            "",
            "Bearer token",
            "AWS4-HMAC-SHA256 Credential=a/b/c",
            &IN_HEADER.replace("aws4_request", "aws4"),
            &IN_HEADER.replace("host;", ""),
            &IN_HEADER.replace("20130524", "20130525"),
        ] {
            let mut parts = signed();
            parts.headers.insert("authorization", authorization.parse().unwrap());
            assert_eq!(checked(&parts, b"", 0), Err(Refusal::Unsigned), "{authorization}");
        }
        let forever = request(&IN_ADDRESS.replace("86400", "604801"), &[]);
        assert_eq!(checked(&forever, b"", 0), Err(Refusal::Unsigned));
    }

    #[test]
    fn broken_escapes_are_taken_as_they_stand() {
        assert_eq!(decode("%41%zz%4"), "A%zz%4");
        assert_eq!(decode("%é"), "%é");
        assert_eq!(encode("a/ü", "/"), "a/%C3%BC");
    }
}
