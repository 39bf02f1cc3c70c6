//! TLS and client certificates, as curl meets them.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::curl::{CERTIFICATE, Curled, GOT_NOTHING, RECEIVE, TLS_CONNECT, curl};
use crate::house::{House, PATIENCE};
use crate::papers::Papers;

/// A server behind one of the good files, and what it takes to ask it.
struct Secured {
    papers: Papers,
    house: House,
}

impl Secured {
    fn by(name: &str) -> Self {
        let papers = Papers::new();
        let house = House::guarded(&papers.good(name));
        Self { papers, house }
    }

    async fn curl(&self, more: &[&str]) -> Curled {
        let url = format!("https://localhost:{}/metrics", self.house.address.port());
        let mut args = vec!["--cacert", "ca.crt", "--ipv4", url.as_str()];
        args.extend(more);
        curl(&self.papers.path(""), &args).await
    }
}

#[tokio::test]
async fn a_client_that_trusts_the_authority_is_answered() {
    for name in ["tls", "suites_all", "curves_all", "http2_off", "http2_on"] {
        let curled = Secured::by(name).curl(&[]).await;
        assert_eq!((curled.exit, curled.status), (0, 200), "{name}: {curled:?}");
        assert!(curled.head.starts_with("HTTP/1.1 "), "{}", curled.head);
    }
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_leaves() {
    let secured = Secured::by("tls");
    let curled = secured.curl(&["--cacert", "client_ca.crt"]).await;
    assert_eq!(curled.exit, CERTIFICATE, "{curled:?}");
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_told_so() {
    let told = Secured::by("tls").house.get("/metrics").await;
    assert_eq!(told.status(), 400);
    assert_eq!(
        told.text(),
        "Client sent an HTTP request to an HTTPS server.\n"
    );
}

#[tokio::test]
async fn tls_on_the_plain_port_fails() {
    let secured = Secured::by("empty");
    assert_eq!(secured.house.get("/metrics").await.status(), 200);
    assert_eq!(secured.curl(&[]).await.exit, TLS_CONNECT);
}

/// What is asked for, and whether it is granted; in the notes stands what was agreed on.
#[tokio::test]
async fn versions_suites_and_curves_are_what_the_file_says() {
    let cases: [(&str, &[&str], Option<&str>); 11] = [
        ("tls", &["--tls-max", "1.1"], None),
        ("version_12", &["--tls-max", "1.2"], Some("TLSv1.2")),
        ("version_12", &["--tlsv1.3"], None),
        ("version_13", &[], Some("TLSv1.3")),
        ("version_13", &["--tls-max", "1.2"], None),
        (
            "suites_some",
            &["--ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384"],
            Some("AES256"),
        ),
        (
            "suites_some",
            &["--ciphers", "ECDHE-ECDSA-CHACHA20-POLY1305"],
            None,
        ),
        (
            "suites_some",
            &[
                "--ciphers",
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
            ],
            Some("AES128"),
        ),
        (
            "suites_client_order",
            &[
                "--ciphers",
                "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
            ],
            Some("AES256"),
        ),
        ("curves_some", &["--curves", "P-256"], Some("TLSv1.3")),
        ("curves_some", &["--curves", "P-384"], None),
    ];
    for (name, args, agreed) in cases {
        let curled = Secured::by(name).curl(args).await;
        match agreed {
            Some(what) => {
                assert_eq!(curled.status, 200, "{name} {args:?}: {curled:?}");
                let note = curled
                    .notes
                    .lines()
                    .find(|l| l.contains("SSL connection using"));
                assert!(
                    note.is_some_and(|n| n.contains(what)),
                    "{name} {args:?}: {note:?}"
                );
            }
            None => assert_eq!(curled.exit, TLS_CONNECT, "{name} {args:?}: {curled:?}"),
        }
    }
}

#[tokio::test]
async fn client_certificates_are_required_verified_and_named_as_the_file_says() {
    let none: &[&str] = &[];
    let good: &[&str] = &["--cert", "client.crt", "--key", "client.key"];
    let other: &[&str] = &["--cert", "other.crt", "--key", "other.key"];
    let foreign: &[&str] = &["--cert", "server.crt", "--key", "server.key"];
    for (name, args, granted) in [
        ("mtls", good, true),
        ("mtls", other, true),
        ("mtls", none, false),
        ("mtls", foreign, false),
        ("mtls_if_given", none, true),
        ("mtls_if_given", good, true),
        ("mtls_if_given", foreign, false),
        ("mtls_names", good, true),
        ("mtls_names", other, false),
        ("mtls_names", none, false),
    ] {
        let curled = Secured::by(name).curl(args).await;
        if granted {
            assert_eq!(curled.status, 200, "{name} {args:?}: {curled:?}");
        } else {
            // In TLS 1.3 the client has finished its part before it hears of it.
            let refused = [TLS_CONNECT, RECEIVE, GOT_NOTHING, 55];
            assert!(
                refused.contains(&curled.exit),
                "{name} {args:?}: {curled:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_and_a_bad_one_is_not() {
    let secured = Secured::by("tls");
    assert_eq!(secured.curl(&[]).await.status, 200);
    secured.papers.write("server.crt", "no certificate");
    let end = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < end {
        assert_eq!(
            secured.curl(&[]).await.status,
            200,
            "the last good pair stays"
        );
    }
    secured.papers.issue_server();
    let deadline = Instant::now() + PATIENCE;
    while secured.curl(&[]).await.status != 200 {
        assert!(Instant::now() < deadline, "the new pair was not taken up");
    }
}

#[tokio::test]
async fn turning_tls_off_needs_a_restart() {
    let secured = Secured::by("tls");
    secured.papers.write("tls.good.yml", "");
    let end = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < end {
        assert_eq!(secured.curl(&[]).await.status, 200);
    }
}

#[tokio::test]
async fn a_handshake_that_is_not_finished_is_given_up() {
    let secured = Secured::by("tls");
    let begin = async |beginning: &[u8]| {
        let mut stream = secured.house.connect().await;
        stream.write_all(beginning).await.expect("sent");
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    };
    let both = async { tokio::join!(begin(&[]), begin(&[0x16, 3, 1, 2, 0, 1, 0])) };
    let given_up = timeout(Duration::from_secs(6), both).await;
    assert!(given_up.is_ok(), "still connected");
}

const SUCCESSFUL: &str = "cloudtrail_exporter_config_last_reload_successful";

/// The key is no regular file for a while, or has no end: the pair before it stays in use, and the next good one is taken.
#[tokio::test]
async fn key_that_cannot_be_read_for_a_while_is_said_and_the_next_one_is_taken() {
    let secured = Secured::by("tls");
    let key = secured.papers.path("server.key");
    let good = secured.papers.read("server.key");
    let says = async |line: String| {
        let deadline = Instant::now() + PATIENCE;
        while !secured.curl(&[]).await.body.contains(&line) {
            assert!(Instant::now() < deadline, "never: {line}");
        }
    };
    for round in 0..2 {
        std::fs::remove_file(&key).expect("removed");
        if round == 0 {
            nix::unistd::mkfifo(&key, nix::sys::stat::Mode::S_IRWXU).expect("made");
        } else {
            std::os::unix::fs::symlink("/dev/zero", &key).expect("linked");
        }
        says(format!("{SUCCESSFUL} 0\n")).await;
        std::fs::remove_file(&key).expect("removed");
        secured.papers.write("server.key", &good);
        says(format!("{SUCCESSFUL} 1\n")).await;
    }
    secured.papers.issue_server();
    says(format!("{SUCCESSFUL} 1\n")).await;
}
