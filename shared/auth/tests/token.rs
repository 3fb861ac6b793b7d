//! Tokens from the outside: what is issued is accepted, and every known forgery is refused.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use screensort_auth::Error;
use screensort_auth::token::{
    AccessClaims, AccessGrant, Identity, Issuer, Jwks, Leeway, ROTATION, ServiceGrant, TokenFault,
    VerificationKeys, Verifier,
};
use screensort_crypto::{KeyId, KeyRing, RingKey as _, RotationStep, SigningKey};
use serde_json::{Value, json};

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

fn identity() -> Identity {
    Identity { issuer: "https://api.example.org/v1".to_owned(), audience: "screensort".to_owned() }
}

struct Bench {
    ring: KeyRing<SigningKey>,
    issuer: Issuer,
    verifier: Verifier,
}

fn bench() -> Bench {
    let ring = KeyRing::new(KeyId::new("k1").unwrap(), SigningKey::generate().unwrap(), now());
    let issuer = Issuer::new(ring.clone(), identity()).unwrap();
    let keys = VerificationKeys::of(&ring).unwrap();
    let verifier = Verifier::new(keys, &identity(), Leeway::seconds(5)).unwrap();
    Bench { ring, issuer, verifier }
}

fn grant() -> AccessGrant<'static> {
    AccessGrant {
        subject: "01ANN",
        session: "01SESSION",
        scope: "movies:read ratings:write_own",
        acr: "aal2",
        amr: &["pwd", "otp"],
        authenticated_at: after(-60),
    }
}

impl Bench {
    fn token(&self) -> String {
        self.issuer.access(&grant(), now()).unwrap().0
    }

    fn claims(&self) -> Value {
        serde_json::to_value(self.issuer.access(&grant(), now()).unwrap().1).unwrap()
    }

    /// A token with any header and claims, correctly signed by our own key.
    fn signed(&self, header: &Value, claims: &Value) -> String {
        sign_with(&self.ring.current().key, header, claims)
    }

    fn fault(&self, token: &str) -> TokenFault {
        self.fault_at(token, now())
    }

    fn fault_at(&self, token: &str, at: Timestamp) -> TokenFault {
        match self.verifier.access(token, at) {
            Err(Error::Token(fault)) => fault,
            other => panic!("{other:?} for {token}"),
        }
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).unwrap())
}

fn sign_with(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header() -> Value {
    json!({"alg": "ES256", "typ": "at+jwt", "kid": "k1"})
}

/// `base` with one field set.
fn with(base: &Value, name: &str, value: Value) -> Value {
    let mut changed = base.clone();
    changed[name] = value;
    changed
}

#[test]
fn an_access_token_says_what_was_granted_for_five_minutes() {
    let bench = bench();
    let (token, issued) = bench.issuer.access(&grant(), now()).unwrap();
    let claims: AccessClaims = bench.verifier.access(&token, after(299)).unwrap();
    assert_eq!(claims, issued);
    assert_eq!((claims.sub.as_str(), claims.sid.as_str()), ("01ANN", "01SESSION"));
    assert_eq!(
        (claims.iat, claims.nbf, claims.exp),
        (now().as_second(), now().as_second(), after(300).as_second())
    );
    assert_eq!(claims.amr, ["pwd", "otp"]);
    assert_eq!(claims.authenticated_at(), after(-60));
    assert_ne!(bench.issuer.access(&grant(), now()).unwrap().1.jti, claims.jti);
}

#[test]
fn the_test_bench_itself_signs_what_is_accepted() {
    let bench = bench();
    bench.verifier.access(&bench.signed(&header(), &bench.claims()), now()).unwrap();
}

#[test]
fn a_token_without_signature_is_refused_however_none_is_spelt() {
    let bench = bench();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let head = with(&header(), "alg", json!(alg));
        for signature in ["", "AA"] {
            let token = format!("{}.{}.{signature}", part(&head), part(&bench.claims()));
            assert_eq!(bench.fault(&token), TokenFault::Algorithm, "{alg}");
        }
        assert_eq!(bench.fault(&bench.signed(&head, &bench.claims())), TokenFault::Algorithm);
    }
    let mut head = header();
    head.as_object_mut().unwrap().remove("alg");
    assert_eq!(bench.fault(&bench.signed(&head, &bench.claims())), TokenFault::Malformed);
    let token = bench.token();
    let stripped = format!("{}.", &token[..token.rfind('.').unwrap()]);
    assert_eq!(bench.fault(&stripped), TokenFault::Signature);
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let bench = bench();
    let public = bench.ring.current().key.public();
    let jwks = serde_json::to_string(&Jwks::of(&bench.ring)).unwrap();
    for secret in [public.as_bytes().as_slice(), public.x().as_bytes(), jwks.as_bytes()] {
        for (alg, algorithm) in [("HS256", hmac::HMAC_SHA256), ("HS512", hmac::HMAC_SHA512)] {
            let message = format!("{}.{}", part(&with(&header(), "alg", json!(alg))), part(&bench.claims()));
            let tag = hmac::sign(&hmac::Key::new(algorithm, secret), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            assert_eq!(bench.fault(&token), TokenFault::Algorithm);
        }
    }
}

#[test]
fn other_algorithms_are_refused_even_with_our_signature() {
    let bench = bench();
    for alg in ["ES384", "RS256", "PS256", "EdDSA", "ES256K", "es256"] {
        let token = bench.signed(&with(&header(), "alg", json!(alg)), &bench.claims());
        assert_eq!(bench.fault(&token), TokenFault::Algorithm, "{alg}");
    }
}

#[test]
fn another_kind_of_token_is_refused() {
    let bench = bench();
    for typ in [json!("JWT"), json!("service+jwt"), json!("at+JWT"), json!("id+jwt"), json!(""), Value::Null]
    {
        let token = bench.signed(&with(&header(), "typ", typ.clone()), &bench.claims());
        assert_eq!(bench.fault(&token), TokenFault::Type, "{typ}");
    }
    let service = ServiceGrant {
        client: "01CLIENT",
        scope: "operators:read",
        calls_per_minute: None,
        calls_per_day: Some(500),
    };
    let (token, issued) = bench.issuer.service(&service, now()).unwrap();
    assert_eq!(bench.fault(&token), TokenFault::Type);
    let claims = bench.verifier.service(&token, now()).unwrap();
    assert_eq!(claims, issued);
    assert_eq!(claims.azp, "01CLIENT");
    assert!(matches!(bench.verifier.service(&bench.token(), now()), Err(Error::Token(TokenFault::Type))));
}

#[test]
fn a_service_token_for_somebody_else_is_refused() {
    let bench = bench();
    let service = ServiceGrant {
        client: "01CLIENT",
        scope: "operators:read",
        calls_per_minute: None,
        calls_per_day: Some(500),
    };
    let claims = serde_json::to_value(bench.issuer.service(&service, now()).unwrap().1).unwrap();
    let head = with(&header(), "typ", json!("service+jwt"));
    let token = bench.signed(&head, &with(&claims, "azp", json!("01OTHER")));
    assert!(matches!(bench.verifier.service(&token, now()), Err(Error::Token(TokenFault::Malformed))));
}

#[test]
fn another_issuer_or_audience_is_refused() {
    let bench = bench();
    let claims = bench.claims();
    for issuer in [json!("https://evil.example"), json!("https://api.example.org/v1/"), json!("")] {
        assert_eq!(bench.fault(&bench.signed(&header(), &with(&claims, "iss", issuer))), TokenFault::Issuer);
    }
    for audience in [json!("other"), json!("screensort2"), json!("")] {
        assert_eq!(
            bench.fault(&bench.signed(&header(), &with(&claims, "aud", audience))),
            TokenFault::Audience
        );
    }
    for (name, value) in
        [("aud", json!(["screensort", "other"])), ("iss", json!(["https://api.example.org/v1"]))]
    {
        assert_eq!(bench.fault(&bench.signed(&header(), &with(&claims, name, value))), TokenFault::Malformed);
    }
}

#[test]
fn a_token_ends_with_its_time_plus_the_leeway() {
    let bench = bench();
    let token = bench.token();
    assert!(bench.verifier.access(&token, after(304)).is_ok());
    assert_eq!(bench.fault_at(&token, after(305)), TokenFault::Expired);
    assert!(bench.verifier.access(&token, after(-5)).is_ok());
    assert_eq!(bench.fault_at(&token, after(-6)), TokenFault::NotYetValid);
    let strict =
        Verifier::new(VerificationKeys::of(&bench.ring).unwrap(), &identity(), Leeway::seconds(0)).unwrap();
    assert!(strict.access(&token, after(299)).is_ok());
    assert!(strict.access(&token, after(300)).is_err());
    let lax = Verifier::new(VerificationKeys::of(&bench.ring).unwrap(), &identity(), Leeway::seconds(9_999))
        .unwrap();
    assert_eq!(lax.leeway(), SignedDuration::from_secs(60));
}

#[test]
fn times_that_we_never_write_are_refused() {
    let bench = bench();
    let claims = bench.claims();
    let future = json!(after(60).as_second());
    assert_eq!(
        bench.fault(&bench.signed(&header(), &with(&claims, "nbf", future.clone()))),
        TokenFault::NotYetValid
    );
    assert_eq!(bench.fault(&bench.signed(&header(), &with(&claims, "iat", future))), TokenFault::NotYetValid);
    let year = json!(after(31_536_000).as_second());
    assert_eq!(bench.fault(&bench.signed(&header(), &with(&claims, "exp", year))), TokenFault::Lifetime);
    for name in ["exp", "nbf", "iat"] {
        for value in [Value::Null, json!("1800000000"), json!(1e300), json!({}), json!(-1)] {
            let token = bench.signed(&header(), &with(&claims, name, value.clone()));
            assert!(bench.verifier.access(&token, now()).is_err(), "{name} {value}");
        }
    }
}

#[test]
fn a_claim_that_is_missing_is_not_made_up() {
    let bench = bench();
    for name in ["iss", "aud", "sub", "sid", "iat", "nbf", "exp", "jti", "scope", "acr", "amr", "auth_time"] {
        let mut claims = bench.claims();
        claims.as_object_mut().unwrap().remove(name);
        assert_eq!(bench.fault(&bench.signed(&header(), &claims)), TokenFault::Malformed, "{name}");
    }
}

#[test]
fn a_key_that_is_not_in_the_set_is_unknown_whatever_its_name() {
    let bench = bench();
    let names =
        ["k2", "", "../k1", "k1/../k1", "/dev/null", "..%2fk1", "k1\u{0}", "K1", "k1' OR '1'='1", "k1 "];
    for kid in names {
        let token = bench.signed(&with(&header(), "kid", json!(kid)), &bench.claims());
        assert_eq!(bench.fault(&token), TokenFault::Key, "{kid:?}");
    }
    let token = bench.signed(&with(&header(), "kid", Value::Null), &bench.claims());
    assert_eq!(bench.fault(&token), TokenFault::Key);
    let stranger = SigningKey::generate().unwrap();
    assert_eq!(bench.fault(&sign_with(&stranger, &header(), &bench.claims())), TokenFault::Signature);
}

#[test]
fn a_token_can_not_bring_its_own_key() {
    let bench = bench();
    let attacker = SigningKey::generate().unwrap();
    let public = attacker.public();
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": public.x(), "y": public.y()});
    for (name, value) in [
        ("jwk", jwk),
        ("jwk", json!("nonsense")),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["AAAA"])),
        ("x5t", json!("AAAA")),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("url", json!("https://evil.example")),
        ("anything", json!(1)),
    ] {
        let head = with(&header(), name, value);
        for key in [&attacker, &bench.ring.current().key] {
            let token = sign_with(key, &head, &bench.claims());
            assert_eq!(bench.fault(&token), TokenFault::Header, "{name}");
        }
    }
}

#[test]
fn altered_claims_and_signatures_are_refused() {
    let bench = bench();
    let token = bench.token();
    let parts: Vec<&str> = token.split('.').collect();
    let forged = part(&with(&bench.claims(), "sub", json!("01ADMIN")));
    assert_eq!(bench.fault(&format!("{}.{forged}.{}", parts[0], parts[2])), TokenFault::Signature);
    let other = bench.token();
    let other_signature = other.rsplit('.').next().unwrap();
    assert_eq!(bench.fault(&format!("{}.{}.{other_signature}", parts[0], parts[1])), TokenFault::Signature);
    // All zero: the signature that CVE-2022-21449 accepted.
    let zero = URL_SAFE_NO_PAD.encode([0; 64]);
    assert_eq!(bench.fault(&format!("{}.{}.{zero}", parts[0], parts[1])), TokenFault::Signature);
}

#[test]
fn a_name_that_is_there_twice_is_refused() {
    let bench = bench();
    let claims = serde_json::to_string(&bench.claims()).unwrap();
    let twice = claims.replacen('{', r#"{"sub":"01ADMIN","#, 1);
    let message = format!("{}.{}", part(&header()), URL_SAFE_NO_PAD.encode(twice));
    let signature = bench.ring.current().key.sign(message.as_bytes()).unwrap();
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(bench.fault(&token), TokenFault::Malformed);
}

#[test]
fn what_is_not_a_token_is_malformed() {
    let bench = bench();
    let token = bench.token();
    let padded = format!("{token}=");
    let spaced = format!(" {token}");
    let more = format!("{token}.AAAA");
    let long = format!("{token}{}", "A".repeat(9_000));
    let html = "<script>alert(1)</script>".to_owned();
    for text in [String::new(), "..".to_owned(), "a.b.c".to_owned(), spaced, more, long, html] {
        assert_eq!(bench.fault(&text), TokenFault::Malformed, "{text}");
    }
    assert!(bench.verifier.access(&padded, now()).is_err());
}

#[test]
fn tokens_of_the_old_key_live_on_after_a_rotation_and_the_set_announces_the_next_key() {
    let bench = bench();
    let mut ring = bench.ring.clone();
    let day = SignedDuration::from_hours(24);
    let publish = now() + day * 89;
    assert_eq!(ring.rotate(&ROTATION, publish).unwrap(), RotationStep::Publish);
    let set = Jwks::of(&ring);
    assert_eq!(set.keys.len(), 2, "the next key is in the set before it signs");
    let cached = VerificationKeys::from_jwks(&set).unwrap();
    let verifier = Verifier::new(cached, &identity(), Leeway::default()).unwrap();

    let switch = publish + day;
    let old = Issuer::new(ring.clone(), identity()).unwrap().access(&grant(), switch).unwrap().0;
    assert!(matches!(ring.rotate(&ROTATION, switch).unwrap(), RotationStep::Promote(_)));
    let new = Issuer::new(ring.clone(), identity()).unwrap().access(&grant(), switch).unwrap().0;
    for token in [&old, &new] {
        verifier.access(token, switch).unwrap();
    }
    assert!(matches!(ring.rotate(&ROTATION, switch + day).unwrap(), RotationStep::Remove(_)));
    assert_eq!(Jwks::of(&ring).keys.len(), 1);
}

#[test]
fn the_key_set_is_public_only_and_refuses_foreign_keys() {
    let bench = bench();
    let set = Jwks::of(&bench.ring);
    let json = serde_json::to_value(&set).unwrap();
    let mut names: Vec<_> = json["keys"][0].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    for (name, value) in
        [("kty", "RSA"), ("crv", "P-384"), ("alg", "HS256"), ("use", "enc"), ("x", "AA"), ("kid", "../k")]
    {
        let mut changed = json.clone();
        changed["keys"][0][name] = json!(value);
        let set: Jwks = serde_json::from_value(changed).unwrap();
        assert!(VerificationKeys::from_jwks(&set).is_err(), "{name}");
    }
    assert!(VerificationKeys::from_jwks(&Jwks { keys: vec![] }).is_err());
    let twice = Jwks { keys: [set.keys.clone(), set.keys].concat() };
    assert!(VerificationKeys::from_jwks(&twice).is_err());
}
