//! TLS as the web configuration wants it, built on rustls.

mod names;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig, SupportedCipherSuite};

use x509_parser::prelude::{FromDer, X509Certificate};

use super::file::{ClientAuth, Contents, Pem, TlsSettings};
use names::NamedClients;

/// The only protocol spoken inside TLS.
const ALPN: &[u8] = b"http/1.1";

/// TLS as it is served.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    /// What every handshake needs.
    pub(super) config: Arc<ServerConfig>,
    /// When our own certificate expires, in seconds since the UNIX epoch; `None` if it does not say in a way we can read.
    pub(super) expires: Option<i64>,
}

/// Takes the certificates from what was read and builds what every handshake needs.
pub(super) fn tls(settings: &TlsSettings, contents: &Contents) -> Result<Tls, String> {
    let provider = Arc::new(provider(settings));
    let refused = |e: rustls::Error| format!("tls_server_config: {e}");
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&settings.versions)
        .map_err(refused)?;
    let identity = identity(settings, contents, &provider)?;
    let expires = identity.cert.first().and_then(expiry);
    let builder = match client_verifier(settings, contents, &provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let resolver = rustls::sign::SingleCertAndKey::from(identity);
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.ignore_client_order = settings.own_order;
    config.alpn_protocols = vec![ALPN.to_vec()];
    if crate::FIPS && !config.fips() {
        let problem = "has a cipher suite or curve that is not approved for FIPS; remove it";
        return Err(format!("tls_server_config: {problem}"));
    }
    let config = Arc::new(config);
    Ok(Tls { config, expires })
}

fn expiry(certificate: &CertificateDer<'_>) -> Option<i64> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    Some(parsed.validity().not_after.timestamp())
}

/// What rustls has, less what the settings leave out.
fn provider(settings: &TlsSettings) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if !settings.cipher_suites.is_empty() {
        let is_13 = |suite: &SupportedCipherSuite| suite.tls13().is_some();
        provider.cipher_suites.retain(is_13);
        let chosen = settings.cipher_suites.iter().filter(|s| !is_13(s));
        provider.cipher_suites.extend(chosen);
    }
    if !settings.curves.is_empty() {
        provider.kx_groups.clone_from(&settings.curves);
    }
    provider
}

fn identity(
    settings: &TlsSettings,
    contents: &Contents,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, String> {
    let chain = certificates(&settings.certificate, contents)?;
    let key = PrivateKeyDer::from_pem_slice(&settings.key.read(contents)?)
        .map_err(|_| settings.key.wrong("has no private key in PEM"))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|e| {
        settings
            .key
            .wrong(&format!("does not fit the certificate: {e}"))
    })
}

fn certificates(pem: &Pem, contents: &Contents) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = pem.read(contents)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match all {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(pem.wrong("has no certificate in PEM")),
    }
}

fn client_verifier(
    settings: &TlsSettings,
    contents: &Contents,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, String> {
    let (Some(ca), true) = (&settings.client_ca, settings.client_auth != ClientAuth::No) else {
        return Ok(None);
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca, contents)? {
        roots
            .add(certificate)
            .map_err(|e| ca.wrong(&e.to_string()))?;
    }
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let builder = match settings.client_auth {
        ClientAuth::IfGiven => builder.allow_unauthenticated(),
        ClientAuth::No | ClientAuth::Required => builder,
    };
    let verifier = builder.build().map_err(|e| ca.wrong(&e.to_string()))?;
    if settings.client_names.is_empty() {
        return Ok(Some(verifier));
    }
    let names = settings.client_names.clone();
    Ok(Some(Arc::new(NamedClients::new(verifier, names))))
}
