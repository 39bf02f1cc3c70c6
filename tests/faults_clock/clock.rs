//! Steps of the wall clock. The boot clock goes on as it is.

use std::path::Path;
use std::time::{Duration, Instant};

use aws_simulator::{Effect, Fault};

use crate::row::Kind;
use crate::run::Row;
use crate::scene::{ACCOUNTS, CONFIG, Expected, GOOD, Scene, WORLD};

macro_rules! rows {
    ($($name:literal: $run:expr;)*) => {
        /// The rows.
        pub fn rows() -> Vec<Row> {
            vec![$(Row { name: $name, kind: Kind::TimeAndResources, run: || $run }),*]
        }
    };
}

rows! {
    "A2 lapsed, then 5 s back": lapsed_then(&["-5"]);
    "A2 lapsed, then 20 s back": lapsed_then(&["-20"]);
    "A2 lapsed, then an hour back": lapsed_then(&["-1h"]);
    "A2 lapsed, then 3 days on and back": lapsed_then(&["+3d", "+0", "-3d", "+0"]);
    "A2 back before the lapse": back_before_the_lapse("-1h");
    "A2 a second back each second": creeping_back();
    "half a minute on in an outage": on_in_an_outage();
    "an hour on and back while AWS answers": steps_while_aws_answers(&["+4m", "+0", "-4m", "+0"]);
    "A3 an hour fast at the start": fast_at_the_start("+1h");
    "A3 an hour slow at the start": fast_at_the_start("-1h");
    "A3 short sessions, then half an hour back": sessions_then_back();
    "ten years back": steps_while_aws_answers(&["-3650d", "+0"]);
}

/// How long a lapse takes, and some polls.
const LAPSE: Duration = Duration::from_secs(8);
const LOOK: Duration = Duration::from_millis(100);
const CLOCK: &str = "clock";

/// The usual scene with its wall clock set by a file.
fn scene(world: &str, offset: &str) -> Scene {
    Scene::of(world, CONFIG, |_, folder, command| {
        set(folder, offset);
        command
            .env(
                "LD_PRELOAD",
                std::env::var("LIBFAKETIME").expect("LIBFAKETIME"),
            )
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_TIMESTAMP_FILE", folder.join(CLOCK));
    })
}

fn set(folder: &Path, offset: &str) {
    let new = folder.join("clock.new");
    std::fs::write(&new, format!("{offset}\n")).expect("written");
    std::fs::rename(new, folder.join(CLOCK)).expect("renamed");
}

fn step(scene: &Scene, offset: &str) {
    set(scene.folder.path(), offset);
}

fn outage(scene: &Scene) {
    let fault = Fault::always(Effect::Status(503));
    scene.sim.aws().change(|world| world.faults.push(fault));
}

fn heal(scene: &Scene) {
    scene.sim.aws().change(|world| world.faults.clear());
}

/// For some time no scrape says that anything is compliant.
fn never_compliant(scene: &Scene, time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        let now = scene.look();
        for id in ACCOUNTS {
            assert_ne!(now.verdict(id).0, "compliant", "{id}");
        }
        std::thread::sleep(LOOK);
    }
}

fn lapsed_then(offsets: &[&str]) {
    let scene = scene(WORLD, "+0").well();
    outage(&scene);
    let gone = Expected::outage("DescribeTrails", "server_error");
    scene.shows("during the outage", &gone);
    for offset in offsets {
        step(&scene, offset);
        never_compliant(&scene, Duration::from_secs(3));
    }
    scene.shows("after the steps", &gone);
    step(&scene, "+0");
    never_compliant(&scene, Duration::from_secs(2));
    heal(&scene);
    scene.is_healed();
    scene.end();
}

/// The boot clock alone makes it lapse.
fn back_before_the_lapse(offset: &str) {
    let scene = scene(WORLD, "+0").well();
    outage(&scene);
    step(&scene, offset);
    std::thread::sleep(LAPSE);
    never_compliant(&scene, Duration::from_secs(3));
    heal(&scene);
    step(&scene, "+0");
    scene.is_healed();
    scene.end();
}

fn creeping_back() {
    let scene = scene(WORLD, "+0").well();
    outage(&scene);
    for second in 1..=8 {
        step(&scene, &format!("-{second}"));
        std::thread::sleep(Duration::from_secs(1));
    }
    never_compliant(&scene, Duration::from_secs(3));
    heal(&scene);
    step(&scene, "+0");
    scene.is_healed();
    scene.end();
}

/// The wall clock alone makes it lapse, and a step back brings nothing to life.
fn on_in_an_outage() {
    let scene = scene(WORLD, "+0").well();
    outage(&scene);
    step(&scene, "+30");
    scene.shows(
        "at once",
        &Expected::outage("DescribeTrails", "server_error"),
    );
    // The lapse is recorded within a second.
    never_compliant(&scene, Duration::from_secs(3));
    step(&scene, "+0");
    never_compliant(&scene, Duration::from_secs(3));
    heal(&scene);
    scene.is_healed();
    scene.end();
}

/// A few polls after each step all is as it was.
fn steps_while_aws_answers(offsets: &[&str]) {
    let scene = scene(WORLD, "+0").well();
    for offset in offsets {
        step(&scene, offset);
        std::thread::sleep(Duration::from_secs(3));
        let (state, reason) = scene.look().verdict(GOOD);
        assert!(state == "compliant" || reason != "ok", "{state} {reason}");
    }
    scene.is_healed();
    scene.end();
}

/// AWS refuses such signatures, or the SDK corrects them; once the clock is right all is well.
fn fast_at_the_start(offset: &str) {
    let scene = scene(WORLD, offset);
    std::thread::sleep(Duration::from_secs(3));
    step(&scene, "+0");
    scene.well().end();
}

fn sessions_then_back() {
    let world = format!("session_length: 4s\n{WORLD}");
    let scene = scene(&world, "+0").well();
    step(&scene, "-4m");
    std::thread::sleep(LAPSE);
    scene.is_healed();
    step(&scene, "+0");
    std::thread::sleep(LAPSE);
    scene.is_healed();
    scene.end();
}
