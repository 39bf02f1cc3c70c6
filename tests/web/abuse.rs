//! Clients that do not behave. Each test is bounded in time, and most scrape meanwhile as Prometheus would.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::fleet::many;
use crate::house::{House, PATIENCE, Told, many_files};

/// Sends the beginning of a request, then a byte now and then, until the server has enough. Returns how long that took.
async fn drip(mut stream: TcpStream) -> Duration {
    let began = Instant::now();
    let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nx: ").await;
    let mut buf = [0; 1024];
    loop {
        match timeout(Duration::from_millis(500), stream.read(&mut buf)).await {
            Ok(Ok(0) | Err(_)) => return began.elapsed(),
            Ok(Ok(_)) => {}
            Err(_) => {
                let _ = stream.write_all(b"x").await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_dripping_connections_are_closed_and_keep_no_scraper_out() {
    many_files();
    let house = House::open();
    let mut drips = JoinSet::new();
    for n in (0..40).cycle().take(1000) {
        drips.spawn(drip(house.connect_from(n).await));
    }
    let mut slowest = Duration::ZERO;
    let mut scrapes = 0;
    let mut longest_drip = Duration::ZERO;
    while !drips.is_empty() {
        let began = Instant::now();
        let told = house.get("/metrics").await;
        slowest = slowest.max(began.elapsed());
        assert_eq!(told.status(), 200, "{}", told.head);
        scrapes += 1;
        let next = began + Duration::from_millis(100);
        while let Ok(Some(drip)) = tokio::time::timeout_at(next.into(), drips.join_next()).await {
            longest_drip = longest_drip.max(drip.expect("no panic"));
        }
    }
    println!("longest drip {longest_drip:?}, {scrapes} scrapes, slowest {slowest:?}");
    assert!(longest_drip < Duration::from_secs(6), "{longest_drip:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drips_from_the_scrapers_own_address_do_not_keep_it_out_either() {
    let house = House::open();
    let mut drips = JoinSet::new();
    for _ in 0..100 {
        drips.spawn(drip(house.connect().await));
    }
    for _ in 0..20 {
        let began = Instant::now();
        assert_eq!(house.get("/metrics").await.status(), 200);
        assert!(began.elapsed() < Duration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_stop_reading_keep_no_scraper_out() {
    let house = House::open();
    let mut lazy = Vec::new();
    for n in 0..64 {
        let mut stream = house.connect_from(n % 8).await;
        let asks = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".repeat(50);
        let _ = timeout(Duration::from_millis(50), stream.write_all(asks.as_bytes())).await;
        lazy.push(stream);
    }
    let end = Instant::now() + Duration::from_secs(2);
    let mut good = 0;
    while Instant::now() < end {
        let began = Instant::now();
        let told = house.get("/metrics").await;
        assert!(began.elapsed() < Duration::from_secs(1));
        assert!(matches!(told.status(), 200 | 503));
        good += u32::from(told.status() == 200);
        sleep(Duration::from_millis(50)).await;
    }
    assert!(good > 10, "{good} scrapes went well");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_scrapes_at_once_are_answered_200_or_503() {
    many_files();
    let house = Arc::new(House::open());
    let mut scrapes = JoinSet::new();
    for _ in 0..2000 {
        let house = Arc::clone(&house);
        scrapes.spawn(async move { house.get("/metrics").await.status() });
    }
    let (mut good, mut busy) = (0, 0);
    while let Some(status) = scrapes.join_next().await {
        match status.expect("no reset, no timeout") {
            200 => good += 1,
            503 => busy += 1,
            other => panic!("{other}"),
        }
    }
    println!("{good} times 200, {busy} times 503");
    assert!(good > 0);
    assert_eq!(house.get("/metrics").await.status(), 200);
}

#[tokio::test]
async fn too_large_a_head_is_refused() {
    let house = House::open();
    let long = "x".repeat(20_000);
    let many = "\r\nx: y".repeat(100);
    for request in [
        format!("GET /{long} HTTP/1.1"),
        format!("GET /?{long} HTTP/1.1"),
        format!("GET /metrics HTTP/1.1\r\nx: {long}"),
        format!("GET /metrics HTTP/1.1{many}"),
    ] {
        let status = house.ask(&request).await.status();
        assert!(matches!(status, 414 | 431), "{status}");
    }
    let many = "\r\nx: y".repeat(60);
    let told = house.ask(&format!("GET /metrics HTTP/1.1{many}")).await;
    assert_eq!(told.status(), 200);
}

#[tokio::test]
async fn a_body_is_refused_and_what_follows_is_no_request() {
    let house = House::open();
    let smuggled = "GET /-/healthy HTTP/1.1\r\nhost: x\r\n\r\n";
    let length = smuggled.len();
    for request in [
        format!("GET /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{smuggled}"),
        format!(
            "GET /metrics HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!(
            "GET /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!(
            "POST /-/reload HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
        ),
        format!(
            "GET /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{smuggled}"
        ),
    ] {
        let mut stream = house.connect().await;
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut all = Vec::new();
        // The server closes with unread bytes, so the end may be a reset.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut all))
            .await
            .expect("closed");
        let text = String::from_utf8_lossy(&all);
        assert_eq!(Told::from_bytes(&all).status(), 400, "{request}\n{text}");
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{request}\n{text}");
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let house = House::open();
    let mut stream = house.connect().await;
    let ask = |path| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let last = "GET /-/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let all = ask("/-/healthy") + &ask("/nothing") + last;
    stream.write_all(all.as_bytes()).await.expect("sent");
    let mut told = String::new();
    stream.read_to_string(&mut told).await.expect("text");
    let codes: Vec<_> = told
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| &told[at + 9..at + 12])
        .collect();
    assert_eq!(codes, ["200", "404", "503"]);
}

#[tokio::test]
async fn what_is_not_http_1_is_refused_and_closed() {
    let house = House::open();
    let tls = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    let junk: &[&[u8]] = &[
        &tls,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /metrics\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nna me: x\r\n\r\n",
    ];
    for bytes in junk {
        let mut stream = house.connect().await;
        stream.write_all(bytes).await.expect("sent");
        let mut told = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut told))
            .await
            .expect("closed");
        let status = Told::from_bytes(&told).status();
        assert!(matches!(status, 0 | 400), "{status} for {bytes:?}");
    }
    assert_eq!(house.get("/metrics").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_methods_and_paths_make_no_new_series() {
    let house = House::open();
    let series = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    let before = series(&house.get("/metrics").await.text());
    let mut tasks = JoinSet::new();
    for task in 0..20_u64 {
        let mut stream = house.connect().await;
        tasks.spawn(async move {
            let mut random = fastrand::Rng::with_seed(task);
            for _ in 0..500 {
                let method: String = (0..random.usize(1..10))
                    .map(|_| random.uppercase())
                    .collect();
                let path: String = (0..random.usize(0..40))
                    .map(|_| random.alphanumeric())
                    .collect();
                let ask = format!("{method} /{path} HTTP/1.1\r\nhost: x\r\n\r\n");
                stream.write_all(ask.as_bytes()).await.expect("sent");
                let mut answer = [0; 1024];
                let read = stream.read(&mut answer).await.expect("answered");
                let status = Told::from_bytes(&answer[..read]).status();
                assert!(matches!(status, 404 | 405), "{status} for {ask}");
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(series(&house.get("/metrics").await.text()), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_vanish_leave_nothing_behind() {
    let house = House::open();
    for _ in 0..100 {
        let mut stream = house.connect().await;
        let _ = stream
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
            .await;
        drop(stream);
    }
    let idle = "cloudtrail_exporter_http_requests_in_flight 1\n";
    let deadline = Instant::now() + PATIENCE;
    while !house.get("/metrics").await.text().contains(idle) {
        assert!(Instant::now() < deadline, "requests are still in flight");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_cuts_no_scrape_and_waits_for_no_idle_client() {
    let mut house = House::open();
    let _idle = house.connect().await;
    let mut scrapes = JoinSet::new();
    for n in 0..50 {
        let stream = house.connect_from(n).await;
        scrapes.spawn(async move {
            let (read, mut write) = stream.into_split();
            let head = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
            write.write_all(head).await.expect("sent");
            Told::read(read.reunite(write).expect("halves")).await
        });
    }
    let began = Instant::now();
    house.stop();
    while let Some(told) = scrapes.join_next().await {
        let told = told.expect("not reset");
        let whole = told.body.ends_with(b"0\r\n\r\n") || told.header("content-length").is_some();
        assert!(matches!(told.status(), 200 | 503) && whole, "{}", told.head);
    }
    house.close().await;
    assert!(began.elapsed() < Duration::from_secs(2));
}

/// Asks for a large answer and reads nothing of it.
async fn ask_and_not_read(house: &House, last_byte: u8) -> TcpStream {
    let mut stream = house.connect_from(last_byte).await;
    let _ = stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
        .await;
    stream
}

/// Scrapes from another address than those that do not read; how many, and how long the slowest took.
async fn scrape_for(house: &House, time: Duration) -> (u32, Duration) {
    let (end, mut scrapes, mut slowest) = (Instant::now() + time, 0, Duration::ZERO);
    while Instant::now() < end {
        let began = Instant::now();
        let told = house.get("/metrics").await;
        assert_eq!(told.status(), 200, "after {scrapes}: {}", told.head);
        assert!(told.text().ends_with('\n'), "whole");
        slowest = slowest.max(began.elapsed());
        scrapes += 1;
        sleep(Duration::from_millis(50)).await;
    }
    (scrapes, slowest)
}

/// A server with an answer larger than what the kernel holds for a reader that does not read.
fn with_a_large_answer() -> Arc<House> {
    many_files();
    let house = House::open();
    house.snapshot.send_replace(many(1000));
    Arc::new(house)
}

/// So many requests a second, one of each address in turn, none of which is read; the oldest connections are given up.
async fn never_read(house: Arc<House>, addresses: std::ops::Range<u8>, each: Duration) {
    let mut held = std::collections::VecDeque::new();
    let mut tick = tokio::time::interval(each);
    for last_byte in addresses.cycle() {
        tick.tick().await;
        held.push_back(ask_and_not_read(&house, last_byte).await);
        if held.len() > 1000 {
            held.pop_front();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_that_never_reads_costs_a_scraper_nothing() {
    let house = with_a_large_answer();
    let each = Duration::from_millis(50);
    let flood = tokio::spawn(never_read(Arc::clone(&house), 1..2, each));
    let (scrapes, slowest) = scrape_for(&house, Duration::from_secs(5)).await;
    println!("{scrapes} scrapes, slowest {slowest:?}");
    flood.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_hundred_requests_a_second_that_are_never_read_cost_a_scraper_nothing() {
    let house = with_a_large_answer();
    let each = Duration::from_micros(2500);
    let flood = tokio::spawn(never_read(Arc::clone(&house), 1..9, each));
    let (scrapes, slowest) = scrape_for(&house, Duration::from_secs(8)).await;
    println!("{scrapes} scrapes, slowest {slowest:?}");
    assert!(!flood.is_finished());
    flood.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scrapers_own_address_may_hold_answers_that_are_not_read() {
    let house = with_a_large_answer();
    let mut held = Vec::new();
    for _ in 0..20 {
        let mut stream = house.connect().await;
        let ask = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
        stream.write_all(ask).await.expect("sent");
        held.push(stream);
    }
    // All of them hold a place, until the kernel holds all it will for each.
    let (scrapes, _) = scrape_for(&house, Duration::from_secs(1)).await;
    assert!(scrapes > 0);
}

/// An answer that was put aside for others goes on when its reader does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_gets_its_answer_whole_although_others_were_served_meanwhile() {
    let house = with_a_large_answer();
    let mut slow = Vec::new();
    for n in 0..20 {
        let mut stream = house.connect_from(n).await;
        let ask = b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(ask).await.expect("sent");
        slow.push(stream);
        sleep(Duration::from_millis(25)).await;
    }
    let whole = house.get("/metrics").await.text().lines().count();
    for stream in slow {
        let told = Told::read(stream).await;
        assert_eq!(told.status(), 200, "{}", told.head);
        assert_eq!(told.text().lines().count(), whole);
    }
}
