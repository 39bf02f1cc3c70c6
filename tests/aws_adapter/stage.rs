//! A stage: an HTTP server on loopback that plays AWS by a script and remembers what it was asked.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// One request, as far as the tests care.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) operation: String,
    /// The id of the key that signed it.
    pub(crate) key: String,
    pub(crate) region: String,
    /// Who asks, as said in every header of the name.
    pub(crate) user_agent: Vec<String>,
    pub(crate) body: String,
    /// How many requests of this operation came before it.
    pub(crate) nth: usize,
}

/// What the stage does with a request.
pub(crate) enum Reply {
    /// Answers.
    Say(u16, &'static str, String),
    /// Answers with this `Date`.
    SayAt(u16, &'static str, String, String),
    /// Answers with a header of its own.
    SayWith(u16, (&'static str, String)),
    /// Announces a success of JSON, sends this much of it and hangs up.
    CutShort(&'static str),
    /// Announces a success and sends until nobody listens.
    Endless,
    /// Hangs up.
    HangUp,
    /// Says nothing.
    Silence,
}

type Script = dyn Fn(&Asked) -> Reply + Send + Sync;
type Body = BoxBody<Bytes, io::Error>;

/// The server. It ends with the test's runtime.
pub(crate) struct Stage {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stage {
    pub(crate) async fn new(script: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(listen(listener, Arc::new(script), Arc::clone(&asked)));
        Self { url, asked }
    }

    /// The requests for an operation, in order.
    pub(crate) fn asked(&self, operation: &str) -> Vec<Asked> {
        let asked = self.asked.lock().expect("not poisoned");
        let matches = asked.iter().filter(|one| one.operation == operation);
        matches.cloned().collect()
    }

    pub(crate) fn count(&self, operation: &str) -> usize {
        self.asked(operation).len()
    }
}

async fn listen(listener: TcpListener, script: Arc<Script>, asked: Arc<Mutex<Vec<Asked>>>) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(serve(socket, Arc::clone(&script), Arc::clone(&asked)));
    }
}

async fn serve(socket: TcpStream, script: Arc<Script>, asked: Arc<Mutex<Vec<Asked>>>) {
    let play = service_fn(|request| {
        let (script, asked) = (Arc::clone(&script), Arc::clone(&asked));
        async move {
            let one = heard(request, &asked).await;
            perform(script(&one)).await
        }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    let _ended = connection
        .serve_connection(TokioIo::new(socket), play)
        .await;
}

async fn heard(request: Request<Incoming>, asked: &Mutex<Vec<Asked>>) -> Asked {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.map_or_else(String::new, |value| {
            value.to_str().expect("text").to_owned()
        })
    };
    let (target, signature) = (header("x-amz-target"), header("authorization"));
    let user_agent = request.headers().get_all("user-agent").iter();
    let user_agent = user_agent.map(|value| value.to_str().expect("text").to_owned());
    let user_agent = user_agent.collect();
    let scope = signature.split("Credential=").nth(1).unwrap_or_default();
    let mut scope = scope.split('/').map(str::to_owned);
    let (key, _, region) = (scope.next(), scope.next(), scope.next());
    let body = request.into_body().collect().await.expect("a body");
    let body = String::from_utf8(body.to_bytes().to_vec()).expect("text");
    let form = body
        .split('&')
        .find_map(|pair| pair.strip_prefix("Action="));
    let operation = match target.rsplit_once('.') {
        Some((_, operation)) => operation.to_owned(),
        None => form.unwrap_or_default().to_owned(),
    };
    let mut asked = asked.lock().expect("not poisoned");
    let one = Asked {
        nth: asked.iter().filter(|o| o.operation == operation).count(),
        operation,
        key: key.unwrap_or_default(),
        region: region.unwrap_or_default(),
        user_agent,
        body,
    };
    asked.push(one.clone());
    one
}

async fn perform(reply: Reply) -> Result<Response<Body>, io::Error> {
    let answer = |status: u16| {
        let status = StatusCode::from_u16(status).expect("a status");
        Response::builder().status(status)
    };
    let whole = |text: String| {
        let body = http_body_util::Full::new(Bytes::from(text));
        BoxBody::new(body.map_err(|never: Infallible| match never {}))
    };
    let answered = match reply {
        Reply::Say(status, kind, text) => answer(status)
            .header("content-type", kind)
            .header("x-amzn-requestid", "request-1")
            .body(whole(text)),
        Reply::SayAt(status, kind, text, date) => answer(status)
            .header("content-type", kind)
            .header("date", date)
            .body(whole(text)),
        Reply::SayWith(status, (name, value)) => answer(status)
            .header(name, value)
            .body(whole(String::new())),
        Reply::CutShort(text) => {
            let part = stream::iter([Ok(Frame::data(Bytes::from(text)))]);
            let rest = stream::once(async {
                // What was sent must leave before the connection ends.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(io::Error::other("hang up"))
            });
            let body = StreamBody::new(part.chain(Box::pin(rest)));
            answer(200)
                .header("content-length", text.len() + 100)
                .body(BoxBody::new(body))
        }
        Reply::Endless => {
            let parts = stream::repeat_with(|| Ok(Frame::data(Bytes::from(vec![b' '; 65_536]))));
            answer(200).body(BoxBody::new(StreamBody::new(parts)))
        }
        Reply::HangUp => return Err(io::Error::other("hang up")),
        Reply::Silence => std::future::pending().await,
    };
    Ok(answered.expect("a response"))
}

/// The stage behind TLS, by this certificate and key; tells its address.
pub(crate) async fn in_tls(stage: &Stage, certificate: &str, key: &str) -> String {
    let certificates = CertificateDer::pem_file_iter(certificate).expect("a file");
    let certificates = certificates
        .map(|one| one.expect("a certificate"))
        .collect();
    let key = PrivateKeyDer::from_pem_file(key).expect("a key");
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("a pair");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let plain = stage.url.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut outside) = acceptor.accept(socket).await else {
                continue;
            };
            let mut inside = TcpStream::connect(&plain).await.expect("the stage");
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut outside, &mut inside).await },
            );
        }
    });
    format!("https://localhost:{port}")
}
