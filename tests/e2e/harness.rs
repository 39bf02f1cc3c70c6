//! The real binary as a child process, asked over real sockets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long a condition may take on a busy machine before the test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Polls until `probe` gives something, or fails after [`PATIENCE`].
pub fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A command for the binary under test, with nothing of the caller's AWS settings and simulated credentials. A daemon listens on a free port, so that
/// another one on this machine is in nobody's way.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloudtrail-exporter"));
    for (name, _) in std::env::vars() {
        if name.starts_with("AWS_")
            || name.starts_with("CLOUDTRAIL_EXPORTER_")
            || name.to_lowercase().ends_with("_proxy")
        {
            command.env_remove(name);
        }
    }
    command
        .args(args)
        .env("CLOUDTRAIL_EXPORTER_WEB_LISTEN_ADDRESS", "127.0.0.1:0")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    child: Child,
    /// Where it listens.
    pub address: String,
    log: Arc<Mutex<String>>,
}

impl Daemon {
    /// Starts `command` with a port of its own choosing, and waits until it listens.
    pub fn start(mut command: Command) -> Self {
        let mut child = command
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let mut log = sink.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let address = eventually("it listens", || {
            let log = log.lock().unwrap();
            let ended = child.try_wait().unwrap();
            listening(&log)
                .or_else(|| ended.map(|status| panic!("{status} before it listens:\n{log}")))
        });
        Self {
            child,
            address,
            log,
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// One that was started otherwise and whose log is not read; waits until it answers.
    pub fn adopt(child: Child, address: String) -> Self {
        let daemon = Self {
            child,
            address,
            log: Arc::default(),
        };
        eventually("it answers", || {
            let answer = request(&daemon.address, "GET", "/-/healthy", &[]);
            answer.is_ok().then_some(())
        });
        daemon
    }

    /// Everything it logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// GET of a path: status, headers in lower case, body.
    pub fn get(&self, path: &str) -> Answer {
        request(&self.address, "GET", path, &[]).expect("an answer")
    }

    /// Any request.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        request(&self.address, method, path, headers).expect("an answer")
    }

    /// The samples of `/metrics`.
    pub fn metrics(&self) -> Samples {
        Samples::parse(&self.get("/metrics").body)
    }

    /// Waits until every account was polled.
    pub fn ready(&self) {
        eventually("ready", || {
            (self.get("/-/ready").status == 200).then_some(())
        });
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        kill(pid, signal).expect("the signal is sent");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        eventually("it ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the daemon ---\n{}", self.log());
        }
    }
}

/// The address in the line that tells it, in logfmt or JSON.
fn listening(log: &str) -> Option<String> {
    let line = log.lines().find(|l| l.contains("listening"))?;
    let (_, after) = line.split_once("127.0.0.1:")?;
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    Some(format!("127.0.0.1:{port}"))
}

/// One HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// One HTTP/1.1 request on a connection of its own.
pub fn request(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let head = head.to_lowercase();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|s| s.parse().ok())
        .unwrap_or(0);
    let body = if head.contains("transfer-encoding: chunked") {
        dechunk(body)
    } else {
        body.to_owned()
    };
    Ok(Answer { status, body })
}

fn dechunk(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk size");
        if size == 0 {
            break;
        }
        whole.push_str(&rest[..size]);
        body = &rest[size + 2..];
    }
    whole
}

/// The samples of a text exposition.
#[derive(Debug, Clone)]
pub struct Samples(pub Vec<(String, BTreeMap<String, String>, f64)>);

impl Samples {
    pub fn parse(text: &str) -> Self {
        Self(
            text.lines()
                .filter(|l| !l.starts_with('#') && !l.is_empty())
                .map(sample)
                .collect(),
        )
    }

    /// The samples of a name with at least these labels.
    pub fn all<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = (&'a BTreeMap<String, String>, f64)> {
        self.0
            .iter()
            .filter(move |(n, has, _)| {
                n == name
                    && labels
                        .iter()
                        .all(|(k, v)| has.get(*k).is_some_and(|h| h == v))
            })
            .map(|(_, labels, value)| (labels, *value))
    }

    /// The one sample of a name with these labels, if there is one.
    pub fn one(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let found: Vec<_> = self.all(name, labels).collect();
        assert!(found.len() < 2, "{name}{labels:?}: {found:?}");
        found.first().map(|(_, value)| *value)
    }

    /// The verdict on an account, by its id: state and reason.
    pub fn verdict(&self, id: &str) -> (String, String) {
        self.verdict_by("account_id", id)
    }

    /// The verdict on an account, by a label: state and reason.
    pub fn verdict_by(&self, label: &str, value: &str) -> (String, String) {
        let told = |name: &str, wanted: &str| {
            let mut hits = self
                .all(name, &[])
                .filter(|(l, v)| l.get(label).is_some_and(|h| h == value) && *v == 1.0);
            hits.next()
                .map(|(labels, _)| labels[wanted].clone())
                .unwrap_or_default()
        };
        (
            told("cloudtrail_account_compliance", "state"),
            told("cloudtrail_account_compliance_reason", "reason"),
        )
    }
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let (series, value) = line.rsplit_once(' ').expect("a sample");
    let value = value.parse().expect("a number");
    let Some((name, labels)) = series.split_once('{') else {
        return (series.to_owned(), BTreeMap::new(), value);
    };
    let mut pairs = BTreeMap::new();
    let mut rest = labels.trim_end_matches('}');
    while let Some((key, after)) = rest.split_once("=\"") {
        let mut escaped = false;
        let end = after.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        let end = end.expect("a closing quote");
        pairs.insert(
            key.trim_start_matches(',').to_owned(),
            after[..end].to_owned(),
        );
        rest = &after[end + 1..];
    }
    (name.to_owned(), pairs, value)
}
