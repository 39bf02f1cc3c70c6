//! The health check, as a container asks it.

use std::time::{Duration, Instant};

use cloudtrail_exporter::web::healthcheck;
use tokio::net::TcpListener;

use crate::house::House;
use crate::papers::Papers;

fn url(scheme: &str, house: &House) -> String {
    format!("{scheme}://{}/-/healthy", house.address)
}

#[tokio::test]
async fn an_exporter_that_answers_is_healthy() {
    let house = House::open();
    assert_eq!(healthcheck(&url("http", &house)).await, Ok(()));
    for name in ["users", "tls", "mtls", "users_tls"] {
        let papers = Papers::new();
        let house = House::guarded(&papers.good(name));
        let scheme = if name == "users" { "http" } else { "https" };
        assert_eq!(healthcheck(&url(scheme, &house)).await, Ok(()), "{name}");
    }
}

#[tokio::test]
async fn without_a_page_in_the_address_the_cheapest_is_asked() {
    let house = House::open();
    for slash in ["", "/"] {
        let url = format!("http://{}{slash}", house.address);
        assert_eq!(healthcheck(&url).await, Ok(()));
    }
    let counted = "http_requests_total{code=\"200\",handler=\"healthy\"} 2";
    let metrics = house.get("/metrics").await.text();
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn an_exporter_that_does_not_answer_is_not() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = silent.local_addr().expect("an address");
    let began = Instant::now();
    let error = healthcheck(&format!("http://{address}/")).await;
    assert!(error.expect_err("silent").contains("no answer"));
    assert!(began.elapsed() < Duration::from_secs(4));
    drop(silent);
    assert!(healthcheck(&format!("http://{address}/")).await.is_err());
    let house = House::open();
    let ready = format!("http://{}/-/ready", house.address);
    let error = healthcheck(&ready).await.expect_err("not ready");
    assert!(error.ends_with("503 Service Unavailable"), "{error}");
}

#[tokio::test]
async fn only_this_machine_is_asked_without_looking_at_its_certificate() {
    for url in [
        "https://192.0.2.1/",
        "https://example.com/",
        "ftp://localhost/",
        "localhost",
        "",
    ] {
        assert!(healthcheck(url).await.is_err(), "{url}");
    }
}
