//! Users, headers and the rate limit of the web configuration.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::house::{House, PATIENCE, Told, many_files};
use crate::papers::Papers;

const DAVE: &str = "ZGF2ZTpkYXZlMTIz";
const DAVE_WRONG: &str = "ZGF2ZTpiYWQ=";
const NOBODY: &str = "bm9ib2R5OmRhdmUxMjM=";

fn guarded(name: &str) -> (Papers, House) {
    let papers = Papers::new();
    let house = House::guarded(&papers.good(name));
    (papers, house)
}

async fn log_in(house: &House, login: &str) -> u16 {
    let head = format!("GET /-/healthy HTTP/1.1\r\nauthorization: Basic {login}");
    house.ask(&head).await.status()
}

#[tokio::test]
async fn every_page_asks_for_a_login() {
    let (_papers, house) = guarded("users");
    for path in [
        "/",
        "/metrics",
        "/-/healthy",
        "/api/v1/accounts",
        "/nothing",
    ] {
        let told = house.get(path).await;
        assert_eq!(told.status(), 401, "{path}");
        let challenge = told.header("www-authenticate").expect("a challenge");
        assert!(challenge.starts_with("Basic "), "{challenge}");
    }
    assert_eq!(log_in(&house, DAVE).await, 200);
    assert_eq!(log_in(&house, "Y2Fyb2wuYzpjYXJvbDEyMw==").await, 200);
    for login in [DAVE_WRONG, NOBODY, "", "!"] {
        assert_eq!(log_in(&house, login).await, 401, "{login}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_and_fifty_good_logins_and_as_many_bad_ones_at_once() {
    many_files();
    let (_papers, house) = guarded("users");
    let house = Arc::new(house);
    let mut logins = JoinSet::new();
    for n in 0..300 {
        let house = Arc::clone(&house);
        logins.spawn(async move {
            let (login, due) = if n % 2 == 0 {
                (DAVE, 200)
            } else {
                (DAVE_WRONG, 401)
            };
            let mut status = log_in(&house, login).await;
            // There are more of them than connections for one address.
            while status == 503 {
                status = log_in(&house, login).await;
            }
            assert_eq!(status, due);
        });
    }
    logins.join_all().await;
}

#[tokio::test]
async fn a_name_that_is_not_known_takes_as_long_as_one_that_is() {
    let papers = Papers::new();
    let hash = bcrypt::hash("secret", 5).expect("hashed");
    let text = format!("basic_auth_users:\n  dave: {hash}\n");
    let house = House::guarded(&papers.write("web.yml", &text));
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..15 {
        for (login, took) in [DAVE_WRONG, NOBODY].iter().zip(&mut took) {
            let began = Instant::now();
            assert_eq!(log_in(&house, login).await, 401);
            took.push(began.elapsed());
        }
    }
    let [known, unknown] = took.map(|mut all| {
        all.sort();
        all[all.len() / 2]
    });
    println!("known {known:?}, unknown {unknown:?}");
    assert!(
        unknown > known / 2 && unknown < known * 2,
        "{known:?} {unknown:?}"
    );
}

#[tokio::test]
async fn a_user_who_is_taken_out_is_let_in_no_more() {
    let (papers, house) = guarded("users");
    assert_eq!(log_in(&house, DAVE).await, 200);
    let text = papers.read("users.good.yml").replace("dave:", "erin:");
    papers.write("users.good.yml", &text);
    let deadline = Instant::now() + PATIENCE;
    while log_in(&house, DAVE).await != 401 {
        assert!(Instant::now() < deadline, "still let in");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_file_without_users_opens_no_door_that_was_locked() {
    let (papers, house) = guarded("users");
    papers.write("users.good.yml", "");
    let end = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < end {
        assert_eq!(house.get("/-/healthy").await.status(), 401);
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(log_in(&house, DAVE).await, 200);
}

#[tokio::test]
async fn every_answer_carries_the_operators_headers() {
    let (_papers, house) = guarded("headers");
    for path in ["/metrics", "/nothing"] {
        let told = house.get(path).await;
        assert_eq!(told.header("x-frame-options"), Some("deny"));
        assert_eq!(told.header("x-xss-protection"), Some("1; mode=block"));
        let csp = told.header("content-security-policy");
        assert_eq!(csp, Some("default-src 'none'"));
    }
}

#[tokio::test]
async fn too_many_requests_are_told_so() {
    let (_papers, house) = guarded("rate");
    let mut told = Vec::new();
    for _ in 0..10 {
        told.push(house.get("/-/healthy").await.status());
    }
    assert_eq!(told[..2], [200, 200]);
    assert!(told.contains(&429), "{told:?}");
    let (_papers, house) = guarded("rate_off");
    for _ in 0..10 {
        assert_eq!(house.get("/-/healthy").await.status(), 200);
    }
}

const SUCCESSFUL: &str = "cloudtrail_exporter_config_last_reload_successful";

async fn eventually_says(house: &House, login: &str, line: &str) {
    let head = format!("GET /metrics HTTP/1.1\r\nauthorization: Basic {login}");
    let deadline = Instant::now() + PATIENCE;
    while !house.ask(&head).await.text().contains(line) {
        assert!(Instant::now() < deadline, "never: {line}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn web_configuration_that_is_a_fifo_for_a_while_changes_nothing_and_is_read_again_after() {
    let (papers, house) = guarded("users");
    let path = papers.path("users.good.yml");
    let good = papers.read("users.good.yml");
    std::fs::remove_file(&path).expect("removed");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("made");
    eventually_says(&house, DAVE, &format!("{SUCCESSFUL} 0\n")).await;
    assert_eq!(log_in(&house, DAVE_WRONG).await, 401);
    std::fs::remove_file(&path).expect("removed");
    papers.write("users.good.yml", &good);
    eventually_says(&house, DAVE, &format!("{SUCCESSFUL} 1\n")).await;
    papers.write("users.good.yml", &good.replace("dave:", "erin:"));
    eventually_says(&house, "ZXJpbjpkYXZlMTIz", &format!("{SUCCESSFUL} 1\n")).await;
    assert_eq!(log_in(&house, DAVE).await, 401);
}

/// A hash that costs as much here as one of cost 12 does elsewhere, and how long it takes to check.
fn costly(password: &str) -> (String, Duration) {
    for cost in 4..14 {
        let hash = bcrypt::hash(password, cost).expect("hashed");
        let began = Instant::now();
        assert!(bcrypt::verify(password, &hash).expect("checked"));
        if began.elapsed() > Duration::from_millis(60) {
            return (hash, began.elapsed());
        }
    }
    unreachable!("a cost of 13 takes longer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_wrong_logins_from_eight_addresses_delay_a_good_one_little() {
    many_files();
    let papers = Papers::new();
    let (hash, takes) = costly("dave123");
    let text = format!("basic_auth_users:\n  dave: {hash}\n");
    let house = Arc::new(House::guarded(&papers.write("web.yml", &text)));
    let mut wrong = JoinSet::new();
    for n in 0..200_u8 {
        let house = Arc::clone(&house);
        wrong.spawn(async move {
            let mut stream = house.connect_from(n % 8).await;
            let login = STANDARD.encode(format!("dave:wrong{n}"));
            let ask = format!(
                "GET /-/healthy HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Basic {login}\r\n\r\n"
            );
            stream.write_all(ask.as_bytes()).await.expect("sent");
            Told::read(stream).await.status()
        });
    }
    // The queue is full when the first ones are told so.
    let told = wrong.join_next().await.expect("some").expect("no panic");
    assert!(matches!(told, 401 | 503), "{told}");
    let began = Instant::now();
    assert_eq!(log_in(&house, DAVE).await, 200);
    let took = began.elapsed();
    println!(
        "a check takes {takes:?}, the good login {took:?}; {} still wait",
        wrong.len()
    );
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(wrong.len() > 50, "the others still wait: {}", wrong.len());
    // From now on it is known, whatever else is being checked.
    let began = Instant::now();
    assert_eq!(log_in(&house, DAVE).await, 200);
    assert!(began.elapsed() < Duration::from_secs(1));
    let wrong = wrong.join_all().await;
    assert!(wrong.iter().all(|status| matches!(status, 401 | 503)));
    assert!(wrong.contains(&401));
}
