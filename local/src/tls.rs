//! TLS on this machine: a certificate of our own making, kept beside the data so that it can be trusted once.

use std::path::Path;
use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, version};

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No certificate could be made.
    #[error("a certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// The kept certificate cannot be read or written.
    #[error("the certificate under {0} cannot be read or written; delete the folder to get a new one")]
    Kept(String, #[source] std::io::Error),
    /// The kept certificate is not one.
    #[error("the certificate under the data folder's tls/ is not usable; delete it to get a new one")]
    Unusable,
    /// The certificate and the key do not fit.
    #[error("the certificate is refused")]
    Refused(#[from] tokio_rustls::rustls::Error),
}

/// Accepts TLS 1.2 and 1.3 with the certificate under `data`, or a fresh one if nothing is kept.
pub(crate) fn acceptor(data: Option<&Path>) -> Result<TlsAcceptor, Error> {
    let (certificate, key) = match data {
        Some(data) => kept(&data.join("tls"))?,
        None => fresh()?,
    };
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_| Error::Unusable)?];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| Error::Unusable)?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn fresh() -> Result<(String, String), Error> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names)?;
    Ok((cert.pem(), signing_key.serialize_pem()))
}

fn kept(folder: &Path) -> Result<(String, String), Error> {
    let trouble = |e| Error::Kept(folder.display().to_string(), e);
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    if !certificate.exists() || !key.exists() {
        let (made, secret) = fresh()?;
        std::fs::create_dir_all(folder).map_err(trouble)?;
        write_private(&key, &secret).map_err(trouble)?;
        std::fs::write(&certificate, made).map_err(trouble)?;
    }
    let read = |path| std::fs::read_to_string(path).map_err(trouble);
    Ok((read(certificate)?, read(key)?))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
