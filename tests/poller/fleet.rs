//! Many accounts at once: cadence, isolation, reload.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cloudtrail_exporter::compliance::State;
use cloudtrail_exporter::config::OrganizationTrailStatus;
use cloudtrail_exporter::directory::{Account, AccountKey, Directory, Found, Identified, Source};
use cloudtrail_exporter::facts::{Failure, Operation, PollOutcome};
use cloudtrail_exporter::poller::{Poller, Report, Settings};
use cloudtrail_exporter::self_metrics::SelfMetrics;
use cloudtrail_exporter::snapshot::Publisher;
use cloudtrail_exporter::timestamp::Timestamp;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::fake::{Answers, Fake, error};
use super::world::*;

const SECOND: Duration = Duration::from_secs(1);

/// A poller under way.
struct Polling {
    fake: Fake,
    began: Instant,
    directory: watch::Sender<Arc<Directory>>,
    settings: watch::Sender<Settings>,
    identified: mpsc::Receiver<Identified>,
    reports: mpsc::Receiver<Report>,
    metrics: SelfMetrics,
    stop: oneshot::Sender<()>,
    run: JoinHandle<()>,
}

fn settings(concurrency: usize) -> Settings {
    Settings {
        timeout: TIMEOUT,
        concurrency,
        organization_trails: OrganizationTrailStatus::Member,
    }
}

/// Accounts that take `latency` for a poll, and answer.
fn fake(numbers: impl IntoIterator<Item = u64>, latency: Duration) -> Fake {
    let fake = Fake::default();
    for number in numbers {
        let answers = Answers::of(id(number)).takes(Operation::DescribeTrails, latency);
        fake.answer(&key(number), answers);
    }
    fake
}

fn start(fake: Fake, settings: Settings, accounts: Arc<Directory>) -> Polling {
    start_at(fake, settings, accounts, clock())
}

fn start_at(
    fake: Fake,
    settings: Settings,
    accounts: Arc<Directory>,
    now: impl Fn() -> Timestamp + Send + Sync + 'static,
) -> Polling {
    let (reports, received) = mpsc::channel(100_000);
    let (identified, identities) = mpsc::channel(100_000);
    let (stop, stopped) = oneshot::channel::<()>();
    let directory = watch::Sender::new(accounts);
    let settings = watch::Sender::new(settings);
    let metrics = metrics();
    let poller = Poller {
        aws: fake.clone(),
        now,
        directory: directory.subscribe(),
        settings: settings.subscribe(),
        identified,
        reports,
        metrics: metrics.clone(),
    };
    let run = tokio::spawn(poller.run(async {
        let _ = stopped.await;
    }));
    Polling {
        fake,
        began: Instant::now(),
        directory,
        settings,
        identified: identities,
        reports: received,
        metrics,
        stop,
        run,
    }
}

impl Polling {
    async fn at(&self, after: Duration) {
        sleep_until(self.began + after).await;
    }

    /// The reports so far.
    fn reports(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        while let Ok(report) = self.reports.try_recv() {
            reports.push(report);
        }
        reports
    }

    fn reported(&mut self) -> Vec<AccountKey> {
        self.reports()
            .into_iter()
            .map(|report| report.key)
            .collect()
    }

    /// When the polls of an account began, since the start.
    fn polls(&self, number: u64) -> Vec<Duration> {
        let polls = self.fake.polls(&key(number)).into_iter();
        polls.map(|at| at - self.began).collect()
    }
}

fn accounts(numbers: impl IntoIterator<Item = u64>) -> Arc<Directory> {
    directory(numbers.into_iter().map(account))
}

#[tokio::test(start_paused = true)]
async fn the_first_round_begins_at_once_and_is_bounded() {
    let mut polling = start(fake(0..100, SECOND), settings(10), accounts(0..100));
    polling.at(Duration::from_millis(9_500)).await;
    assert_eq!(
        polling.reported().len(),
        90,
        "ten a second, less those under way"
    );
    polling.at(Duration::from_millis(10_500)).await;
    let first: Vec<_> = (0..100)
        .filter(|n| polling.polls(*n)[0] < 10 * SECOND)
        .collect();
    assert_eq!(first.len(), 100);
    assert_eq!(polling.fake.most_under_way(), 10);
}

#[tokio::test(start_paused = true)]
async fn after_the_first_round_each_account_is_polled_once_in_each_interval_at_its_phase() {
    let polling = start(fake(0..50, SECOND), settings(50), accounts(0..50));
    polling.at(4 * INTERVAL).await;
    for number in 0..50 {
        let polls = polling.polls(number);
        let (first, ticks) = polls.split_first().expect("polled");
        assert_eq!(*first, Duration::ZERO);
        assert!((3..=4).contains(&ticks.len()), "{polls:?}");
        assert!(ticks[0] <= INTERVAL + 2 * SECOND);
        assert!(
            ticks
                .windows(2)
                .all(|pair| near(pair[1], pair[0] + INTERVAL)),
            "{polls:?}"
        );
    }
    assert_eq!(
        self_metric(
            &polling.metrics,
            "cloudtrail_exporter_poll_overruns_total",
            None
        ),
        "0"
    );
}

/// Timers are as fine as a millisecond.
fn near(a: Duration, b: Duration) -> bool {
    a.abs_diff(b) <= Duration::from_millis(2)
}

#[tokio::test(start_paused = true)]
async fn a_restart_does_not_shift_the_phase() {
    let now = clock();
    let polling = start_at(fake([7], SECOND), settings(1), accounts([7]), now.clone());
    polling.at(2 * INTERVAL).await;
    let tick = polling.began + polling.polls(7)[1];
    let _ = polling.stop.send(());
    polling.run.await.expect("it ends");
    sleep(Duration::from_secs(77)).await;
    let again = start_at(fake([7], SECOND), settings(1), accounts([7]), now);
    again.at(2 * INTERVAL).await;
    let apart = again.began + again.polls(7)[1] - tick;
    let off = apart.as_millis() % INTERVAL.as_millis();
    assert!(off <= 2 || off >= INTERVAL.as_millis() - 2, "{off}");
}

/// A wall clock that is set after some minutes, by so many minutes; boot time runs on.
fn steps(steps: &'static [(u64, i64)]) -> impl Fn() -> Timestamp + Send + Sync + 'static {
    let steady = clock();
    let began = Instant::now();
    move || {
        let now = steady();
        let past = steps
            .iter()
            .filter(|(after, _)| began.elapsed() >= Duration::from_mins(*after));
        let off: i64 = past.map(|(_, by)| by).sum();
        let apart = Duration::from_mins(off.unsigned_abs());
        let wall = match off {
            ..0 => now.wall() - apart,
            _ => now.wall() + apart,
        };
        Timestamp::new(wall, now.boot())
    }
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_moves_no_poll() {
    const DAY: i64 = 24 * 60;
    let mut seen = Vec::new();
    for set in [
        &[][..],
        &[(7, 60)],
        &[(7, -60)],
        &[(7, -3 * DAY)],
        &[(7, 60), (31, -60), (43, -3 * DAY), (58, 3 * DAY)],
    ] {
        let now = steps(set);
        let mut polling = start_at(fake(0..20, SECOND), settings(20), accounts(0..20), now);
        polling.at(Duration::from_mins(90)).await;
        let reports = polling.reports().len();
        let polls: Vec<_> = (0..20).map(|number| polling.polls(number)).collect();
        assert!(polls.iter().all(|polls| polls.len() >= 18), "{polls:?}");
        let overruns = "cloudtrail_exporter_poll_overruns_total";
        assert_eq!(self_metric(&polling.metrics, overruns, None), "0");
        let _ = polling.stop.send(());
        polling.run.await.expect("it ends");
        seen.push((set, polls, reports));
    }
    for (set, polls, reports) in &seen[1..] {
        assert_eq!(*reports, seen[0].2, "{set:?}");
        let all = polls.iter().zip(&seen[0].1);
        for (polls, usual) in all {
            assert_eq!(polls.len(), usual.len(), "{set:?}");
            let mut pairs = polls.iter().zip(usual);
            assert!(
                pairs.all(|(is, was)| near(*is, *was)),
                "{set:?}: {polls:?} {usual:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_suspension_of_ten_minutes_is_followed_by_no_burst() {
    let began = Instant::now();
    let suspended = Duration::from_mins(10);
    let sleeps_from = began + 2 * INTERVAL;
    let fleet = 1000;
    let mut polling = start(fake(0..fleet, SECOND), settings(1000), accounts(0..fleet));
    polling.at(sleeps_from - began).await;
    polling.reports();
    polling.fake.forget();
    tokio::time::advance(suspended).await;
    let awake = Instant::now();
    sleep_until(awake + INTERVAL + 5 * SECOND).await;
    let polls: Vec<Instant> = (0..fleet)
        .flat_map(|n| polling.fake.polls(&key(n)))
        .collect();
    let in_first_minute = polls
        .iter()
        .filter(|at| **at < awake + Duration::from_mins(1));
    let fair = usize::try_from(fleet).expect("small") / 5;
    let seen = in_first_minute.count();
    assert!(
        seen < fair * 3 / 2,
        "{seen} polls in the first minute; {fair} are usual"
    );
    assert!(
        (0..fleet).all(|n| !polling.fake.polls(&key(n)).is_empty()),
        "all are polled within an interval"
    );
}

#[tokio::test(start_paused = true)]
async fn an_account_that_hangs_delays_nobody() {
    let fake = fake(0..100, SECOND / 10);
    for number in 0..20 {
        fake.change(&key(number), |answers| {
            answers
                .latency
                .insert(Operation::AssumeRole, Duration::from_hours(1));
        });
    }
    let mut polling = start(fake, settings(10), accounts(0..100));
    polling.at(Duration::from_secs(15)).await;
    let healthy: BTreeSet<AccountKey> = polling.reported().into_iter().collect();
    assert_eq!(healthy, (20..100).map(key).collect());
    polling.at(Duration::from_secs(80)).await;
    let hanging = polling.reports();
    let timeouts = hanging.iter().filter(|report| {
        let failure = Failure::Timeout;
        let operation = Operation::AssumeRole;
        report.poll.outcome == PollOutcome::NoSession { operation, failure }
    });
    assert_eq!(timeouts.count(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_poll_longer_than_the_interval_is_an_overrun_and_never_two_at_once() {
    let fake = fake([1], Duration::from_mins(12));
    let long = Settings {
        timeout: Duration::from_mins(20),
        ..settings(10)
    };
    let polling = start(fake, long, accounts([1]));
    polling.at(Duration::from_hours(1)).await;
    assert_eq!(polling.fake.most_under_way(), 1);
    let polls = polling.polls(1);
    assert!(
        polls
            .windows(2)
            .all(|pair| pair[1] >= pair[0] + Duration::from_mins(12)),
        "{polls:?}"
    );
    let overruns = self_metric(
        &polling.metrics,
        "cloudtrail_exporter_poll_overruns_total",
        None,
    );
    assert!(["2", "3", "4"].contains(&overruns.as_str()), "{overruns}");
}

#[tokio::test(start_paused = true)]
async fn accounts_come_and_go_with_the_directory_and_the_others_keep_their_sessions() {
    let mut polling = start(fake(0..4, SECOND), settings(10), accounts([0, 1]));
    polling.at(2 * SECOND).await;
    assert_eq!(polling.reported().len(), 2);
    polling.directory.send_replace(accounts([1, 2, 3]));
    polling.at(4 * SECOND).await;
    assert_eq!(polling.reported(), [key(2), key(3)]);
    polling.at(3 * INTERVAL).await;
    assert!(!polling.reported().contains(&key(0)));
    let opened = polling.fake.opened();
    assert_eq!(opened.iter().filter(|k| **k == key(1)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn accounts_that_come_and_go_leave_no_task_behind() {
    let polling = start(fake(0..40, SECOND), settings(10), accounts(0..20));
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    polling.at(INTERVAL).await;
    let before = tasks();
    for round in 1..=20 {
        let first = 20 * (round % 2);
        let next = accounts(u64::from(first)..u64::from(first) + 20);
        polling.directory.send_replace(next);
        // Some in the middle of their polls.
        polling.at(INTERVAL + round * SECOND / 3).await;
    }
    polling.at(2 * INTERVAL).await;
    assert_eq!(tasks(), before);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_asked_otherwise_starts_anew_and_one_that_is_only_renamed_does_not() {
    let mut polling = start(fake(0..2, SECOND), settings(10), accounts(0..2));
    polling.at(2 * SECOND).await;
    polling.reports();
    let renamed = Account {
        name: Some("renamed".into()),
        ..account(0)
    };
    let moved = in_regions(&["eu-west-1"], account(1));
    polling.directory.send_replace(directory([renamed, moved]));
    polling.at(4 * SECOND).await;
    assert_eq!(polling.reported(), [key(1)]);
    assert_eq!(polling.fake.opened(), [key(0), key(1), key(1)]);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_goes_in_the_middle_of_its_poll_is_not_reported() {
    let mut polling = start(
        fake(0..2, Duration::from_secs(30)),
        settings(10),
        accounts(0..2),
    );
    polling.at(10 * SECOND).await;
    polling.directory.send_replace(accounts([1]));
    polling.at(Duration::from_secs(40)).await;
    assert_eq!(polling.reported(), [key(1)]);
}

#[tokio::test(start_paused = true)]
async fn new_settings_hold_for_the_polls_after_them() {
    let mut polling = start(fake(0..40, SECOND), settings(1), accounts(0..1));
    polling.at(2 * SECOND).await;
    polling.settings.send_replace(settings(20));
    polling.at(3 * SECOND).await;
    polling.directory.send_replace(accounts(0..40));
    polling.reports();
    polling.at(Duration::from_millis(5_500)).await;
    assert_eq!(polling.reported().len(), 39);
    assert_eq!(polling.fake.most_under_way(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_poll_that_breaks_off_takes_no_other_with_it_and_does_not_spin() {
    let fake = fake(0..3, SECOND);
    fake.change(&key(1), |answers| answers.panics = true);
    let mut polling = start(fake, settings(10), accounts(0..3));
    polling.at(3 * INTERVAL).await;
    let reports = polling.reports();
    let of = |n: u64| reports.iter().filter(|report| report.key == key(n)).count();
    assert!(of(0) >= 3 && of(2) >= 3);
    assert!(
        (3..=4).contains(&of(1)),
        "once at first, then once an interval: {}",
        of(1)
    );
    let opened = polling.fake.opened();
    assert_eq!(opened.iter().filter(|k| **k == key(1)).count(), of(1));
    let broken = reports
        .iter()
        .find(|report| report.key == key(1))
        .expect("a report");
    let (operation, failure) = (Operation::AssumeRole, Failure::Other);
    assert_eq!(
        broken.poll.outcome,
        PollOutcome::NoSession { operation, failure }
    );
    polling
        .fake
        .change(&key(1), |answers| answers.panics = false);
    polling.at(5 * INTERVAL).await;
    let healed = |report: &Report| matches!(report.poll.outcome, PollOutcome::Answered(_));
    assert!(
        polling
            .reports()
            .iter()
            .any(|report| report.key == key(1) && healed(report))
    );
}

#[tokio::test(start_paused = true)]
async fn after_shutdown_nothing_is_under_way() {
    let polling = start(
        fake(0..10, Duration::from_secs(30)),
        settings(10),
        accounts(0..10),
    );
    polling.at(SECOND).await;
    let in_flight = "cloudtrail_exporter_polls_in_flight";
    assert_eq!(self_metric(&polling.metrics, in_flight, None), "10");
    let _ = polling.stop.send(());
    polling.run.await.expect("it ends");
    assert_eq!(self_metric(&polling.metrics, in_flight, None), "0");
}

#[tokio::test(start_paused = true)]
async fn with_the_owner_asked_members_make_one_call_each() {
    let org = organization_trail(9);
    let fake = Fake::default();
    for number in [1, 2, 9] {
        fake.answer(&key(number), Answers::of(id(number)).with(HOME, &org, true));
    }
    let owner = Settings {
        organization_trails: OrganizationTrailStatus::Owner,
        ..settings(10)
    };
    let polling = start(fake, owner, accounts([1, 2, 9]));
    polling.at(SECOND).await;
    let calls = [1, 2, 9].map(|n| polling.fake.operations(&key(n)).len() - 1);
    assert_eq!(calls, [1, 1, 3]);
}

/// The calls of two members from their second poll to their third, the owner of their trail failing so.
async fn calls_of_members_whose_owner_fails(failure: Failure) -> [usize; 2] {
    let org = organization_trail(9);
    let fake = Fake::default();
    for number in [1, 2, 9] {
        fake.answer(&key(number), Answers::of(id(number)).with(HOME, &org, true));
    }
    let refused = error(Operation::AssumeRole, failure, false);
    fake.change(&key(9), |answers| answers.identity = Err(refused));
    let owner = Settings {
        organization_trails: OrganizationTrailStatus::Owner,
        ..settings(10)
    };
    let polling = start(fake, owner, accounts([1, 2, 9]));
    polling.at(INTERVAL).await;
    polling.fake.forget();
    polling.at(2 * INTERVAL).await;
    [1, 2].map(|n| polling.fake.operations(&key(n)).len() - 1)
}

#[tokio::test(start_paused = true)]
async fn members_whose_owner_is_refused_are_asked_themselves_but_an_outage_makes_no_more_calls() {
    let refused = calls_of_members_whose_owner_fails(Failure::AccessDenied).await;
    assert_eq!(refused, [3, 3]);
    let outage = calls_of_members_whose_owner_fails(Failure::ServerError).await;
    assert_eq!(outage, [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_owner_in_another_shard_is_polled_here_too_once_a_member_needs_it() {
    let org = organization_trail(9);
    let fake = Fake::default();
    let denied = Answers::of(id(1)).with(HOME, &org, true);
    fake.answer(
        &key(1),
        denied.trail_fails(&org, Failure::AccessDenied, false),
    );
    fake.answer(&key(2), Answers::of(id(2)));
    fake.answer(&key(9), Answers::of(id(9)).with(HOME, &org, true));
    let part = Directory {
        neighbours: accounts([2, 9]).accounts.clone(),
        ..Directory::clone(&accounts([1]))
    };
    let mut polling = start(fake, settings(10), Arc::new(part));
    polling.at(SECOND).await;
    assert_eq!(polling.reported(), [key(1), key(9)]);
    polling.directory.send_replace(accounts([1]));
    polling.at(3 * INTERVAL).await;
    assert!(
        !polling.reported().contains(&key(9)),
        "gone with the neighbours"
    );
}

#[tokio::test(start_paused = true)]
async fn shards_do_not_poll_the_owner_of_their_trail_all_at_once() {
    let org = organization_trail(9);
    let now = clock();
    let mut ticks = BTreeSet::new();
    for _shard in 0..8 {
        let fake = Fake::default();
        let denied = Answers::of(id(1)).with(HOME, &org, true);
        let denied = denied.trail_fails(&org, Failure::AccessDenied, false);
        fake.answer(&key(1), denied);
        fake.answer(&key(9), Answers::of(id(9)).with(HOME, &org, true));
        let part = Directory {
            neighbours: accounts([9]).accounts.clone(),
            ..Directory::clone(&accounts([1]))
        };
        let polling = start_at(fake, settings(10), Arc::new(part), now.clone());
        polling.at(2 * INTERVAL).await;
        let tick = now() - 2 * INTERVAL + polling.polls(9)[1];
        let since = tick.boot().saturating_sub(epoch().boot()).as_secs();
        ticks.insert(since % INTERVAL.as_secs());
    }
    assert!(ticks.len() > 4, "{ticks:?}");
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_accounts_are_spread_evenly_over_the_interval() {
    let fleet = 10_000;
    let polling = start(
        fake(0..fleet, SECOND / 5),
        settings(256),
        accounts(0..fleet),
    );
    polling.at(INTERVAL).await;
    polling.fake.forget();
    polling.at(2 * INTERVAL).await;
    let mut buckets = [0_u32; 10];
    for call in polling.fake.journal() {
        let into = (call.at - (polling.began + INTERVAL)).as_secs() / 30;
        if call.operation == Operation::AssumeRole && into < 10 {
            buckets[usize::try_from(into).expect("small")] += 1;
        }
    }
    assert!(
        buckets.iter().all(|n| (850..1150).contains(n)),
        "{buckets:?}"
    );
}

/// Nobody answers for half an hour, and a fleet too large for its places waits at the gate.
#[tokio::test(start_paused = true)]
async fn after_an_outage_that_hangs_a_large_fleet_comes_back_without_a_herd() {
    let fleet = 10_000;
    let polling = start(
        fake(0..fleet, SECOND / 10),
        settings(64),
        accounts(0..fleet),
    );
    polling.at(INTERVAL).await;
    let takes = |latency: Duration| {
        for number in 0..fleet {
            polling.fake.change(&key(number), |answers| {
                answers.latency.insert(Operation::DescribeTrails, latency);
            });
        }
    };
    takes(Duration::from_secs(10));
    polling.at(6 * INTERVAL).await;
    takes(SECOND / 10);
    polling.fake.forget();
    let back = polling.began + 6 * INTERVAL;
    sleep_until(back + 3 * INTERVAL).await;
    let mut seconds = vec![0_u32; 900];
    let mut polled = BTreeSet::new();
    for call in polling.fake.journal() {
        if call.operation == Operation::AssumeRole {
            let second = usize::try_from((call.at - back).as_secs()).expect("small");
            seconds[second] += 1;
            if second < 600 {
                polled.insert(call.key);
            }
        }
    }
    let usual = 10_000 / 300;
    let busiest = seconds.iter().max().expect("seconds");
    assert!(
        *busiest <= 4 * usual,
        "{busiest} polls in a second: {seconds:?}"
    );
    assert_eq!(polled.len(), 10_000, "all are polled within two intervals");
    let last: u32 = seconds[600..].iter().sum();
    assert!(
        last.abs_diff(10_000) < 500,
        "{last} polls in the last interval"
    );
}

#[tokio::test(start_paused = true)]
async fn members_are_joined_with_an_owner_that_answers_last() {
    let org = organization_trail(9);
    let fake = Fake::default();
    for number in 1..9 {
        let denied = Answers::of(id(number)).with(HOME, &org, true);
        fake.answer(
            &key(number),
            denied.trail_fails(&org, Failure::AccessDenied, false),
        );
    }
    let slow = Answers::of(id(9)).with(HOME, &org, true);
    fake.answer(&key(9), slow.takes(Operation::GetTrailStatus, 20 * SECOND));
    let publisher = Publisher::new(metrics());
    let snapshot = publisher.subscribe();
    let polling = start(fake, settings(4), accounts(1..10));
    let (began, directory) = (polling.began, polling.directory.subscribe());
    let run = publisher.run(directory, polling.reports, clock(), sleep(30 * SECOND));
    let compliant = || {
        let now = epoch() + began.elapsed();
        let accounts = &snapshot.borrow().accounts;
        let verdicts = accounts
            .values()
            .map(|state| state.standing.verdict(now).state);
        verdicts.filter(|state| *state == State::Compliant).count()
    };
    let watch = async {
        sleep_until(began + 19 * SECOND).await;
        assert_eq!(compliant(), 0);
        sleep_until(began + 21 * SECOND).await;
        assert_eq!(compliant(), 9);
    };
    tokio::join!(run, watch);
}

/// A directory with an account by name that was found to be this one, beside others.
fn with_found(found: Found, others: impl IntoIterator<Item = Account>) -> Arc<Directory> {
    let named = Account {
        found: Some(found),
        ..by_name("monitoring")
    };
    let key = named.key.clone();
    let mut directory = Directory::clone(&directory(others));
    directory.accounts.insert(key.clone(), Arc::new(named));
    directory.found = found.own().map(|id| (id, key)).into_iter().collect();
    Arc::new(directory)
}

#[tokio::test(start_paused = true)]
async fn whose_an_account_by_name_is_goes_to_the_directory_and_a_duplicate_is_polled_no_more() {
    let name = by_name("monitoring").key;
    let fake = fake([7, 8], Duration::ZERO);
    fake.answer(&name, Answers::of(id(7)));
    let discovered = |number| Account {
        source: Source::Organizations,
        ..account(number)
    };
    let all = directory([discovered(7), discovered(8), by_name("monitoring")]);
    let mut polling = start(fake, settings(10), all);
    polling.at(SECOND).await;
    let identified = polling.identified.try_recv().expect("told");
    assert_eq!(identified.id, id(7));
    assert!(
        polling.identified.try_recv().is_err(),
        "once, and of no other"
    );
    let merged = with_found(Found::Own(id(7)), [discovered(8)]);
    polling.directory.send_replace(merged);
    polling.fake.forget();
    polling.at((4 * INTERVAL).saturating_sub(SECOND)).await;
    let polls = |key: &AccountKey| polling.fake.polls(key).len();
    assert_eq!(polls(&key(7)), 0);
    assert!(polls(&key(8)) >= 3 && polls(&name) >= 3);
    assert_eq!(polling.fake.opened().len(), 3, "no session is opened again");
    assert_eq!(polling.fake.distrusted(), [name], "the first time");
}

#[tokio::test(start_paused = true)]
async fn an_entry_whose_account_another_entry_has_asks_nothing_more_and_whose_it_is_each_time() {
    let name = by_name("monitoring").key;
    let fake = fake([7], Duration::ZERO);
    fake.answer(&name, Answers::of(id(7)));
    let taken = with_found(Found::Taken(id(7)), [account(7)]);
    let polling = start(fake, settings(10), taken);
    polling.at((3 * INTERVAL).saturating_sub(SECOND)).await;
    let asked = polling.fake.operations(&name);
    assert!(asked.len() >= 3, "{asked:?}");
    assert!(asked.iter().all(|call| *call == Operation::AssumeRole));
    assert_eq!(polling.fake.distrusted().len(), asked.len());
}

#[tokio::test(start_paused = true)]
async fn an_owner_known_by_its_name_is_asked_for_its_members() {
    let name = by_name("monitoring").key;
    let org = organization_trail(9);
    let fake = Fake::default();
    fake.answer(&name, Answers::of(id(9)).with(HOME, &org, true));
    fake.answer(&key(1), Answers::of(id(1)).with(HOME, &org, true));
    let owner_reads = Settings {
        organization_trails: OrganizationTrailStatus::Owner,
        ..settings(10)
    };
    let found = with_found(Found::Own(id(9)), [account(1)]);
    let polling = start(fake, owner_reads, found);
    polling.at(SECOND).await;
    let asked = polling.fake.operations(&key(1));
    assert_eq!(asked, [Operation::AssumeRole, Operation::DescribeTrails]);
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.expect("VmRSS").parse::<u64>().expect("KiB") * 1024
}

/// `cargo test --test poller -- --ignored --nocapture memory`
#[tokio::test(start_paused = true)]
#[ignore = "a measurement of the whole process: run it alone"]
async fn memory_of_ten_thousand_accounts_polled_judged_and_published() {
    let fleet: u64 = 10_000;
    let fake = Fake::default();
    for number in 0..fleet {
        let main = trail(number, HOME, "main");
        fake.answer(
            &key(number),
            Answers::of(id(number)).with(HOME, &main, true),
        );
    }
    let before = resident();
    let mut publisher = Publisher::new(metrics());
    let snapshot = publisher.subscribe();
    let accounts = accounts(0..fleet);
    publisher.follow(Arc::clone(&accounts), epoch());
    let mut polling = start(fake, settings(64), accounts);
    polling.at(2 * INTERVAL).await;
    let now = epoch() + 2 * INTERVAL;
    for report in polling.reports() {
        publisher.report(report, now);
    }
    polling.fake.forget();
    let compliant = snapshot
        .borrow()
        .accounts
        .values()
        .filter(|state| state.standing.verdict(now).state == State::Compliant)
        .count();
    assert_eq!(compliant, 10_000);
    let each = (resident() - before) / fleet;
    println!("{each} bytes for each account, the journal of the fake included");
}
