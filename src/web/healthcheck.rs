//! The question whether a running exporter answers, for containers without a shell. A client, and the only one here.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::PathAndQuery;
use http::{Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{AlertDescription, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// An orchestrator asks every few seconds and waits no longer than this.
const DEADLINE: Duration = Duration::from_secs(3);

/// What is asked for where the address names no page: the one that costs nothing and is never too busy.
const HEALTHY: &str = "/-/healthy";

/// Asks `url`, such as `http://127.0.0.1:10065`, whether the exporter answers. An answer that asks for a login or a client certificate is an
/// answer. Over `https` only this machine is asked, and its certificate is not verified: what is asked is whether it lives, not who it is.
pub async fn healthcheck(url: &str) -> Result<(), String> {
    let uri: Uri = url.parse().map_err(|e| format!("{url}: {e}"))?;
    match timeout(DEADLINE, ask(&uri)).await {
        Ok(Ok(status)) if lives(status) => Ok(()),
        Ok(Ok(status)) => Err(format!("{url}: {status}")),
        Ok(Err(error)) => Err(format!("{url}: {error}")),
        Err(_) => Err(format!("{url}: no answer within {DEADLINE:?}")),
    }
}

/// Whether a status can only come from a server that lives.
fn lives(status: StatusCode) -> bool {
    let refused = [StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS];
    status.is_success() || refused.contains(&status)
}

async fn ask(uri: &Uri) -> io::Result<StatusCode> {
    let wrong = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let host = uri.host().ok_or_else(|| wrong("no host in it"))?;
    let address = host.trim_matches(['[', ']']);
    let secure = match uri.scheme_str() {
        Some("http") => false,
        Some("https") => true,
        _ => return Err(wrong("write http:// or https:// before it")),
    };
    if secure && !is_loopback(address) {
        return Err(wrong("https is asked of this machine only"));
    }
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = TcpStream::connect((address, port)).await?;
    if !secure {
        return get(stream, uri).await;
    }
    let answered = ask_secure(stream, uri, address).await;
    match answered {
        Err(error) if asks_for_certificate(&error) => Ok(StatusCode::UNAUTHORIZED),
        other => other,
    }
}

async fn ask_secure(stream: TcpStream, uri: &Uri, host: &str) -> io::Result<StatusCode> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let connector = TlsConnector::from(Arc::new(config().map_err(io::Error::other)?));
    get(connector.connect(name, stream).await?, uri).await
}

async fn get<S>(stream: S, uri: &Uri) -> io::Result<StatusCode>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let path = uri.path_and_query().map(PathAndQuery::as_str);
    let path = path.filter(|path| *path != "/").unwrap_or(HEALTHY);
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let request = Request::get(path)
        .header(HOST, authority)
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(io::Error::other)?;
    tokio::select! {
        answer = sender.send_request(request) => Ok(answer.map_err(io::Error::other)?.status()),
        ended = connection => match ended {
            Ok(()) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) => Err(io::Error::other(error)),
        },
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether the server lives but wants a client certificate: the alert it sends lies somewhere below the error.
fn asks_for_certificate(error: &io::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.get_ref().map(|e| e as _);
    while let Some(error) = cause {
        if let Some(Error::AlertReceived(AlertDescription::CertificateRequired)) =
            error.downcast_ref()
        {
            return true;
        }
        cause = match error.downcast_ref::<io::Error>() {
            Some(wrapped) => wrapped.get_ref().map(|e| e as _),
            None => error.source(),
        };
    }
    false
}

fn config() -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth();
    Ok(config)
}

/// Takes every certificate, but not a forged handshake.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
