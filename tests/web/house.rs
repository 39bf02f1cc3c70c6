//! A running server, and a client that sends exactly the bytes it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cloudtrail_exporter::self_metrics::{Build, SelfMetrics};
use cloudtrail_exporter::snapshot::Snapshot;
use cloudtrail_exporter::web::{Listener, ReloadRequest, Server, WebFile, WebSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// No answer takes this long; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Both ends of a thousand connections are in this process.
pub(crate) fn many_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("our own limit");
}

/// A running server.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) snapshot: watch::Sender<Arc<Snapshot>>,
    pub(crate) reloads: mpsc::Receiver<ReloadRequest>,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl House {
    /// One with the usual settings, lifecycle enabled, on an empty snapshot.
    pub(crate) fn open() -> Self {
        Self::with(WebSettings::default())
    }

    pub(crate) fn with(settings: WebSettings) -> Self {
        Self::build(settings, None)
    }

    /// One behind a web configuration.
    pub(crate) fn guarded(path: &std::path::Path) -> Self {
        let file = WebFile::load(path).expect("a good file");
        Self::build(WebSettings::default(), Some(file))
    }

    fn build(settings: WebSettings, file: Option<WebFile>) -> Self {
        let build = Build {
            version: "0",
            revision: "r",
            rustc: "c",
            target: "t",
        };
        let metrics = SelfMetrics::new(build).expect("self metrics");
        metrics.config_loaded("0123456789ab", 0.0);
        let (snapshot, reader) = watch::channel(Arc::default());
        let (reload, reloads) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel();
        let server = Server {
            snapshot: reader,
            self_metrics: metrics,
            settings,
            reload: Some(reload),
            file,
        };
        let listener = Listener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(server.serve(vec![listener], async {
            let _ = stopped.await;
        }));
        Self {
            address,
            snapshot,
            reloads,
            stop: Some(stop),
            serving,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("connected")
    }

    /// From another address of the loopback network.
    pub(crate) async fn connect_from(&self, last_byte: u8) -> TcpStream {
        let socket = TcpSocket::new_v4().expect("a socket");
        let from = SocketAddr::from(([127, 0, 1, last_byte], 0));
        socket.bind(from).expect("a loopback address");
        socket.connect(self.address).await.expect("connected")
    }

    /// One request on a connection of its own; `head` without the last empty line.
    pub(crate) async fn ask(&self, head: &str) -> Told {
        let mut stream = self.connect().await;
        let request = format!("{head}\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        Told::read(stream).await
    }

    pub(crate) async fn get(&self, path: &str) -> Told {
        self.ask(&format!("GET {path} HTTP/1.1")).await
    }

    /// Begins to stop.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Stops, and waits until that is done.
    pub(crate) async fn close(mut self) {
        self.stop();
        let stopped = timeout(PATIENCE, self.serving).await;
        stopped.expect("in time").expect("no panic");
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Told {
    /// All that comes until the server closes.
    pub(crate) async fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
        read.expect("in time").expect("no reset");
        Self::from_bytes(&bytes)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or(bytes.len());
        Self {
            head: String::from_utf8_lossy(&bytes[..end]).into_owned(),
            body: bytes[(end + 4).min(bytes.len())..].to_vec(),
        }
    }

    /// The status code; 0 if nothing came.
    pub(crate) fn status(&self) -> u16 {
        let code = self.head.split(' ').nth(1);
        code.and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .next()
    }

    /// The body, put together if it came in chunks.
    pub(crate) fn whole_body(&self) -> Vec<u8> {
        if self.header("transfer-encoding") != Some("chunked") {
            return self.body.clone();
        }
        let (mut whole, mut rest) = (Vec::new(), &self.body[..]);
        loop {
            let end = rest
                .windows(2)
                .position(|two| two == b"\r\n")
                .expect("a size");
            let size = std::str::from_utf8(&rest[..end]).expect("text");
            let size = usize::from_str_radix(size, 16).expect("a number");
            if size == 0 {
                return whole;
            }
            let chunk = &rest[end + 2..];
            whole.extend(&chunk[..size]);
            rest = &chunk[size + 2..];
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.whole_body()).into_owned()
    }
}
