use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::super::fixtures::{ambient, config, configured, members};
use super::super::{AccountKey, fixtures};
use super::*;
use crate::config::Access;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

type Answer = Result<Vec<Member>, &'static str>;

/// Discovery under way on a paused clock, given these answers in turn.
struct Run {
    started: Instant,
    config: watch::Sender<Arc<Config>>,
    directory: watch::Receiver<Arc<Directory>>,
    attempts: RefCell<Vec<Attempt>>,
    answers: RefCell<VecDeque<Answer>>,
    asked: RefCell<Vec<u64>>,
    identified: mpsc::Sender<Identified>,
}

impl Run {
    /// Runs it for as long as `script` looks on; what was told of each attempt.
    async fn with(
        answers: impl IntoIterator<Item = Answer>,
        script: impl AsyncFnOnce(&Self),
    ) -> Vec<Attempt> {
        let sender = watch::Sender::new(Arc::default());
        let (identified, identities) = mpsc::channel(1);
        let run = Self {
            started: Instant::now(),
            config: watch::Sender::new(Arc::new(config(vec![configured(1)]))),
            directory: sender.subscribe(),
            attempts: RefCell::default(),
            answers: RefCell::new(answers.into_iter().collect()),
            asked: RefCell::default(),
            identified,
        };
        let discovery = Discovery {
            config: run.config.subscribe(),
            shard: Shard::ALL,
            list: |_: Arc<Config>| run.answer(),
            observe: |attempt| run.attempts.borrow_mut().push(attempt),
            now: || NOW,
            identified: identities,
            directory: sender,
        };
        discovery.run(script(&run)).await;
        run.attempts.take()
    }

    async fn answer(&self) -> Answer {
        let after = self.started.elapsed().as_secs();
        self.asked.borrow_mut().push(after);
        let answer = self.answers.borrow_mut().pop_front();
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// The accounts in the directory, and whether it is complete, once it changed.
    async fn changed(&self) -> (usize, bool) {
        let mut directory = self.directory.clone();
        directory.changed().await.expect("kept");
        let directory = directory.borrow();
        (directory.accounts.len(), directory.complete)
    }

    fn now(&self) -> (usize, bool) {
        let directory = self.directory.borrow();
        (directory.accounts.len(), directory.complete)
    }

    async fn at(&self, seconds: u64) -> (usize, bool) {
        sleep_until(self.started + Duration::from_secs(seconds)).await;
        self.now()
    }
}

fn succeeded(accounts: usize) -> Attempt {
    Attempt::Succeeded { at: NOW, accounts }
}

#[tokio::test(start_paused = true)]
async fn the_accounts_of_the_file_do_not_wait_for_the_first_listing() {
    Run::with([], async |run| assert_eq!(run.changed().await, (1, false))).await;
}

#[tokio::test(start_paused = true)]
async fn a_listing_comes_at_once_and_again_after_each_interval() {
    let answers = [Ok(members(0..10)), Ok(members(0..12))];
    let attempts = Run::with(answers, async |run| {
        assert_eq!(run.at(1).await, (10, true));
        assert_eq!(run.at(899).await, (10, true));
        assert_eq!(run.at(901).await, (12, true));
        assert_eq!(run.at(1801).await, (12, true));
        assert_eq!(*run.asked.borrow(), [0, 900, 1800]);
    })
    .await;
    assert_eq!(attempts, [succeeded(10), succeeded(12)]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_listing_keeps_the_last_good_one_and_is_tried_again_soon() {
    let answers = [
        Ok(members(0..10)),
        Err("denied"),
        Err("denied"),
        Ok(members(0..9)),
    ];
    let attempts = Run::with(answers, async |run| {
        assert_eq!(run.at(901).await, (10, true));
        assert_eq!(run.at(944).await, (10, true));
        assert_eq!(run.at(946).await, (9, true));
    })
    .await;
    let failed = Attempt::Failed;
    assert_eq!(attempts, [succeeded(10), failed, failed, succeeded(9)]);
}

#[tokio::test(start_paused = true)]
async fn the_directory_is_complete_after_a_first_listing_that_failed() {
    Run::with([Err("denied")], async |run| {
        assert_eq!(run.at(1).await, (1, true));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_shrunken_fleet_is_believed_once_listings_say_so_for_a_whole_interval() {
    let few = || Ok(members(0..3));
    let answers = std::iter::once(Ok(members(0..10))).chain((0..7).map(|_| few()));
    let attempts = Run::with(answers, async |run| {
        assert_eq!(run.at(1799).await, (10, true));
        assert_eq!(run.at(1801).await, (3, true));
        let asked = [0, 900, 915, 945, 1005, 1125, 1365, 1800];
        assert_eq!(*run.asked.borrow(), asked);
    })
    .await;
    assert_eq!(attempts.last(), Some(&succeeded(3)));
}

#[tokio::test(start_paused = true)]
async fn one_listing_in_between_that_says_otherwise_starts_the_interval_again() {
    let few = || Ok(members(0..3));
    let others = || Ok(members(7..9));
    for between in [Ok(vec![]), Err("denied"), others()] {
        let answers = [Ok(members(0..10)), few(), between];
        let answers = answers.into_iter().chain((0..9).map(|_| few()));
        Run::with(answers, async |run| {
            // 915 said otherwise, 945 said so first.
            assert_eq!(run.at(1844).await, (10, true));
            assert_eq!(run.at(1846).await, (3, true));
            let asked = run.asked.borrow();
            assert_eq!(asked[..4], [0, 900, 915, 945]);
            assert_eq!(asked.last(), Some(&1845));
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_shrunken_listing_is_asked_again_soon_and_forgotten() {
    let answers = [Ok(members(0..10)), Ok(members(0..3)), Ok(members(0..11))];
    Run::with(answers, async |run| {
        assert_eq!(run.at(914).await, (10, true));
        assert_eq!(run.at(916).await, (11, true));
        run.at(1816).await;
        assert_eq!(*run.asked.borrow(), [0, 900, 915, 1815]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_empty_listing_is_never_believed_and_asked_again_soon() {
    let answers = [Ok(vec![]), Ok(vec![]), Ok(members(0..10)), Ok(vec![])];
    let attempts = Run::with(answers, async |run| {
        assert_eq!(run.at(14).await, (1, true));
        assert_eq!(run.at(46).await, (10, true));
        assert_eq!(run.at(946).await, (10, true));
        run.at(961).await;
        assert_eq!(*run.asked.borrow(), [0, 15, 45, 945, 960]);
    })
    .await;
    let failed = Attempt::Failed;
    assert_eq!(attempts, [failed, failed, succeeded(10), failed]);
}

#[tokio::test(start_paused = true)]
async fn a_reload_takes_effect_at_once_and_moves_no_listing() {
    Run::with([Ok(members(0..10)), Ok(members(0..10))], async |run| {
        assert_eq!(run.at(600).await, (10, true));
        run.config
            .send_replace(Arc::new(config(vec![configured(1), configured(77)])));
        assert_eq!(run.at(601).await, (11, true));
        run.at(901).await;
        assert_eq!(*run.asked.borrow(), [0, 900]);
        let directory = run.directory.borrow();
        assert!(
            directory
                .accounts
                .contains_key(&AccountKey::Id(fixtures::id(77)))
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_ends_a_listing_under_way_only_if_it_lists_otherwise() {
    let attempts = Run::with([], async |run| {
        run.at(600).await;
        let mut next = config(vec![configured(1), configured(77)]);
        run.config.send_replace(Arc::new(next.clone()));
        assert_eq!(run.at(601).await, (2, false));
        run.at(1816).await;
        assert_eq!(
            *run.asked.borrow(),
            [0, 1815],
            "the first took half an hour"
        );
        next.aws.max_attempts = 7;
        run.config.send_replace(Arc::new(next));
        run.at(1817).await;
        assert_eq!(*run.asked.borrow(), [0, 1815, 1816]);
    })
    .await;
    assert_eq!(attempts, [Attempt::Failed]);
}

#[tokio::test(start_paused = true)]
async fn other_settings_of_discovery_are_listed_at_once_and_measured_anew() {
    Run::with([Ok(members(0..10)), Ok(members(0..2))], async |run| {
        assert_eq!(run.at(600).await, (10, true));
        let mut narrower = config(vec![configured(1)]);
        let organizations = narrower.organizations.as_mut().expect("discovery");
        organizations.include_ous = vec!["ou-x".to_owned()];
        run.config.send_replace(Arc::new(narrower));
        assert_eq!(run.at(601).await, (2, true));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn settings_that_ask_for_the_same_accounts_keep_the_measure() {
    let few = || Ok(members(0..2));
    Run::with(
        [Ok(members(0..10)), few(), few(), few(), few()],
        async |run| {
            assert_eq!(run.at(600).await, (10, true));
            let mut sooner = config(vec![configured(1)]);
            let organizations = sooner.organizations.as_mut().expect("discovery");
            organizations.refresh_interval = Duration::from_mins(1);
            organizations.exclude_accounts = vec![fixtures::id(9)];
            run.config.send_replace(Arc::new(sooner));
            assert_eq!(run.at(659).await, (9, true), "shrunken: not believed");
            assert_eq!(run.at(661).await, (2, true), "after an interval it is");
            assert_eq!(*run.asked.borrow(), [0, 600, 615, 645, 660]);
        },
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn discovery_switched_off_leaves_the_accounts_of_the_file() {
    Run::with([Ok(members(0..10))], async |run| {
        assert_eq!(run.at(600).await, (10, true));
        let mut without = config(vec![configured(1)]);
        without.organizations = None;
        run.config.send_replace(Arc::new(without));
        assert_eq!(run.at(100_000).await, (1, true));
        assert_eq!(*run.asked.borrow(), [0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_hangs_has_failed_after_half_an_hour() {
    let attempts = Run::with([Ok(members(0..10))], async |run| {
        assert_eq!(run.at(2690).await, (10, true));
        assert_eq!(run.at(2730).await, (10, true));
        assert_eq!(*run.asked.borrow(), [0, 900, 2715]);
    })
    .await;
    assert_eq!(attempts, [succeeded(10), Attempt::Failed]);
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_a_poll_finds_out_counts_at_once_and_moves_no_listing() {
    let identified = |number| Identified {
        access: Access::Ambient,
        id: fixtures::id(number),
    };
    Run::with([Ok(members(0..10)), Ok(members(0..10))], async |run| {
        let with = config(vec![ambient(Some("monitoring"))]);
        run.config.send_replace(Arc::new(with));
        assert_eq!(run.at(10).await, (11, true));
        for (second, number, accounts) in [(20, 3, 10), (30, 3, 10), (40, 77, 11)] {
            run.at(second).await;
            let sent = run.identified.send(identified(number)).await;
            sent.expect("kept");
            assert_eq!(run.at(second + 1).await, (accounts, true));
        }
        run.config
            .send_replace(Arc::new(config(vec![configured(1)])));
        assert_eq!(run.at(901).await, (10, true));
        assert_eq!(*run.asked.borrow(), [0, 900]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_comes_in_the_middle_of_a_listing_does_not_end_it() {
    let attempts = Run::with([], async |run| {
        let with = config(vec![ambient(Some("monitoring"))]);
        run.config.send_replace(Arc::new(with));
        assert_eq!(run.at(10).await, (1, false));
        let identified = Identified {
            access: Access::Ambient,
            id: fixtures::id(3),
        };
        run.identified.send(identified).await.expect("kept");
        run.at(20).await;
        let directory = run.directory.borrow();
        assert!(directory.key_of(fixtures::id(3)).is_some());
        assert_eq!(*run.asked.borrow(), [0]);
    })
    .await;
    assert_eq!(attempts, []);
}
