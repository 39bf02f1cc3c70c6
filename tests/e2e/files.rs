//! Files that cannot be read: what is not a regular file, what has no end, what is too large.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::harness::{Daemon, command, eventually};
use crate::sim::{Sim, file};

const WORLD: &str = "
accounts:
  - { id: '111111111111', trails: [{ name: main }] }
  - { id: '222222222222' }
";
const ONE: &str =
    "poll: { interval: 1h, timeout: 5s }\naccounts: [{ id: '111111111111', name: one }]";
const TWO: &str = "poll: { interval: 1h, timeout: 5s }\naccounts: [{ id: '111111111111', name: one }, { id: '222222222222', name: two }]";
const SUCCESSFUL: &str = "cloudtrail_exporter_config_last_reload_successful";

/// What can stand in the place of a file, and what is said of it.
const BAD: [(&str, &str); 6] = [
    ("fifo", "a FIFO, not a regular file"),
    ("socket", "a socket, not a regular file"),
    ("directory", "a directory, not a regular file"),
    ("zero", "a device, not a regular file"),
    ("sparse", "larger than"),
    ("missing", "No such file"),
];

/// A folder with one thing of each kind.
struct Things(tempfile::TempDir);

impl Things {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        mkfifo(&at("fifo"), Mode::S_IRWXU).unwrap();
        drop(UnixListener::bind(at("socket")).unwrap());
        std::fs::create_dir(at("directory")).unwrap();
        symlink("/dev/zero", at("zero")).unwrap();
        let sparse = std::fs::File::create(at("sparse")).unwrap();
        sparse.set_len(3 << 30).unwrap();
        std::fs::write(at("good"), TWO).unwrap();
        symlink(at("first"), at("config.yaml")).unwrap();
        std::fs::write(at("first"), ONE).unwrap();
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Has the configuration's link lead to one of them, in one step.
    fn point_to(&self, name: &str) {
        let link = self.at("link");
        let _ = std::fs::remove_file(&link);
        symlink(self.at(name), &link).unwrap();
        std::fs::rename(link, self.at("config.yaml")).unwrap();
    }

    fn daemon(&self, sim: &Sim, args: &[&str]) -> Daemon {
        let flag = format!("--config.file={}", self.at("config.yaml").display());
        let daemon = Daemon::start(sim.command(&[&[flag.as_str()], args].concat()));
        daemon.ready();
        daemon
    }
}

fn successful(daemon: &Daemon, value: f64) {
    eventually("the gauge", || {
        (daemon.metrics().one(SUCCESSFUL, &[]) == Some(value)).then_some(())
    });
}

fn accounts(daemon: &Daemon) -> usize {
    daemon.metrics().all("cloudtrail_account_info", &[]).count()
}

fn resident_bytes(daemon: &Daemon) -> f64 {
    let resident = "process_resident_memory_bytes";
    daemon.metrics().one(resident, &[]).unwrap()
}

#[test]
fn reload_refuses_what_is_not_a_regular_file_and_the_next_one_works() {
    let (sim, things) = (Sim::start(WORLD), Things::new());
    let daemon = things.daemon(&sim, &["--web.enable-lifecycle"]);
    for (name, problem) in BAD {
        things.point_to(name);
        let began = Instant::now();
        let answer = daemon.request("POST", "/-/reload", &[]);
        assert_eq!(answer.status, 500, "{name}");
        assert!(answer.body.contains(problem), "{name}: {}", answer.body);
        assert!(began.elapsed() < Duration::from_secs(5), "{name}");
        assert_eq!(daemon.metrics().one(SUCCESSFUL, &[]), Some(0.0), "{name}");
        eventually("a line", || daemon.log().contains(problem).then_some(()));
        assert_eq!(accounts(&daemon), 1, "{name}");
        things.point_to("first");
        assert_eq!(daemon.request("POST", "/-/reload", &[]).status, 200);
        assert_eq!(daemon.metrics().one(SUCCESSFUL, &[]), Some(1.0), "{name}");
    }
    things.point_to("good");
    assert_eq!(daemon.request("POST", "/-/reload", &[]).status, 200);
    assert_eq!(accounts(&daemon), 2);
}

#[test]
fn hangup_refuses_it_too_and_the_next_one_works() {
    let (sim, things) = (Sim::start(WORLD), Things::new());
    let daemon = things.daemon(&sim, &[]);
    for name in ["fifo", "zero"] {
        things.point_to(name);
        daemon.signal(Signal::SIGHUP);
        successful(&daemon, 0.0);
        things.point_to("first");
        daemon.signal(Signal::SIGHUP);
        successful(&daemon, 1.0);
    }
}

#[test]
fn auto_reload_says_so_once_and_recovers_by_itself() {
    let (sim, things) = (Sim::start(WORLD), Things::new());
    let daemon = things.daemon(&sim, &["--config.auto-reload-interval=50ms"]);
    let usual = resident_bytes(&daemon);
    for (name, problem) in BAD {
        things.point_to(name);
        successful(&daemon, 0.0);
        // Some looks more.
        std::thread::sleep(Duration::from_millis(300));
        let lines = daemon.log().matches(problem).count();
        assert_eq!(lines, 1, "{name}: {}", daemon.log());
        assert_eq!(accounts(&daemon), 1, "{name}");
        // The content that is in force already.
        things.point_to("first");
        successful(&daemon, 1.0);
    }
    let grown = resident_bytes(&daemon) - usual;
    assert!(grown < 64e6, "{grown} bytes");
    things.point_to("good");
    eventually("the new account", || (accounts(&daemon) == 2).then_some(()));
}

#[test]
fn start_refuses_them_with_78_and_a_sentence() {
    let things = Things::new();
    let good = file(ONE);
    let good = format!("--config.file={}", good.display());
    let said_of = |args: &[&str], variable: Option<(&str, &Path)>| {
        let mut command = command(args);
        command.envs(variable);
        let began = Instant::now();
        let output = command.output().unwrap();
        assert!(began.elapsed() < Duration::from_secs(20), "{args:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{args:?}: {text}");
        text
    };
    for (name, problem) in BAD {
        let path = things.at(name);
        let config = format!("--config.file={}", path.display());
        let web = format!("--web.config.file={}", path.display());
        let external = format!(
            "{ONE}\ndefaults: {{ external_id_file: {} }}",
            path.display()
        );
        let external = file(&external);
        let external = format!("--config.file={}", external.display());
        for text in [
            said_of(&[&config], None),
            said_of(&[&config, "--config.check"], None),
            said_of(&[&config, "check"], None),
            said_of(&[&good, &web], None),
            said_of(&[&good, &web, "--config.check"], None),
            said_of(&[&external], None),
            said_of(&[&good], Some(("AWS_CA_BUNDLE", &path))),
            said_of(&[&good], Some(("SSL_CERT_FILE", &path))),
        ] {
            assert!(text.contains(problem), "{name}: {text}");
        }
    }
}
