//! The simulator over real sockets, asked by a client that sees every byte.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail where it stands"
)]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use aws_simulator::{Effect, Fault, Simulator, World};
use serde_json::{Value, json};

const WORLD: &str = r#"
accounts: [{ id: "999999999999", trails: [{ name: main }] }]
"#;

fn start(text: &str) -> Simulator {
    Simulator::start(World::parse(text).unwrap(), "127.0.0.1:0".parse().unwrap()).unwrap()
}

fn with(effect: Effect) -> Simulator {
    let simulator = start(WORLD);
    simulator.change(|world| world.faults.push(Fault::always(effect)));
    simulator
}

/// What came back before the end, and how it ended.
struct Raw {
    bytes: Vec<u8>,
    end: Option<ErrorKind>,
}

impl Raw {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn body(&self) -> String {
        self.text()
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned())
            .unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body())
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// Sends one request and reads to the end of the connection, or for at most `patience`.
async fn send(simulator: &Simulator, request: String, patience: Duration) -> Raw {
    let address = simulator.address();
    let exchange = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(patience)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        let end = stream
            .read_to_end(&mut bytes)
            .err()
            .map(|error| error.kind());
        Raw { bytes, end }
    };
    tokio::task::spawn_blocking(exchange).await.unwrap()
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

fn describe_trails() -> String {
    let scope = "AKIAIOSFODNN7EXAMPLE/20260131/us-east-1/cloudtrail/aws4_request";
    let headers = format!(
        "Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\
         X-Amz-Target: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails\r\n"
    );
    request("POST", "/", &headers, "{}")
}

async fn ask(simulator: &Simulator) -> Raw {
    send(simulator, describe_trails(), Duration::from_secs(10)).await
}

async fn control(simulator: &Simulator, method: &str, path: &str, body: &str) -> Value {
    send(
        simulator,
        request(method, &format!("/_simulator/{path}"), "", body),
        Duration::from_secs(10),
    )
    .await
    .json()
}

#[tokio::test]
async fn an_answer_has_the_headers_of_aws() {
    let simulator = start(WORLD);
    let raw = ask(&simulator).await;
    let head = raw.text().to_lowercase();
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    for header in [
        "content-type: application/x-amz-json-1.1",
        "x-amzn-requestid: ",
        "date: ",
        "content-length: ",
    ] {
        assert!(head.contains(header), "{header} in {head}");
    }
    assert_eq!(raw.json()["trailList"][0]["Name"], "main");
}

#[tokio::test]
async fn an_error_names_its_type_in_a_header_too() {
    let simulator = with(Effect::Throttle);
    let raw = ask(&simulator).await;
    assert!(
        raw.text()
            .to_lowercase()
            .contains("x-amzn-errortype: throttlingexception"),
        "{}",
        raw.text()
    );
    assert_eq!(
        raw.json(),
        json!({"__type": "ThrottlingException", "message": "Rate exceeded"})
    );
}

#[tokio::test]
async fn a_reset_is_a_reset_and_a_close_is_a_close() {
    let reset = ask(&with(Effect::Reset)).await;
    assert_eq!(
        (reset.bytes.len(), reset.end),
        (0, Some(ErrorKind::ConnectionReset))
    );
    let close = ask(&with(Effect::Close)).await;
    assert_eq!((close.bytes.len(), close.end), (0, None));
}

#[tokio::test]
async fn a_hang_says_nothing_and_a_hang_in_the_body_says_half() {
    let patience = Duration::from_millis(300);
    let silent = send(&with(Effect::Hang), describe_trails(), patience).await;
    assert_eq!(
        (silent.bytes.len(), silent.end),
        (0, Some(ErrorKind::WouldBlock))
    );
    let half = send(&with(Effect::HangBody), describe_trails(), patience).await;
    assert_eq!(half.end, Some(ErrorKind::WouldBlock));
    assert!(half.body().starts_with("{\"trailList\""), "{}", half.text());
    assert!(serde_json::from_str::<Value>(&half.body()).is_err());
}

#[tokio::test]
async fn a_cut_body_ends_before_its_promised_length() {
    let raw = ask(&with(Effect::CutBody)).await;
    let text = raw.text().to_lowercase();
    let promised = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .unwrap();
    assert!(promised.parse::<usize>().unwrap() > raw.body().len());
}

#[tokio::test]
async fn a_drip_is_slow_and_whole() {
    let (simulator, started) = (with(Effect::Drip(Duration::from_millis(1))), Instant::now());
    let raw = ask(&simulator).await;
    assert_eq!(raw.json()["trailList"][0]["Name"], "main");
    assert!(started.elapsed() >= Duration::from_millis(u64::try_from(raw.body().len()).unwrap()));
}

#[tokio::test]
async fn a_huge_body_is_streamed_and_still_a_document() {
    let raw = ask(&with(Effect::Huge(5 << 20))).await;
    assert!(raw.bytes.len() > 5 << 20);
    assert!(
        raw.text()
            .to_lowercase()
            .contains("transfer-encoding: chunked")
    );
}

#[tokio::test]
async fn latency_is_waited_and_requests_in_flight_are_counted() {
    let base = Duration::from_millis(200);
    let simulator = with(Effect::Latency {
        base,
        jitter: Duration::ZERO,
    });
    let started = Instant::now();
    tokio::join!(ask(&simulator), ask(&simulator), ask(&simulator));
    assert!(started.elapsed() >= base);
    assert_eq!(
        (
            simulator.max_concurrent(),
            simulator.requests("DescribeTrails")
        ),
        (3, 3)
    );
}

#[tokio::test]
async fn the_state_can_be_read_and_the_books_emptied() {
    let simulator = start(WORLD);
    ask(&simulator).await;
    let state = control(&simulator, "GET", "state", "").await;
    let count = json!({"service": "cloudtrail", "operation": "DescribeTrails", "account": "999999999999", "region": "us-east-1", "requests": 1});
    assert_eq!(
        (
            &state["counts"],
            &state["requests"],
            &state["max_concurrent_requests"]
        ),
        (&json!([count]), &json!(1), &json!(1))
    );
    assert_eq!(
        control(&simulator, "POST", "reset-counts", "").await,
        json!({"ok": true})
    );
    assert_eq!(control(&simulator, "GET", "state", "").await["requests"], 0);
}

#[tokio::test]
async fn the_world_can_be_changed_and_replaced_from_outside() {
    let simulator = start(WORLD);
    let change = r#"{"account": "999999999999", "trail": "main", "set": {"multi_region": false}}"#;
    assert_eq!(
        control(&simulator, "PATCH", "world", change).await,
        json!({"ok": true})
    );
    assert_eq!(
        ask(&simulator).await.json()["trailList"][0]["IsMultiRegionTrail"],
        false
    );
    assert_eq!(
        control(
            &simulator,
            "PUT",
            "world",
            "accounts: [{id: \"999999999999\"}]"
        )
        .await,
        json!({"ok": true})
    );
    assert_eq!(ask(&simulator).await.json(), json!({"trailList": []}));
}

#[tokio::test]
async fn a_bad_world_from_outside_is_refused_and_the_old_one_stays() {
    let simulator = start(WORLD);
    let answer = control(&simulator, "PUT", "world", "acounts: []").await;
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("unknown field `acounts`"),
        "{answer}"
    );
    assert_eq!(ask(&simulator).await.json()["trailList"][0]["Name"], "main");
}

#[tokio::test]
async fn the_timeline_runs_by_the_clock() {
    let simulator = start(&format!(
        "{WORLD}changes: [{{after: 100ms, account: \"999999999999\", trail: main, set: {{name: renamed}}}}]"
    ));
    let deadline = Instant::now() + Duration::from_secs(10);
    while ask(&simulator).await.json()["trailList"][0]["Name"] != "renamed" {
        assert!(Instant::now() < deadline, "the change never came");
    }
    assert_eq!(simulator.state()["changes_made"], 1);
}

#[tokio::test]
async fn a_dropped_simulator_is_gone() {
    let simulator = start(WORLD);
    let address = simulator.address();
    drop(simulator);
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < deadline, "still listening");
        tokio::task::yield_now().await;
    }
}
