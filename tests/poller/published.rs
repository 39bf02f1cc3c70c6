//! What the publisher makes of reports, through real judgement.

use std::sync::Arc;
use std::time::Duration;

use cloudtrail_exporter::account::AccountId;
use cloudtrail_exporter::compliance::standing::EventKind;
use cloudtrail_exporter::compliance::{Check, Policy, Reason, State, Verdict};
use cloudtrail_exporter::directory::{Account, AccountKey, Directory, Found, Source};
use cloudtrail_exporter::facts::{
    AccountFacts, Dates, EventSelectors, Failure, Operation, Poll, PollOutcome, RegionAnswer,
    Trail, TrailFacts,
};
use cloudtrail_exporter::poller::Report;
use cloudtrail_exporter::self_metrics::SelfMetrics;
use cloudtrail_exporter::snapshot::{AccountState, Publisher, Snapshot};
use cloudtrail_exporter::timestamp::Timestamp;
use tokio::sync::{mpsc, watch};

use super::world::*;

const OWNER: u64 = 9;

/// A publisher, and what it published last.
struct Scene {
    publisher: Publisher,
    snapshot: watch::Receiver<Arc<Snapshot>>,
    metrics: SelfMetrics,
    now: Timestamp,
}

impl Scene {
    fn of(accounts: impl IntoIterator<Item = Account>) -> Self {
        let metrics = metrics();
        let publisher = Publisher::new(metrics.clone());
        let snapshot = publisher.subscribe();
        let now = epoch();
        let mut scene = Self {
            publisher,
            snapshot,
            metrics,
            now,
        };
        scene.follow(directory(accounts));
        scene
    }

    fn follow(&mut self, directory: Arc<Directory>) {
        self.publisher.follow(directory, self.now);
    }

    fn later(&mut self, by: Duration) {
        self.now = self.now + by;
    }

    fn polled(&mut self, key: AccountKey, identity: Option<u64>, outcome: PollOutcome) {
        let poll = Poll {
            ended: self.now,
            duration: Duration::from_secs(1),
            outcome: match outcome {
                PollOutcome::Answered(facts) => PollOutcome::Answered(facts.dated(self.now)),
                other => other,
            },
        };
        let report = Report {
            key,
            identity: identity.map(id),
            poll,
            errors: Vec::new(),
        };
        self.publisher.report(report, self.now);
    }

    /// A poll of an account known by its id, that showed these trails.
    fn shows(&mut self, number: u64, trails: Vec<TrailFacts>) {
        self.polled(key(number), Some(number), answered(number, trails));
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    fn state(&self, key: &AccountKey) -> Arc<AccountState> {
        Arc::clone(self.snapshot().accounts.get(key).expect("an account"))
    }

    fn verdict(&self, key: &AccountKey) -> Verdict {
        self.state(key).standing.verdict(self.now)
    }

    fn verdicts<const N: usize>(&self, numbers: [u64; N]) -> [State; N] {
        numbers.map(|number| self.verdict(&key(number)).state)
    }
}

fn answered(number: u64, trails: Vec<TrailFacts>) -> PollOutcome {
    PollOutcome::Answered(AccountFacts {
        account: id(number),
        regions: vec![(HOME.parse().expect("a Region"), RegionAnswer::Whole)],
        described: epoch(),
        trails,
    })
}

fn denied() -> PollOutcome {
    PollOutcome::NoSession {
        operation: Operation::AssumeRole,
        failure: Failure::AccessDenied,
    }
}

fn read(trail: Trail, logging: bool) -> TrailFacts {
    TrailFacts {
        trail,
        status: Ok(status(logging)),
        shadow: None,
        selectors: Ok(EventSelectors::Default),
        dates: Dates::all(epoch()),
    }
}

fn unread(trail: Trail, failure: Failure) -> TrailFacts {
    TrailFacts {
        trail,
        status: Err(failure),
        shadow: None,
        selectors: Err(failure),
        dates: Dates::all(epoch()),
    }
}

fn member(failure: Failure) -> Vec<TrailFacts> {
    vec![unread(organization_trail(OWNER), failure)]
}

fn owner(logging: bool) -> Vec<TrailFacts> {
    vec![read(organization_trail(OWNER), logging)]
}

use State::{Compliant, NonCompliant, Unknown};

#[test]
fn an_account_is_published_at_once_and_unknown_until_it_was_polled() {
    let mut scene = Scene::of([account(1)]);
    let not_polled = Verdict {
        state: Unknown,
        reason: Reason::NotPolled,
    };
    assert_eq!(scene.verdict(&key(1)), not_polled);
    scene.shows(1, vec![read(trail(1, HOME, "main"), true)]);
    assert_eq!(scene.verdict(&key(1)).state, Compliant);
}

#[test]
fn publishing_one_account_shares_all_others() {
    let mut scene = Scene::of((1..100).map(account));
    let before = scene.snapshot();
    scene.shows(50, vec![]);
    let after = scene.snapshot();
    for (key, state) in &after.accounts {
        let shared = Arc::ptr_eq(state, &before.accounts[key]);
        assert_eq!(shared, *key != super::world::key(50), "{key:?}");
    }
}

#[test]
fn a_published_snapshot_never_changes() {
    let mut scene = Scene::of([account(1)]);
    let before = scene.snapshot();
    scene.shows(1, vec![]);
    assert!(before.accounts[&key(1)].standing.last_poll().is_none());
    assert!(!before.ready && scene.snapshot().ready);
}

#[test]
fn an_account_that_is_gone_is_gone_from_the_next_snapshot_and_its_late_report_is_dropped() {
    let mut scene = Scene::of([account(1), account(2)]);
    scene.follow(directory([account(2)]));
    scene.shows(1, vec![]);
    let keys: Vec<_> = scene.snapshot().accounts.keys().cloned().collect();
    assert_eq!(keys, [key(2)]);
}

#[test]
fn an_account_that_stays_keeps_its_state_and_takes_the_new_policy() {
    let mut scene = Scene::of([account(1)]);
    scene.shows(1, vec![read(trail(1, HOME, "main"), true)]);
    let policy = Arc::new(Policy {
        required: vec![Check::MultiRegionTrail, Check::KmsEncryption],
        ..Policy::clone(&policy())
    });
    scene.follow(directory([Account {
        policy,
        ..account(1)
    }]));
    let state = scene.state(&key(1));
    assert_eq!(state.standing.trails().len(), 1);
    assert_eq!(scene.verdict(&key(1)).reason, Reason::KmsEncryptionDisabled);
}

#[test]
fn an_organization_trail_is_joined_whichever_account_is_polled_first() {
    for order in [[1, 2, OWNER], [1, OWNER, 2], [OWNER, 2, 1]] {
        let mut scene = Scene::of([1, 2, OWNER].map(account));
        for number in order {
            let trails = if number == OWNER {
                owner(true)
            } else {
                member(Failure::AccessDenied)
            };
            scene.shows(number, trails);
        }
        assert_eq!(scene.verdicts([1, 2, OWNER]), [Compliant; 3], "{order:?}");
        let held = &scene.state(&key(1)).standing;
        assert!(
            held.trails()[0].status.is_none(),
            "trail series stay the member's own"
        );
    }
}

#[test]
fn members_that_leave_the_trail_to_its_owner_show_no_failing_call() {
    let mut scene = Scene::of([1, OWNER].map(account));
    scene.shows(1, member(Failure::NotAsked));
    let last = scene
        .state(&key(1))
        .standing
        .last_poll()
        .cloned()
        .expect("a poll");
    assert_eq!(last.failing, []);
    let unreadable = Reason::TrailStatusUnreadable;
    assert_eq!(scene.verdict(&key(1)).reason, unreadable);
    scene.shows(OWNER, owner(true));
    let last = scene
        .state(&key(1))
        .standing
        .last_poll()
        .cloned()
        .expect("a poll");
    assert_eq!((last.failing, last.up), (vec![], true));
    assert_eq!(scene.verdicts([1]), [Compliant]);
}

#[test]
fn members_follow_when_the_owner_stops_and_starts_the_trail() {
    let mut scene = Scene::of([1, 2, 3, OWNER].map(account));
    scene.shows(OWNER, owner(true));
    scene.shows(1, member(Failure::AccessDenied));
    scene.shows(2, member(Failure::Throttled));
    scene.shows(3, owner(true));
    scene.later(INTERVAL);
    scene.shows(OWNER, owner(false));
    assert_eq!(
        scene.verdicts([1, 2, 3]),
        [NonCompliant, NonCompliant, Compliant]
    );
    scene.later(INTERVAL);
    scene.shows(OWNER, owner(true));
    assert_eq!(scene.verdicts([1, 2, 3]), [Compliant; 3]);
}

#[test]
fn members_follow_when_the_owner_hears_of_a_delivery_error() {
    let policy = Arc::new(Policy {
        required: vec![Check::MultiRegionTrail, Check::Logging, Check::Delivery],
        ..Policy::clone(&policy())
    });
    let strict = |number| Account {
        policy: Arc::clone(&policy),
        ..account(number)
    };
    let mut scene = Scene::of([1, OWNER].map(strict));
    scene.shows(OWNER, owner(true));
    scene.shows(1, member(Failure::AccessDenied));
    assert_eq!(scene.verdicts([1]), [Compliant]);
    let mut failing = owner(true);
    if let Ok(status) = &mut failing[0].status {
        status.deliveries[0].error = Some("NoSuchBucket".into());
    }
    scene.shows(OWNER, failing);
    assert_eq!(scene.verdict(&key(1)).reason, Reason::DeliveryFailing);
}

#[test]
fn an_owner_polled_hourly_keeps_its_members_known_all_the_time() {
    let hourly = Account {
        interval: Duration::from_hours(1),
        policy: Arc::new(Policy {
            stale_after: Duration::from_mins(75),
            ..Policy::clone(&policy())
        }),
        ..account(OWNER)
    };
    let mut scene = Scene::of([account(1), hourly]);
    scene.shows(OWNER, owner(true));
    let read = epoch().wall();
    for _ in 0..16 {
        scene.shows(1, member(Failure::AccessDenied));
        assert_eq!(scene.verdicts([1]), [Compliant]);
        let proven = scene.state(&key(1)).standing.last_success();
        assert_eq!(proven, Some(read), "the owner's date");
        scene.later(INTERVAL);
    }
    scene.shows(1, member(Failure::AccessDenied));
    assert_eq!(
        scene.verdicts([1]),
        [Unknown],
        "the owner's 75 minutes are over"
    );
    scene.shows(OWNER, owner(true));
    assert_eq!(
        scene.verdicts([1]),
        [Compliant],
        "with the owner's poll, not its own next"
    );
    scene.later(Duration::from_mins(15));
    assert_eq!(scene.verdicts([1]), [Compliant]);
    scene.later(Duration::from_secs(1));
    assert_eq!(
        scene.verdicts([1]),
        [Unknown],
        "its own list of trails is stale"
    );
}

/// Reports facts that were asked for long before the poll ended.
fn polled_slowly(scene: &mut Scene, took: Duration, trails: Vec<TrailFacts>) {
    let PollOutcome::Answered(facts) = answered(1, trails) else {
        panic!("answered")
    };
    let outcome = PollOutcome::Answered(facts.dated(scene.now - took));
    let poll = Poll {
        ended: scene.now,
        duration: took,
        outcome,
    };
    let report = Report {
        key: key(1),
        identity: Some(id(1)),
        poll,
        errors: Vec::new(),
    };
    scene.publisher.report(report, scene.now);
}

#[test]
fn answers_older_than_they_last_prove_nothing_however_young_their_poll_is() {
    let main = || vec![read(trail(1, HOME, "main"), true)];
    let mut scene = Scene::of([account(1)]);
    scene.later(Duration::from_hours(24));
    polled_slowly(&mut scene, Duration::from_mins(16), main());
    let stale = Verdict {
        state: Unknown,
        reason: Reason::Stale,
    };
    assert_eq!(scene.verdict(&key(1)), stale);
    assert!(
        !scene
            .state(&key(1))
            .standing
            .last_poll()
            .expect("a poll")
            .up
    );
    scene.shows(1, vec![read(trail(1, HOME, "main"), false)]);
    scene.later(Duration::from_hours(24));
    polled_slowly(&mut scene, Duration::from_mins(16), main());
    assert_eq!(scene.verdicts([1]), [NonCompliant], "no alarm is cleared");
    polled_slowly(&mut scene, Duration::from_mins(14), main());
    assert_eq!(scene.verdicts([1]), [Compliant]);
    scene.later(Duration::from_mins(1));
    assert_eq!(scene.verdicts([1]), [Compliant]);
    scene.later(Duration::from_secs(1));
    assert_eq!(scene.verdicts([1]), [Unknown]);
}

#[test]
fn once_seen_to_lapse_a_proof_stays_lapsed_whatever_a_clock_shows() {
    const DAYS: Duration = Duration::from_hours(72);
    let main = || vec![read(trail(1, HOME, "main"), true)];
    for (forward, back) in [(16 * 60, 20), (15 * 60 + 5, 5), (72 * 3_600, 72 * 3_600)] {
        let (forward, back) = (Duration::from_secs(forward), Duration::from_secs(back));
        let mut scene = Scene::of([account(1)]);
        scene.shows(1, main());
        let proven = scene.now;
        // Three days on is a step of the wall clock; the rest is time that passed.
        let boot = if forward == DAYS {
            proven.boot()
        } else {
            (proven + forward).boot()
        };
        scene.now = Timestamp::new((proven + forward).wall(), boot);
        scene.publisher.look(scene.now);
        assert_eq!(scene.verdicts([1]), [Unknown]);
        scene.now = Timestamp::new((proven + forward - back).wall(), boot);
        scene.publisher.look(scene.now);
        let standing = scene.state(&key(1)).standing.clone();
        assert_eq!(scene.verdicts([1]), [Unknown], "{forward:?} {back:?}");
        for check in Check::ALL {
            assert_ne!(standing.check(check, scene.now), Some(true), "{check:?}");
        }
        for kind in EventKind::ALL {
            assert_eq!(standing.management_events(kind, scene.now), None);
            let held = &standing.trails()[0];
            assert_eq!(
                standing.trail_management_events(held, kind, scene.now),
                None
            );
        }
        let longer = Account {
            policy: Arc::new(Policy {
                stale_after: 2 * DAYS,
                ..Policy::clone(&policy())
            }),
            ..account(1)
        };
        scene.follow(directory([longer]));
        assert_eq!(
            scene.verdicts([1]),
            [Unknown],
            "nor does a reload revive it"
        );
        scene.later(Duration::from_secs(1));
        scene.shows(1, main());
        assert_eq!(scene.verdicts([1]), [Compliant]);
    }
}

#[test]
fn an_owners_older_reading_overturns_no_newer_one_of_a_members_own() {
    const MINUTE: Duration = Duration::from_mins(1);
    for (before, after) in [(true, false), (false, true)] {
        let state = |logging| if logging { Compliant } else { NonCompliant };
        let mut scene = Scene::of([1, OWNER].map(account));
        scene.shows(OWNER, owner(before));
        scene.later(MINUTE);
        scene.shows(1, owner(after));
        assert_eq!(scene.verdicts([1]), [state(after)]);
        scene.later(MINUTE);
        scene.shows(1, member(Failure::Throttled));
        assert_eq!(
            scene.verdicts([1]),
            [state(after)],
            "the owner's word is older"
        );
        scene.later(MINUTE);
        scene.shows(OWNER, owner(after));
        scene.later(MINUTE);
        scene.shows(OWNER, owner(before));
        assert_eq!(scene.verdicts([1]), [state(before)], "now it is newer");
    }
}

#[test]
fn an_owners_lapsed_reading_revives_no_member() {
    let mut scene = Scene::of([1, OWNER].map(account));
    scene.shows(OWNER, owner(true));
    scene.shows(1, member(Failure::AccessDenied));
    let proven = scene.now;
    scene.now = Timestamp::new((proven + Duration::from_hours(1)).wall(), proven.boot());
    scene.publisher.look(scene.now);
    scene.now = proven + Duration::from_secs(1);
    scene.publisher.look(scene.now);
    scene.shows(1, member(Failure::AccessDenied));
    assert_eq!(scene.verdicts([1, OWNER]), [Unknown, Unknown]);
    scene.shows(OWNER, owner(true));
    assert_eq!(scene.verdicts([1, OWNER]), [Compliant, Compliant]);
}

#[test]
fn a_look_publishes_only_what_has_lapsed() {
    let mut scene = Scene::of([1, 2].map(account));
    scene.shows(1, vec![read(trail(1, HOME, "main"), true)]);
    scene.later(Duration::from_mins(10));
    scene.shows(2, vec![read(trail(2, HOME, "main"), true)]);
    let before = scene.snapshot();
    scene.later(INTERVAL);
    scene.publisher.look(scene.now);
    assert!(Arc::ptr_eq(&before, &scene.snapshot()));
    scene.later(Duration::from_secs(1));
    scene.publisher.look(scene.now);
    assert!(!Arc::ptr_eq(&before, &scene.snapshot()));
    assert_eq!(scene.verdicts([1, 2]), [Unknown, Compliant]);
    let since = scene.state(&key(1)).standing.since(scene.now);
    assert_eq!(since, Some((epoch() + Duration::from_mins(15)).wall()));
}

#[test]
fn a_member_that_reads_the_trail_itself_again_waits_no_more() {
    let mut scene = Scene::of([1, OWNER].map(account));
    scene.shows(OWNER, owner(true));
    scene.shows(1, member(Failure::AccessDenied));
    scene.shows(1, owner(true));
    scene.shows(OWNER, owner(false));
    assert_eq!(scene.verdicts([1]), [Compliant], "its own answer wins");
}

#[test]
fn an_owner_known_by_its_name_stands_in_too() {
    let mut scene = Scene::of([account(1), by_name("management")]);
    scene.shows(1, member(Failure::AccessDenied));
    scene.follow(merged([account(1), own("management", OWNER)]));
    scene.polled(
        name("management"),
        Some(OWNER),
        answered(OWNER, owner(true)),
    );
    assert_eq!(scene.verdicts([1]), [Compliant]);
}

#[test]
fn an_owner_in_another_shard_stands_in_and_is_not_published() {
    let mut scene = Scene::of([]);
    let part = Directory {
        neighbours: directory([account(OWNER)]).accounts.clone(),
        ..Directory::clone(&directory([account(1)]))
    };
    scene.follow(Arc::new(part));
    scene.shows(1, member(Failure::AccessDenied));
    scene.shows(OWNER, owner(true));
    assert_eq!(scene.verdicts([1]), [Compliant]);
    let snapshot = scene.snapshot();
    assert_eq!((snapshot.accounts.len(), snapshot.elsewhere), (1, 1));
}

const MAIN: u64 = 7;

fn name(name: &str) -> AccountKey {
    AccountKey::Name(name.into())
}

/// An account by name, and whose its credentials were found to be.
fn found(name: &str, found: Found) -> Account {
    Account {
        found: Some(found),
        ..by_name(name)
    }
}

fn own(name: &str, number: u64) -> Account {
    found(name, Found::Own(id(number)))
}

fn taken(name: &str, number: u64) -> Account {
    found(name, Found::Taken(id(number)))
}

fn discovered(number: u64) -> Account {
    Account {
        source: Source::Organizations,
        ..account(number)
    }
}

/// A directory with these accounts, whose identities are known as far as they are found.
fn merged(accounts: impl IntoIterator<Item = Account>) -> Arc<Directory> {
    let mut directory = Directory::clone(&directory(accounts));
    let found = directory.accounts.values().filter_map(|account| {
        let id = account.found.and_then(Found::own)?;
        Some((id, account.key.clone()))
    });
    directory.found = found.collect();
    Arc::new(directory)
}

fn main_trail(logging: bool) -> Vec<TrailFacts> {
    vec![read(trail(MAIN, HOME, "main"), logging)]
}

/// Nothing was heard but whose the credentials are.
fn throttled(number: u64) -> PollOutcome {
    PollOutcome::Answered(AccountFacts {
        account: id(number),
        regions: vec![(
            HOME.parse().expect("a Region"),
            RegionAnswer::Failed(Failure::Throttled),
        )],
        described: epoch(),
        trails: vec![],
    })
}

impl Scene {
    /// The ids published, and the verdict of each.
    fn published(&self) -> Vec<(Option<AccountId>, State)> {
        let snapshot = self.snapshot();
        let states = snapshot.accounts.values();
        let of = |state: &Arc<AccountState>| (state.id, state.standing.verdict(self.now).state);
        states.map(of).collect()
    }
}

#[test]
fn a_report_that_tells_a_new_identity_waits_until_the_directory_knows_it() {
    let mut scene = Scene::of([by_name("monitoring")]);
    let monitoring = name("monitoring");
    scene.polled(
        monitoring.clone(),
        Some(MAIN),
        answered(MAIN, main_trail(true)),
    );
    assert_eq!(scene.published(), [(None, Unknown)]);
    assert!(!scene.snapshot().ready);
    scene.follow(merged([own("monitoring", MAIN)]));
    assert_eq!(scene.published(), [(Some(id(MAIN)), Compliant)]);
    assert!(scene.snapshot().ready);
    scene.polled(monitoring.clone(), None, denied());
    let kept = scene.state(&monitoring).id;
    assert_eq!(kept, Some(id(MAIN)), "known until another one is told");
}

#[test]
fn a_report_that_waits_is_dropped_with_its_account_or_for_a_newer_one() {
    let monitoring = name("monitoring");
    let mut scene = Scene::of([by_name("monitoring")]);
    scene.polled(
        monitoring.clone(),
        Some(MAIN),
        answered(MAIN, main_trail(true)),
    );
    scene.follow(merged([]));
    scene.follow(merged([own("monitoring", MAIN)]));
    assert_eq!(scene.published(), [(Some(id(MAIN)), Unknown)]);
    let mut scene = Scene::of([by_name("monitoring")]);
    scene.polled(monitoring.clone(), Some(8), answered(8, vec![]));
    scene.polled(monitoring, Some(MAIN), answered(MAIN, main_trail(true)));
    scene.follow(merged([own("monitoring", MAIN)]));
    assert_eq!(scene.published(), [(Some(id(MAIN)), Compliant)]);
}

#[test]
fn what_is_held_of_a_discovered_account_goes_to_the_entry_that_it_turns_out_to_be() {
    let mut scene = Scene::of([discovered(MAIN), by_name("monitoring")]);
    scene.shows(MAIN, main_trail(false));
    scene.later(INTERVAL);
    let before = [(Some(id(MAIN)), NonCompliant), (None, Unknown)];
    assert_eq!(scene.published(), before);
    scene.polled(name("monitoring"), Some(MAIN), throttled(MAIN));
    assert_eq!(scene.published(), before, "the directory does not know yet");
    scene.follow(merged([own("monitoring", MAIN)]));
    assert_eq!(scene.published(), [(Some(id(MAIN)), NonCompliant)]);
    let state = scene.state(&name("monitoring"));
    assert_eq!(state.standing.trails().len(), 1);
    assert_eq!(state.account.access, by_name("monitoring").access);
    scene.shows(MAIN, main_trail(true));
    let late = "a late report of the discovered entry counts for nothing";
    assert_eq!(
        scene.published(),
        [(Some(id(MAIN)), NonCompliant)],
        "{late}"
    );
}

#[test]
fn what_is_held_goes_back_when_the_entry_leaves() {
    let mut scene = Scene::of([]);
    scene.follow(merged([own("monitoring", MAIN), discovered(8)]));
    scene.polled(
        name("monitoring"),
        Some(MAIN),
        answered(MAIN, main_trail(false)),
    );
    scene.follow(merged([discovered(MAIN), discovered(8)]));
    assert_eq!(scene.verdicts([MAIN, 8]), [NonCompliant, Unknown]);
    assert_eq!(scene.snapshot().accounts.len(), 2);
}

#[test]
fn what_is_held_goes_along_with_another_name_and_with_an_id_that_is_written_at_last() {
    let mut scene = Scene::of([]);
    scene.follow(merged([own("a", MAIN)]));
    scene.polled(name("a"), Some(MAIN), answered(MAIN, main_trail(false)));
    scene.follow(merged([own("b", MAIN)]));
    assert_eq!(scene.published(), [(Some(id(MAIN)), NonCompliant)]);
    scene.follow(merged([account(MAIN)]));
    assert_eq!(scene.verdicts([MAIN]), [NonCompliant]);
}

#[test]
fn an_entry_that_is_another_account_publishes_that_one_and_the_discovered_one_returns() {
    let mut scene = Scene::of([]);
    scene.follow(merged([own("monitoring", MAIN), discovered(8)]));
    scene.polled(
        name("monitoring"),
        Some(MAIN),
        answered(MAIN, main_trail(true)),
    );
    scene.shows(8, vec![]);
    scene.polled(name("monitoring"), Some(8), throttled(8));
    let before = [(Some(id(8)), NonCompliant), (Some(id(MAIN)), Compliant)];
    assert_eq!(scene.published(), before);
    scene.follow(merged([own("monitoring", 8), discovered(MAIN)]));
    let after = [(Some(id(MAIN)), Compliant), (Some(id(8)), NonCompliant)];
    assert_eq!(scene.published(), after);
}

#[test]
fn what_was_held_comes_back_when_the_credentials_are_the_old_accounts_again() {
    let monitoring = name("monitoring");
    let mut scene = Scene::of([]);
    scene.follow(merged([own("monitoring", MAIN)]));
    scene.polled(
        monitoring.clone(),
        Some(MAIN),
        answered(MAIN, main_trail(false)),
    );
    scene.polled(monitoring.clone(), Some(8), throttled(8));
    scene.follow(merged([own("monitoring", 8)]));
    assert_eq!(scene.published(), [(Some(id(8)), Unknown)]);
    assert_eq!(scene.state(&monitoring).standing.trails().len(), 0);
    scene.later(INTERVAL);
    scene.polled(monitoring.clone(), Some(MAIN), throttled(MAIN));
    scene.follow(merged([own("monitoring", MAIN)]));
    assert_eq!(scene.published(), [(Some(id(MAIN)), NonCompliant)]);
    scene.follow(merged([]));
    scene.follow(merged([own("monitoring", MAIN)]));
    let gone = "what left and came back starts new";
    assert_eq!(scene.published(), [(Some(id(MAIN)), Unknown)], "{gone}");
}

#[test]
fn what_lapsed_while_the_credentials_were_another_accounts_stays_lapsed() {
    let monitoring = name("monitoring");
    let mut scene = Scene::of([]);
    scene.follow(merged([own("monitoring", MAIN)]));
    let compliant = answered(MAIN, main_trail(true));
    scene.polled(monitoring.clone(), Some(MAIN), compliant);
    scene.polled(monitoring.clone(), Some(8), throttled(8));
    scene.follow(merged([own("monitoring", 8)]));
    let before = scene.now;
    scene
        .publisher
        .look(before + policy().stale_after + INTERVAL);
    // The wall clock is set back.
    scene.now = before;
    scene.polled(monitoring, Some(MAIN), throttled(MAIN));
    scene.follow(merged([own("monitoring", MAIN)]));
    assert_eq!(scene.published(), [(Some(id(MAIN)), Unknown)]);
}

#[test]
fn two_entries_may_swap_their_accounts_and_neither_loses_what_is_held() {
    let mut scene = Scene::of([]);
    scene.follow(merged([own("a", MAIN), own("b", 8)]));
    scene.polled(name("a"), Some(MAIN), answered(MAIN, main_trail(true)));
    scene.polled(name("b"), Some(8), answered(8, vec![]));
    scene.polled(name("a"), Some(8), throttled(8));
    scene.follow(merged([own("a", 8), taken("b", 8)]));
    scene.polled(name("b"), Some(MAIN), throttled(MAIN));
    scene.follow(merged([own("a", 8), own("b", MAIN)]));
    let swapped = [(Some(id(8)), NonCompliant), (Some(id(MAIN)), Compliant)];
    assert_eq!(scene.published(), swapped);
}

#[test]
fn the_second_entry_of_one_account_is_the_wrong_account_until_the_first_leaves() {
    let mut scene = Scene::of([]);
    scene.follow(merged([own("a", MAIN), taken("b", MAIN)]));
    scene.polled(name("a"), Some(MAIN), answered(MAIN, main_trail(true)));
    let wrong = PollOutcome::WrongAccount { found: id(MAIN) };
    for outcome in [wrong, answered(MAIN, main_trail(true))] {
        scene.polled(name("b"), Some(MAIN), outcome);
        assert_eq!(scene.verdict(&name("b")).reason, Reason::WrongAccount);
        let state = scene.state(&name("b"));
        assert_eq!((state.id, state.standing.trails().len()), (None, 0));
        assert_eq!(scene.verdict(&name("a")).state, Compliant);
    }
    scene.polled(name("b"), None, denied());
    assert_eq!(
        scene.state(&name("b")).id,
        None,
        "also while no session opens"
    );
    scene.follow(merged([own("b", MAIN)]));
    assert_eq!(scene.published(), [(Some(id(MAIN)), Compliant)]);
    let wrong = PollOutcome::WrongAccount { found: id(MAIN) };
    scene.polled(name("b"), Some(MAIN), wrong);
    let late = "it began before the first left";
    assert_eq!(scene.published(), [(Some(id(MAIN)), Compliant)], "{late}");
}

#[test]
fn the_wrong_account_hides_what_is_held_and_the_right_one_shows_it_again() {
    let mut scene = Scene::of([account(MAIN)]);
    scene.shows(MAIN, main_trail(false));
    let wrong = PollOutcome::WrongAccount { found: id(8) };
    scene.polled(key(MAIN), Some(8), wrong);
    assert_eq!(scene.verdict(&key(MAIN)).reason, Reason::WrongAccount);
    assert_eq!(scene.state(&key(MAIN)).standing.trails().len(), 0);
    scene.later(INTERVAL);
    scene.polled(key(MAIN), Some(MAIN), throttled(MAIN));
    assert_eq!(scene.verdict(&key(MAIN)).reason, Reason::NotLogging);
    assert_eq!(scene.state(&key(MAIN)).standing.trails().len(), 1);
}

#[test]
fn accounts_left_out_are_counted() {
    let mut scene = Scene::of([account(1)]);
    let left_out = |scene: &Scene| {
        let name = "cloudtrail_exporter_accounts_left_out";
        self_metric(&scene.metrics, name, None)
    };
    assert_eq!(left_out(&scene), "0");
    let whole = directory([account(1)]);
    scene.follow(Arc::new(Directory {
        cut: 3,
        ..Directory::clone(&whole)
    }));
    assert_eq!(left_out(&scene), "3");
    scene.follow(whole);
    assert_eq!(left_out(&scene), "0");
}

#[test]
fn accounts_that_are_known_to_be_missing_are_published_as_missing() {
    let mut scene = Scene::of([account(1)]);
    assert!(!scene.snapshot().partial);
    let whole = Directory::clone(&directory([account(1)]));
    for (unlisted, cut) in [(true, 0), (false, 1)] {
        scene.follow(Arc::new(Directory {
            unlisted,
            cut,
            ..whole.clone()
        }));
        assert!(scene.snapshot().partial);
    }
    scene.follow(Arc::new(whole));
    assert!(!scene.snapshot().partial);
}

#[test]
fn it_is_ready_once_every_account_known_when_discovery_was_complete_was_polled_once() {
    let mut incomplete = Directory::clone(&directory([account(1)]));
    incomplete.complete = false;
    let metrics = metrics();
    let mut publisher = Publisher::new(metrics.clone());
    let snapshot = publisher.subscribe();
    let ready = || snapshot.borrow().ready;
    publisher.follow(Arc::new(incomplete), epoch());
    let report = |number| Report {
        key: key(number),
        identity: None,
        poll: Poll {
            ended: epoch(),
            duration: Duration::ZERO,
            outcome: denied(),
        },
        errors: Vec::new(),
    };
    publisher.report(report(1), epoch());
    assert!(!ready(), "discovery was not attempted yet");
    publisher.follow(directory([account(1), account(2), account(3)]), epoch());
    assert!(!ready(), "two accounts were not polled yet");
    publisher.follow(directory([1, 2, 3, 4].map(account)), epoch());
    publisher.report(report(2), epoch());
    publisher.follow(directory([1, 2, 4].map(account)), epoch());
    assert!(ready(), "3 is gone, and 4 came later");
    publisher.follow(directory([5].map(account)), epoch());
    assert!(ready(), "stays so");
    let gauge = self_metric(&metrics, "cloudtrail_exporter_ready", None);
    assert_eq!(gauge, "1");
}

#[test]
fn polls_that_leave_the_verdict_open_are_counted_by_reason() {
    let mut scene = Scene::of([account(1), account(2)]);
    scene.polled(key(1), None, denied());
    scene.shows(2, vec![]);
    let failures = |reason| {
        let name = "cloudtrail_exporter_poll_failures_total";
        self_metric(&scene.metrics, name, Some(reason))
    };
    let seen = ["access_denied", "throttled", "not_polled"].map(failures);
    assert_eq!(seen, ["1", "0", "0"]);
}

#[test]
fn accounts_are_counted_by_source() {
    let discovered = Account {
        source: Source::Organizations,
        ..account(2)
    };
    let scene = Scene::of([account(1), discovered, account(3)]);
    let count = |source| {
        let name = "cloudtrail_exporter_accounts";
        self_metric(&scene.metrics, name, Some(source))
    };
    assert_eq!(
        ["config", "organizations", "ambient"].map(count),
        ["2", "1", "0"]
    );
}

#[test]
fn every_trail_has_its_labels() {
    let mut scene = Scene::of([account(1)]);
    let trails = ["a", "b"].map(|name| read(trail(1, HOME, name), true));
    scene.shows(1, trails.to_vec());
    let state = scene.state(&key(1));
    assert_eq!(state.trail_labels.len(), state.standing.trails().len());
    scene.later(INTERVAL);
    scene.shows(1, vec![]);
    assert!(scene.state(&key(1)).trail_labels.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_loop_publishes_directories_and_reports_until_shutdown() {
    let publisher = Publisher::new(metrics());
    let mut snapshot = publisher.subscribe();
    let accounts = watch::Sender::new(directory([account(1)]));
    let (reports, received) = mpsc::channel(10);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let run = tokio::spawn(publisher.run(accounts.subscribe(), received, clock(), shutdown));
    let first = snapshot
        .wait_for(|s| s.accounts.contains_key(&key(1)))
        .await;
    assert!(!first.expect("published").ready);
    let poll = Poll {
        ended: epoch(),
        duration: Duration::ZERO,
        outcome: answered(1, vec![]),
    };
    let report = Report {
        key: key(1),
        identity: Some(id(1)),
        poll,
        errors: Vec::new(),
    };
    reports.send(report).await.expect("taken");
    snapshot.wait_for(|s| s.ready).await.expect("published");
    accounts.send_replace(directory([account(2)]));
    snapshot
        .wait_for(|s| !s.accounts.contains_key(&key(1)))
        .await
        .expect("published");
    let _ = stop.send(());
    run.await.expect("it ends");
}

/// `cargo test --release --test poller -- --ignored --nocapture publishing`
#[test]
#[ignore = "a measurement"]
fn publishing_one_account_while_ten_thousand_are_held() {
    let fleet = 10_000;
    let mut scene = Scene::of((0..fleet).map(account));
    let began = std::time::Instant::now();
    for number in 0..fleet {
        scene.shows(number, vec![read(trail(number, HOME, "main"), true)]);
        let _held_by_a_scrape = scene.snapshot();
    }
    let each = began.elapsed() / u32::try_from(fleet).expect("small");
    println!("judged and published one of {fleet} accounts in {each:?}");
}
