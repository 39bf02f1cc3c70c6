//! A process that is stopped in the middle of a poll, as a host that is suspended is: what it had
//! been answered before is old when it goes on, and proves nothing.

use std::time::{Duration, Instant};

use aws_simulator::{Effect, Fault, World};
use nix::sys::signal::Signal;

use crate::harness::{Daemon, Samples, eventually};
use crate::sim::Sim;

const ACCOUNT: &str = "111111111111";
const WORLD: &str = "accounts: [{ id: '111111111111', trails: [{ name: main }] }]";
const CONFIG: &str = "
poll: { interval: 6s, timeout: 6s, stale_after: 12s }
aws: { max_attempts: 1 }
accounts: [{ id: '111111111111' }]
";
/// Longer than a proof lasts.
const STOPPED_FOR: Duration = Duration::from_secs(13);
/// How long nothing may say compliant after it goes on.
const WATCHED_FOR: Duration = Duration::from_secs(3);

/// How many requests of an operation were answered, as the daemon counts them.
fn answered(metrics: &Samples, operation: &str) -> f64 {
    let labels = [("operation", operation)];
    let counts = metrics.all("cloudtrail_exporter_aws_requests_total", &labels);
    counts.map(|(_, count)| count).sum()
}

fn state(daemon: &Daemon) -> String {
    daemon.metrics().verdict(ACCOUNT).0
}

/// A daemon that has proven the account compliant, stopped while a poll has heard that the trail is
/// logging and waits for its selectors.
fn stopped_in_mid_poll(sim: &Sim, effect: Effect) -> Daemon {
    let daemon = sim.daemon(CONFIG);
    daemon.ready();
    assert_eq!(state(&daemon), "compliant");
    sim.aws().change(|world| {
        let selectors = Fault::always(effect).on(&["GetEventSelectors"]);
        world.faults.push(selectors);
    });
    eventually("only the selectors are outstanding", || {
        let metrics = daemon.metrics();
        let [ended, status] =
            ["GetEventSelectors", "GetTrailStatus"].map(|o| answered(&metrics, o));
        let asked = u32::try_from(sim.aws().requests("GetEventSelectors")).unwrap();
        let waits = f64::from(asked) > ended;
        (waits && status > ended).then_some(())
    });
    daemon.signal(Signal::SIGSTOP);
    daemon
}

/// Stops it, changes the world meanwhile, lets it go on, and sees that nothing says compliant.
fn goes_on_in(sim: &Sim, daemon: &Daemon, change: impl FnOnce(&mut World)) -> String {
    std::thread::sleep(STOPPED_FOR);
    sim.aws().change(|world| {
        world.faults.clear();
        change(world);
    });
    daemon.signal(Signal::SIGCONT);
    let first = state(daemon);
    assert_ne!(first, "compliant");
    let until = Instant::now() + WATCHED_FOR;
    while Instant::now() < until {
        assert_ne!(state(daemon), "compliant");
        std::thread::sleep(Duration::from_millis(50));
    }
    first
}

fn down(world: &mut World) {
    world.faults.push(Fault::always(Effect::Status(503)));
}

#[test]
fn answers_from_before_a_stop_prove_nothing_while_aws_is_down() {
    let sim = Sim::start(WORLD);
    let daemon = stopped_in_mid_poll(&sim, Effect::Hang);
    assert_eq!(goes_on_in(&sim, &daemon, down), "unknown");
    assert_eq!(state(&daemon), "unknown");
    sim.aws().change(|world| world.faults.clear());
    eventually("a new answer proves it again", || {
        (state(&daemon) == "compliant").then_some(())
    });
}

#[test]
fn an_answer_that_arrived_during_a_stop_makes_the_others_no_younger() {
    let sim = Sim::start(WORLD);
    let late = Effect::Latency {
        base: Duration::from_secs(5),
        jitter: Duration::ZERO,
    };
    let daemon = stopped_in_mid_poll(&sim, late);
    assert_eq!(goes_on_in(&sim, &daemon, down), "unknown");
}

#[test]
fn a_trail_that_is_stopped_meanwhile_is_found_stopped_and_never_compliant() {
    let sim = Sim::start(WORLD);
    let daemon = stopped_in_mid_poll(&sim, Effect::Hang);
    goes_on_in(&sim, &daemon, |world| {
        let account = world.account_mut(ACCOUNT.parse().unwrap()).unwrap();
        account.trail_mut("main").unwrap().logging = false;
    });
    let stopped = ("non_compliant".to_owned(), "not_logging".to_owned());
    eventually("the next poll says so", || {
        (daemon.metrics().verdict(ACCOUNT) == stopped).then_some(())
    });
}
