//! A connection in the way to AWS that can go wrong: a TCP front before the simulator, plain or as
//! an HTTP proxy that opens TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What the front does to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Forwards everything.
    Pass,
    /// Nothing listens.
    Refuse,
    /// A TCP reset as soon as it is accepted.
    Reset,
    /// Closed as soon as it is accepted.
    Close,
    /// Accepted and never answered.
    Silence,
    /// Bytes that are no HTTP.
    Garbage,
    /// This much of what AWS answers, then the end.
    CutAfter(usize),
    /// A byte of the answer, a pause, a byte.
    Drip(Duration),
    /// So much later.
    Late(Duration),
    /// The proxy answers CONNECT with this status.
    Status(u16),
    /// The tunnel is opened and closed.
    TunnelCloses,
    /// The tunnel is opened and silent.
    TunnelSilent,
    /// HTTP without TLS in the tunnel.
    TunnelPlain,
    /// A certificate that has expired.
    Expired,
    /// A certificate of another name.
    OtherName,
    /// A certificate of a CA that is not trusted.
    OtherIssuer,
}

/// The front; it ends when dropped.
pub struct Front {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    /// The CA of the proxy, in PEM.
    pub authority: String,
    _runtime: Runtime,
}

impl Front {
    /// A TCP front before `aws`.
    pub fn tcp(aws: SocketAddr) -> Self {
        Self::start(aws, None)
    }

    /// A proxy that opens TLS before `aws`.
    pub fn proxy(aws: SocketAddr) -> Self {
        Self::start(aws, Some(Tls::new()))
    }

    fn start(aws: SocketAddr, tls: Option<Tls>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let (mode, seen) = watch::channel(Mode::Pass);
        let authority = tls
            .as_ref()
            .map(|tls| tls.authority.clone())
            .unwrap_or_default();
        runtime.spawn(serve(listener, aws, tls.map(Arc::new), seen));
        Self {
            address,
            mode,
            authority,
            _runtime: runtime,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on; connections that stand end.
    pub fn set(&self, mode: Mode) {
        self.mode.send(mode).expect("the front runs");
    }
}

async fn serve(
    listener: TcpListener,
    aws: SocketAddr,
    tls: Option<Arc<Tls>>,
    mut mode: watch::Receiver<Mode>,
) {
    let address = listener.local_addr().expect("an address");
    let mut listener = Some(listener);
    loop {
        let now = *mode.borrow_and_update();
        if now == Mode::Refuse {
            listener = None;
            let _ = mode.changed().await;
            continue;
        }
        let here = match listener.take() {
            Some(here) => here,
            None => TcpListener::bind(address).await.expect("the same port"),
        };
        tokio::select! {
            () = accept(&here, aws, tls.as_ref(), now) => {}
            _ = mode.changed() => {}
        }
        listener = Some(here);
    }
}

/// Every connection ends with this.
async fn accept(listener: &TcpListener, aws: SocketAddr, tls: Option<&Arc<Tls>>, mode: Mode) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let tls = tls.cloned();
        connections.spawn(async move {
            let _ = match tls {
                None => plain(stream, aws, mode).await,
                Some(tls) => proxied(stream, aws, &tls, mode).await,
            };
        });
    }
}

async fn plain(mut client: TcpStream, aws: SocketAddr, mode: Mode) -> std::io::Result<()> {
    match mode {
        Mode::Reset => client.set_zero_linger(),
        Mode::Close => Ok(()),
        Mode::Silence => std::future::pending().await,
        Mode::Garbage => client.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await,
        Mode::CutAfter(bytes) => answer(client, aws, bytes, Duration::ZERO).await,
        Mode::Drip(pause) => answer(client, aws, usize::MAX, pause).await,
        Mode::Late(pause) => {
            tokio::time::sleep(pause).await;
            forward(client, aws).await
        }
        _ => forward(client, aws).await,
    }
}

async fn forward<S>(mut client: S, aws: SocketAddr) -> std::io::Result<()>
where
    S: AsyncReadExt + AsyncWriteExt + Unpin,
{
    let mut server = TcpStream::connect(aws).await?;
    copy_bidirectional(&mut client, &mut server)
        .await
        .map(|_| ())
}

/// At most so many bytes of the answers, with a pause after each if one is given.
async fn answer(
    client: TcpStream,
    aws: SocketAddr,
    bytes: usize,
    pause: Duration,
) -> std::io::Result<()> {
    let (mut requests, mut answers) = client.into_split();
    let (mut from_aws, mut to_aws) = TcpStream::connect(aws).await?.into_split();
    let ask = tokio::spawn(async move { tokio::io::copy(&mut requests, &mut to_aws).await });
    let mut byte = [0; 1];
    for _ in 0..bytes {
        from_aws.read_exact(&mut byte).await?;
        answers.write_all(&byte).await?;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    ask.abort();
    Ok(())
}

async fn proxied(
    mut client: TcpStream,
    aws: SocketAddr,
    tls: &Tls,
    mode: Mode,
) -> std::io::Result<()> {
    match mode {
        Mode::Reset | Mode::Close | Mode::Silence | Mode::Garbage => {
            return plain(client, aws, mode).await;
        }
        _ => head(&mut client).await?,
    }
    if let Mode::Status(status) = mode {
        let answer = format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
        return client.write_all(answer.as_bytes()).await;
    }
    client
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    match mode {
        Mode::TunnelCloses => Ok(()),
        Mode::TunnelSilent => std::future::pending().await,
        Mode::TunnelPlain => client.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await,
        _ => forward(tls.acceptor(mode).accept(client).await?, aws).await,
    }
}

/// Reads the request to the proxy.
async fn head(client: &mut TcpStream) -> std::io::Result<()> {
    let mut seen = Vec::new();
    while !seen.ends_with(b"\r\n\r\n") {
        seen.push(client.read_u8().await?);
    }
    Ok(())
}

/// The names under which calls of the tests reach AWS.
const NAMES: [&str; 2] = ["*.amazonaws.com", "*.us-east-1.amazonaws.com"];

/// A CA, and servers with certificates good and bad.
struct Tls {
    authority: String,
    good: TlsAcceptor,
    expired: TlsAcceptor,
    other_name: TlsAcceptor,
    other_issuer: TlsAcceptor,
}

impl Tls {
    fn new() -> Self {
        let (trusted, stranger) = (issuer(), issuer());
        let names = || CertificateParams::new(NAMES.map(ToOwned::to_owned)).expect("names");
        let other = CertificateParams::new(["other.example".to_owned()]).expect("a name");
        let mut expired = names();
        expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
        Self {
            authority: trusted.pem(),
            good: acceptor(&names(), &trusted),
            expired: acceptor(&expired, &trusted),
            other_name: acceptor(&other, &trusted),
            other_issuer: acceptor(&names(), &stranger),
        }
    }

    fn acceptor(&self, mode: Mode) -> &TlsAcceptor {
        match mode {
            Mode::Expired => &self.expired,
            Mode::OtherName => &self.other_name,
            Mode::OtherIssuer => &self.other_issuer,
            _ => &self.good,
        }
    }
}

fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a CA")
}

fn acceptor(params: &CertificateParams, issuer: &CertifiedIssuer<'_, KeyPair>) -> TlsAcceptor {
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, issuer).expect("a certificate");
    let chain = vec![CertificateDer::from(certificate.der().to_vec())];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a server");
    TlsAcceptor::from(Arc::new(config))
}
