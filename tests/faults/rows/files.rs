//! What may become of the configuration file while the exporter runs: every one is refused, the old
//! configuration stays in force, and the next good one is taken. One process, one fault after
//! another.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::row::Selection;
use crate::scene::{CONFIG, Expected, Scene};

/// A fault of the file.
pub struct Row {
    pub name: &'static str,
    spoil: fn(&Path),
}

/// The rows.
pub const ROWS: &[Row] = &[
    Row {
        name: "no YAML",
        spoil: |file| write(file, "}{"),
    },
    Row {
        name: "cut in the middle",
        spoil: |file| write(file, &CONFIG[..CONFIG.len() / 2]),
    },
    Row {
        name: "an unknown key",
        spoil: |file| write(file, &format!("{CONFIG}pol: {{}}\n")),
    },
    Row {
        name: "no account",
        spoil: |file| write(file, "accounts: []\n"),
    },
    Row {
        name: "an account twice",
        spoil: |file| write(file, TWICE),
    },
    Row {
        name: "a NUL",
        spoil: |file| write(file, "accounts: [\0]\n"),
    },
    Row {
        name: "not UTF-8",
        spoil: |file| std::fs::write(file, b"accounts: [\xff]\n").unwrap(),
    },
    Row {
        name: "aliases without end",
        spoil: |file| write(file, &aliases()),
    },
    Row {
        name: "nested without end",
        spoil: |file| write(file, &"[".repeat(100_000)),
    },
    Row {
        name: "B2 a FIFO that nothing writes to",
        spoil: fifo,
    },
    Row {
        name: "B3 a device without end",
        spoil: |file| symlink("/dev/zero", file).unwrap(),
    },
    Row {
        name: "B3 three sparse gigabytes",
        spoil: |file| {
            std::fs::File::create(file)
                .unwrap()
                .set_len(3 << 30)
                .unwrap();
        },
    },
    Row {
        name: "B2 a socket",
        spoil: |file| drop(std::os::unix::net::UnixListener::bind(file).unwrap()),
    },
    Row {
        name: "removed",
        spoil: |_| {},
    },
    Row {
        name: "a directory",
        spoil: |file| std::fs::create_dir(file).unwrap(),
    },
    Row {
        name: "a symbolic link to itself",
        spoil: |file| symlink(file, file).unwrap(),
    },
    Row {
        name: "a symbolic link to nothing",
        spoil: |file| symlink("nothing", file).unwrap(),
    },
];

const TWICE: &str = "accounts: [{ id: '111111111111' }, { id: '111111111111' }]\n";

fn write(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
}

fn fifo(file: &Path) {
    let made = std::process::Command::new("mkfifo").arg(file).status();
    assert!(made.unwrap().success());
}

/// The billion laughs.
fn aliases() -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = vec![format!("*a{}", n - 1); 9].join(", ");
        writeln!(text, "a{n}: &a{n} [{before}]").unwrap();
    }
    text
}

/// Runs the selected rows, one after another.
pub fn run() {
    let scene = Scene::new(|_, _, _| {}).well();
    let file = scene.path("config.yaml");
    let selection = Selection::from_environment();
    let chosen = ROWS
        .iter()
        .enumerate()
        .filter(|(n, row)| selection.has(*n, row.name));
    for (_, row) in chosen {
        remove(&file);
        (row.spoil)(&file);
        scene.daemon.signal(Signal::SIGHUP);
        let refused = "~ exporter_config_last_reload_successful 1 -> 0";
        scene.shows(row.name, &Expected::exporter(&[refused]));
        remove(&file);
        write(&file, CONFIG);
        scene.daemon.signal(Signal::SIGHUP);
        scene.shows(&format!("after {}", row.name), &Expected::default());
    }
    scene.end();
}

fn remove(file: &Path) {
    let _ = std::fs::remove_file(file).or_else(|_| std::fs::remove_dir(file));
}
