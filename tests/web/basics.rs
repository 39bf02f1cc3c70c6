//! Every page, as an ordinary client meets it.

use std::sync::Arc;

use cloudtrail_exporter::snapshot::Snapshot;
use cloudtrail_exporter::web::WebSettings;

use crate::house::House;

#[tokio::test]
async fn a_scrape_is_the_exposition_and_says_what_it_varies_by() {
    let house = House::open();
    let told = house.get("/metrics").await;
    assert_eq!(told.status(), 200);
    assert_eq!(
        told.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert_eq!(told.header("vary"), Some("Accept, Accept-Encoding"));
    assert_eq!(told.header("x-content-type-options"), Some("nosniff"));
    assert!(told.text().contains("cloudtrail_exporter_build_info{"));
    house.close().await;
}

#[tokio::test]
async fn a_scrape_is_compressed_for_those_who_ask() {
    let house = House::open();
    let told = house
        .ask("GET /metrics HTTP/1.1\r\naccept-encoding: gzip")
        .await;
    assert_eq!(told.header("content-encoding"), Some("gzip"));
    let plain = house.get("/metrics").await;
    assert_eq!(plain.header("content-encoding"), None);
    assert!(told.body.len() * 2 < plain.body.len());
}

#[tokio::test]
async fn healthy_never_depends_on_a_poll_but_ready_does() {
    let house = House::open();
    assert_eq!(house.get("/-/healthy").await.status(), 200);
    assert_eq!(house.get("/-/ready").await.status(), 503);
    let ready = Snapshot {
        ready: true,
        ..Snapshot::default()
    };
    house.snapshot.send_replace(Arc::new(ready));
    assert_eq!(house.get("/-/ready").await.status(), 200);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let house = House::open();
    for path in ["/metrics", "/-/healthy", "/-/ready"] {
        let get = house.get(path).await;
        let head = house.ask(&format!("HEAD {path} HTTP/1.1")).await;
        assert_eq!(head.status(), get.status(), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert_eq!(head.header("content-length"), get.header("content-length"));
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn other_methods_and_other_paths_are_refused() {
    let house = House::open();
    let told = house.ask("DELETE /metrics HTTP/1.1").await;
    assert_eq!(
        (told.status(), told.header("allow")),
        (405, Some("GET, HEAD"))
    );
    let told = house.ask("GET /-/reload HTTP/1.1").await;
    assert_eq!((told.status(), told.header("allow")), (405, Some("POST")));
    assert_eq!(house.get("/nothing").await.status(), 404);
}

#[tokio::test]
async fn a_reload_answers_with_its_outcome() {
    let mut house = House::open();
    let (_, closed) = tokio::sync::mpsc::channel(1);
    let mut wishes = std::mem::replace(&mut house.reloads, closed);
    let outcomes = [Ok(()), Err("poll.interval: write 5m".to_owned())];
    let daemon = tokio::spawn(async move {
        for outcome in outcomes {
            let wish = wishes.recv().await.expect("a wish");
            wish.send(outcome).expect("somebody waits");
        }
    });
    let post = || house.ask("POST /-/reload HTTP/1.1\r\ncontent-length: 0");
    assert_eq!(post().await.status(), 200);
    let told = post().await;
    assert_eq!(told.status(), 500);
    assert_eq!(told.text(), "poll.interval: write 5m\n");
    daemon.await.expect("no panic");
}

#[tokio::test]
async fn the_telemetry_path_can_be_moved() {
    let settings = WebSettings {
        telemetry_path: "/cloudtrail".parse().expect("a path"),
        ..WebSettings::default()
    };
    let house = House::with(settings);
    assert_eq!(house.get("/cloudtrail").await.status(), 200);
    assert_eq!(house.get("/metrics").await.status(), 404);
}

#[tokio::test]
async fn requests_are_counted_by_handler_and_code() {
    let house = House::open();
    house.get("/-/healthy").await;
    house.get("/nothing").await;
    let text = house.get("/metrics").await.text();
    let count = |handler, code| {
        let name = "cloudtrail_exporter_http_requests_total";
        format!("{name}{{code=\"{code}\",handler=\"{handler}\"}} 1\n")
    };
    assert!(text.contains(&count("healthy", 200)));
    assert!(text.contains(&count("other", 404)));
    assert!(text.contains("cloudtrail_exporter_http_requests_in_flight 1\n"));
}
