//! What may happen between the exporter and AWS. The front stands in the way of all calls: one
//! account decays, two alarms are held.

use std::time::Duration;

use aws_simulator::World;

use crate::front::{Front, Mode};
use crate::row::Kind;
use crate::run::Row;
use crate::scene::{Expected, Scene};

macro_rules! rows {
    ($($name:literal: $way:ident($mode:expr) -> $reason:literal;)*) => {
        fn modes() -> Vec<Row> {
            vec![$(Row {
                name: $name,
                kind: Kind::Network,
                run: || breaks($way, $mode, $reason),
            }),*]
        }
    };
}

rows! {
    "refused": tcp(Mode::Refuse) -> "network";
    "reset at once": tcp(Mode::Reset) -> "network";
    "closed at once": tcp(Mode::Close) -> "network";
    "accepted and silent": tcp(Mode::Silence) -> "timeout";
    "another protocol answers": tcp(Mode::Garbage) -> "malformed";
    "cut in the head": tcp(Mode::CutAfter(40)) -> "network";
    "a byte at a time": tcp(Mode::Drip(Duration::from_millis(200))) -> "timeout";
    "late but in time": tcp(Mode::Late(Duration::from_millis(50))) -> "ok";
    "proxy refuses connections": proxy(Mode::Refuse) -> "network";
    "proxy resets connections": proxy(Mode::Reset) -> "network";
    "proxy is silent": proxy(Mode::Silence) -> "timeout";
    "proxy wants a login": proxy(Mode::Status(407)) -> "network";
    "proxy forbids the host": proxy(Mode::Status(403)) -> "network";
    "proxy reaches nothing": proxy(Mode::Status(502)) -> "network";
    "tunnel closes": proxy(Mode::TunnelCloses) -> "tls";
    "tunnel is silent": proxy(Mode::TunnelSilent) -> "timeout";
    "no TLS in the tunnel": proxy(Mode::TunnelPlain) -> "tls";
    "certificate expired": proxy(Mode::Expired) -> "tls";
    "certificate of another name": proxy(Mode::OtherName) -> "tls";
    "certificate of an unknown issuer": proxy(Mode::OtherIssuer) -> "tls";
}

/// The rows.
pub fn rows() -> Vec<Row> {
    let html = Row {
        name: "A8 HTML where AWS itself is asked",
        kind: Kind::Network,
        run: html_of_aws,
    };
    modes().into_iter().chain([html]).collect()
}

/// The body would prove something, but AWS never sends such a type.
fn html_of_aws() {
    let (scene, _front) = proxy();
    for kind in ["text/html", "Text/HTML ; charset=utf-8"] {
        scene.sim.aws().change(|world| {
            let rule = format!(
                "faults: [{{ operations: [DescribeTrails], \
                 effect: {{ literal: {{ content_type: '{kind}', body: {{ trailList: [] }} }} }} }}]"
            );
            world.faults = World::parse(&rule).expect("a fault").faults;
        });
        scene.shows(kind, &Expected::outage("DescribeTrails", "malformed"));
        scene.sim.aws().change(|world| world.faults.clear());
        scene.is_healed();
    }
    scene.end();
}

/// How the front stands in the way.
type Way = fn() -> (Scene, Front);

/// As the endpoint, without TLS.
fn tcp() -> (Scene, Front) {
    let mut front = None;
    let scene = Scene::new(|sim, _, command| {
        let tcp = Front::tcp(sim.aws().address());
        command.env("AWS_ENDPOINT_URL", tcp.url());
        front = Some(tcp);
    });
    (scene.well(), front.expect("made"))
}

/// As a proxy that opens TLS; the hosts are AWS's own.
fn proxy() -> (Scene, Front) {
    let mut front = None;
    let scene = Scene::new(|sim, folder, command| {
        let proxy = Front::proxy(sim.aws().address());
        let bundle = folder.join("ca.pem");
        std::fs::write(&bundle, &proxy.authority).expect("written");
        command
            .env_remove("AWS_ENDPOINT_URL")
            .env("HTTPS_PROXY", proxy.url())
            .env("AWS_CA_BUNDLE", bundle);
        front = Some(proxy);
    });
    (scene.well(), front.expect("made"))
}

fn breaks(way: Way, mode: Mode, reason: &str) {
    let (scene, front) = way();
    front.set(mode);
    if reason == "ok" {
        // Long enough for a lapse.
        std::thread::sleep(Duration::from_secs(8));
        scene.is_healed();
    } else {
        scene.shows(
            "during the fault",
            &Expected::outage("DescribeTrails", reason),
        );
    }
    front.set(Mode::Pass);
    scene.is_healed();
    scene.end();
}
