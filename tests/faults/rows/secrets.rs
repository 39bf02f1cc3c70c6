//! Secrets that no other row holds, in use and refused: nothing shows them at the level debug.

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rcgen::generate_simple_self_signed;
use tempfile::TempPath;

use crate::canaries;
use crate::harness::{Daemon, request};
use crate::row::Kind;
use crate::run::Row;
use crate::sim::{Sim, file};

const WORLD: &str = "accounts: [{ id: '111111111111', trails: [{ name: main }] }]";
const DEBUG: &str = "--log.level=debug";
/// The least cost that bcrypt takes.
const COST: u32 = 4;

/// The rows.
pub fn rows() -> Vec<Row> {
    let row = |name, run| Row {
        name,
        kind: Kind::Credentials,
        run,
    };
    vec![
        row("a session token of the environment", session_token as fn()),
        row("a web identity that STS refuses", web_identity),
        row("a container token that is refused", container_token),
        row("a login, right and wrong", login),
        row("a TLS key, and one that is cut", tls_key),
    ]
}

/// The account of the ambient credentials, with these variables.
fn ambient(variables: &[(&str, &str)], keys: bool) {
    let sim = Sim::start(WORLD);
    let mut command = canaries::set(sim.command(&[DEBUG]));
    if !keys {
        command
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY");
    }
    command.envs(variables.iter().copied());
    let daemon = Daemon::start(command);
    daemon.ready();
    canaries::absent(&daemon);
}

fn session_token() {
    ambient(&[("AWS_SESSION_TOKEN", canaries::SESSION_TOKEN)], true);
}

fn web_identity() {
    let token = file(canaries::IDENTITY_TOKEN);
    let token = token.to_str().expect("a path");
    let role = "arn:aws:iam::111111111111:role/r";
    let variables = [
        ("AWS_ROLE_ARN", role),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token),
    ];
    ambient(&variables, false);
}

fn container_token() {
    let refuses = Sim::start(WORLD);
    let uri = format!("{}/credentials", refuses.aws().url());
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            canaries::CONTAINER_TOKEN,
        ),
    ];
    ambient(&variables, false);
}

/// A daemon with this web configuration.
fn web(text: &str) -> (Sim, TempPath, Daemon) {
    let sim = Sim::start(WORLD);
    let web = file(text);
    let flag = format!("--web.config.file={}", web.display());
    let daemon = Daemon::start(canaries::set(sim.command(&[DEBUG, &flag])));
    (sim, web, daemon)
}

fn login() {
    let hash = bcrypt::hash(canaries::PASSWORD, COST).expect("a hash");
    let users = format!("basic_auth_users: {{ scraper: '{hash}' }}\n");
    let (_sim, _web, daemon) = web(&users);
    for (password, status) in [(canaries::PASSWORD, 200), ("wrong", 401)] {
        let login = BASE64_STANDARD.encode(format!("scraper:{password}"));
        let header = format!("Basic {login}");
        let headers = [("Authorization", header.as_str())];
        let answer = request(&daemon.address, "GET", "/metrics", &headers).expect("an answer");
        assert_eq!(answer.status, status);
        canaries::none_in(&answer.body);
    }
    canaries::none_in(&daemon.log());
    assert!(!daemon.log().contains(&hash), "the hash is shown");
}

/// The key's own base64, in use and as a broken file.
fn tls_key() {
    let made = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let secret = key.lines().nth(1).expect("a line of the key");
    let (good, bad) = (file(&key), file(&key[..key.len() / 2]));
    let certificate = file(&certificate);
    let text = |key: &Path| {
        let (certificate, key) = (certificate.display(), key.display());
        format!("tls_server_config: {{ cert_file: '{certificate}', key_file: '{key}' }}\n")
    };
    let (_sim, _web, daemon) = web(&text(&good));
    // Not TLS: refused, and perhaps logged.
    let _ = request(&daemon.address, "GET", "/metrics", &[]);
    assert!(!daemon.log().contains(secret), "the key is shown");
    let broken = file(&text(&bad));
    let flag = format!("--web.config.file={}", broken.display());
    let refused = crate::harness::command(&[DEBUG, &flag]).output();
    let shown = refused.expect("it runs").stderr;
    let shown = String::from_utf8_lossy(&shown);
    assert!(
        !shown.is_empty() && !shown.contains(secret),
        "the key is shown"
    );
}
