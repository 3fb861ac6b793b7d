//! `--tls`: HTTPS, and plain HTTP that leads there or nowhere.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;

use crate::product::{Served, client};

/// A client that trusts the certificate in this file and no other.
fn trusting(certificate: &[u8]) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate).unwrap()).unwrap();
    let config =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(config).https_only(true).no_proxy().build().unwrap()
}

#[tokio::test]
async fn https_is_served_with_a_certificate_that_can_be_trusted_once_and_plain_http_is_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let server = Served::start_with(folder.path(), &["--tls"]);
    assert!(server.url.starts_with("https://localhost:"), "{}", server.url);
    let certificate = std::fs::read(folder.path().join("tls/certificate.pem")).unwrap();
    let answer = trusting(&certificate).get(format!("{}/health", server.url)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    // Who does not trust it does not get through.
    assert!(client().get(format!("{}/health", server.url)).send().await.is_err());

    let words = server.welcome.split_whitespace();
    let plain = words.skip_while(|word| *word != "plain").nth(1).unwrap().to_owned();
    assert!(plain.starts_with("http://127.0.0.1:"), "{plain}");
    let page = client().get(format!("{plain}/docs")).send().await.unwrap();
    assert_eq!(page.status(), 301);
    assert_eq!(page.headers()["location"].to_str().unwrap(), format!("{}/docs", server.url));
    let calls = [
        client().get(format!("{plain}/movies")),
        client().post(format!("{plain}/docs")),
        client().get(format!("{plain}/movies/27205")).header("authorization", "Bearer x"),
    ];
    for call in calls {
        let refused = call.send().await.unwrap();
        assert_eq!(refused.status(), 403);
        assert!(refused.headers().get("location").is_none());
        let problem: Value = serde_json::from_slice(&refused.bytes().await.unwrap()).unwrap();
        assert_eq!(problem["code"], "https_required");
    }
    server.stop();
    // Trusted once is enough.
    let again = Served::start_with(folder.path(), &["--tls"]);
    assert_eq!(std::fs::read(folder.path().join("tls/certificate.pem")).unwrap(), certificate);
    again.stop();
}
