//! A new configuration while it runs: all or nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use cloudtrail_exporter::aws::credentials::GivenCredentials;
use cloudtrail_exporter::config::{Config, Secret};
use cloudtrail_exporter::daemon;
use cloudtrail_exporter::directory::Shard;
use cloudtrail_exporter::engine::Surroundings;
use cloudtrail_exporter::self_metrics::{Build, SelfMetrics};
use cloudtrail_exporter::web::{Listener, WebSettings};
use nix::sys::signal::Signal;

use crate::harness::{Daemon, PATIENCE, eventually, request};
use crate::sim::{Sim, file};

const WORLD: &str = "
accounts:
  - { id: '111111111111', trails: [{ name: main }] }
  - { id: '222222222222' }
";
const ONE: &str =
    "poll: { interval: 1h, timeout: 5s }\naccounts: [{ id: '111111111111', name: one }]";
const TWO: &str = "poll: { interval: 1h, timeout: 5s }\naccounts: [{ id: '111111111111', name: one }, { id: '222222222222', name: two }]";

fn daemon(sim: &Sim, file: &Path, args: &[&str]) -> Daemon {
    let flag = format!("--config.file={}", file.display());
    let daemon = Daemon::start(sim.command(&[&[flag.as_str()], args].concat()));
    daemon.ready();
    daemon
}

fn accounts(daemon: &Daemon) -> usize {
    daemon.metrics().all("cloudtrail_account_info", &[]).count()
}

#[test]
fn sighup_adds_and_removes_accounts_and_keeps_the_state_of_those_that_stay() {
    let sim = Sim::start(WORLD);
    let file = file(ONE);
    let daemon = daemon(&sim, &file, &[]);
    std::fs::write(&file, TWO).unwrap();
    daemon.signal(Signal::SIGHUP);
    eventually("the new account is judged", || {
        (daemon.metrics().verdict("222222222222").1 == "no_trail").then_some(())
    });
    assert_eq!(daemon.metrics().verdict("111111111111").0, "compliant");
    assert_eq!(
        sim.aws().requests("AssumeRole"),
        2,
        "the account that stays keeps its session and is not polled again"
    );

    std::fs::write(&file, ONE).unwrap();
    daemon.signal(Signal::SIGHUP);
    eventually("the account is gone", || {
        (accounts(&daemon) == 1).then_some(())
    });
    assert!(!daemon.get("/metrics").body.contains("222222222222"));
    assert_eq!(daemon.metrics().verdict("111111111111").0, "compliant");
}

#[test]
fn another_bound_on_accounts_opens_no_session_anew_but_another_rate_does() {
    let sim = Sim::start(WORLD);
    let file = file(ONE);
    let daemon = daemon(&sim, &file, &["--web.enable-lifecycle"]);
    let reload = |limits: &str| {
        std::fs::write(&file, format!("{TWO}\nlimits: {{ {limits} }}")).unwrap();
        assert_eq!(daemon.request("POST", "/-/reload", &[]).status, 200);
    };
    let sessions = || sim.aws().requests("AssumeRole");
    reload("max_accounts: 7");
    eventually("the new account is judged", || {
        (daemon.metrics().verdict("222222222222").1 == "no_trail").then_some(())
    });
    assert_eq!(sessions(), 2);
    reload("max_accounts: 7, requests_per_second: 2");
    eventually("all are asked anew", || (sessions() == 4).then_some(()));
}

#[test]
fn a_bad_file_is_answered_500_and_the_old_one_stays_in_force() {
    let sim = Sim::start(WORLD);
    let file = file(ONE);
    let daemon = daemon(&sim, &file, &["--web.enable-lifecycle"]);
    let before = daemon.metrics();
    std::fs::write(&file, "accounts: [{ id: 12 }]").unwrap();
    let answer = daemon.request("POST", "/-/reload", &[]);
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("accounts[0].id"), "{}", answer.body);
    let after = daemon.metrics();
    assert_eq!(
        after.one("cloudtrail_exporter_config_last_reload_successful", &[]),
        Some(0.0)
    );
    assert_eq!(after.verdict("111111111111").0, "compliant");
    let hash = |m: &crate::harness::Samples| {
        m.all("cloudtrail_exporter_config_info", &[])
            .map(|(l, _)| l["sha256"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(hash(&before), hash(&after));

    std::fs::write(&file, TWO).unwrap();
    assert_eq!(daemon.request("POST", "/-/reload", &[]).status, 200);
    assert_eq!(
        daemon
            .metrics()
            .one("cloudtrail_exporter_config_last_reload_successful", &[]),
        Some(1.0)
    );
    assert_ne!(hash(&before), hash(&daemon.metrics()));
}

#[test]
fn a_reload_over_http_must_be_enabled() {
    let sim = Sim::start(WORLD);
    let file = file(ONE);
    let daemon = daemon(&sim, &file, &[]);
    assert_eq!(daemon.request("POST", "/-/reload", &[]).status, 403);
}

#[test]
fn changed_content_is_noticed_and_unchanged_content_is_not() {
    let sim = Sim::start(WORLD);
    let file = file(ONE);
    let daemon = daemon(&sim, &file, &["--config.auto-reload-interval=100ms"]);
    std::fs::write(&file, ONE).unwrap();
    std::fs::write(&file, TWO).unwrap();
    eventually("the change is in force", || {
        (accounts(&daemon) == 2).then_some(())
    });
    assert_eq!(daemon.log().matches("configuration reloaded").count(), 1);
}

#[test]
fn a_storm_of_sighups_ends_in_the_last_configuration() {
    let sim = Sim::start(WORLD);
    let file = file(ONE);
    let daemon = daemon(&sim, &file, &[]);
    for round in 0..200 {
        std::fs::write(&file, if round % 2 == 0 { TWO } else { ONE }).unwrap();
        daemon.signal(Signal::SIGHUP);
    }
    std::fs::write(&file, TWO).unwrap();
    daemon.signal(Signal::SIGHUP);
    eventually("both accounts", || (accounts(&daemon) == 2).then_some(()));
    eventually("the new one judged", || {
        (daemon.metrics().verdict("222222222222").1 == "no_trail").then_some(())
    });
}

/// Name look-ups that never end fill the runtime's pool of threads; a reload has threads of its own.
#[test]
fn a_reload_is_quick_while_the_pool_is_full_of_stuck_look_ups() {
    let sim = Sim::start(WORLD);
    let text = |more: &str| {
        format!(
            "{TWO}\naws: {{ endpoint_url: '{}' }}\n{more}",
            sim.aws().url()
        )
    };
    let file = file(&text(""));
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().max_blocking_threads(1).build();
    let runtime = runtime.unwrap();
    let (release, stuck) = std::sync::mpsc::channel::<()>();
    let _look_up = runtime.spawn_blocking(move || stuck.recv());
    let (to, address) = std::sync::mpsc::channel();
    let daemon = in_process(&file);
    let serving = std::thread::spawn(move || {
        runtime.block_on(async {
            let (daemon, config, surroundings) = daemon;
            let listener = Listener::bind("127.0.0.1:0").unwrap();
            to.send(listener.local_addr().unwrap().to_string()).unwrap();
            let listeners = vec![listener];
            let daemon = daemon::Daemon {
                listeners,
                ..daemon
            };
            let running = daemon.start(config, surroundings).await.unwrap();
            let _ = tokio::time::timeout(PATIENCE, running.run()).await;
        });
        runtime.shutdown_background();
    });
    let address = address.recv().unwrap();
    let reload = |more: &str| {
        std::fs::write(&file, text(more)).unwrap();
        let began = Instant::now();
        let answer = request(&address, "POST", "/-/reload", &[]).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        began.elapsed()
    };
    // The second makes another client for AWS, too. A busy machine may hold up one or two of them.
    let rates = [2, 3, 4].map(|rate| format!("limits: {{ requests_per_second: {rate} }}"));
    let quickest = rates.iter().map(|more| reload(more)).min().unwrap();
    assert!(quickest < Duration::from_secs(1), "{quickest:?}");
    drop(release);
    drop(serving);
}

fn in_process(file: &Path) -> (daemon::Daemon, Config, Surroundings) {
    let origin = daemon::Origin::File(file.to_owned());
    let (config, fingerprint) = origin.load(1).unwrap();
    let build = Build {
        version: "0",
        revision: "r",
        rustc: "c",
        target: "t",
    };
    let secret = Secret::new(crate::sim::SECRET);
    let surroundings = Surroundings {
        shard: Shard::new(0, 1).unwrap(),
        given: GivenCredentials::default().with(None, "AKIAIOSFODNN7EXAMPLE", &secret),
        metrics: SelfMetrics::new(build).unwrap(),
    };
    let daemon = daemon::Daemon {
        origin,
        fingerprint,
        auto_reload: Duration::ZERO,
        lifecycle: true,
        listeners: Vec::new(),
        web: WebSettings::default(),
        web_file: None,
    };
    (daemon, config, surroundings)
}
