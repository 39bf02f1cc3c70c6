//! An AWS that answers from a table, after a delay on tokio's clock, and keeps a journal of the calls.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloudtrail_exporter::account::{AccountId, Region, TrailArn};
use cloudtrail_exporter::aws::{Aws, CallError, TrailList};
use cloudtrail_exporter::directory::{Account, AccountKey};
use cloudtrail_exporter::facts::{EventSelectors, Failure, Operation, Trail, TrailStatus};
use tokio::time::{Instant, sleep};

/// One call, as the journal has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) key: AccountKey,
    pub(super) operation: Operation,
    /// The Region asked, if any.
    pub(super) region: Option<String>,
    /// On tokio's clock.
    pub(super) at: Instant,
}

/// How one account answers.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    /// Whose credentials these are.
    pub(super) identity: Result<AccountId, CallError>,
    /// `DescribeTrails`, by Region; a Region that is not in it shows no trail.
    pub(super) regions: HashMap<String, Result<TrailList, CallError>>,
    pub(super) status: HashMap<TrailArn, Result<TrailStatus, CallError>>,
    pub(super) selectors: HashMap<TrailArn, Result<EventSelectors, CallError>>,
    /// Regions where every call about a trail fails.
    pub(super) closed: HashMap<String, Failure>,
    /// How long each call takes.
    pub(super) latency: HashMap<Operation, Duration>,
    /// Regions that never answer.
    pub(super) hanging: Vec<String>,
    /// Opening a session breaks off.
    pub(super) panics: bool,
}

#[derive(Default)]
struct Inner {
    answers: HashMap<AccountKey, Answers>,
    journal: Vec<Call>,
    opened: Vec<AccountKey>,
    distrusted: Vec<AccountKey>,
    under_way: usize,
    most_under_way: usize,
}

/// The fake. Clones share everything.
#[derive(Clone, Default)]
pub(super) struct Fake(Arc<Mutex<Inner>>);

/// Counts an account as under way from `identify` to its last call.
pub(super) struct Session(AccountKey);

impl Fake {
    pub(super) fn answer(&self, key: &AccountKey, answers: Answers) {
        self.inner().answers.insert(key.clone(), answers);
    }

    pub(super) fn change(&self, key: &AccountKey, change: impl FnOnce(&mut Answers)) {
        change(self.inner().answers.get_mut(key).expect("an account"));
    }

    pub(super) fn journal(&self) -> Vec<Call> {
        self.inner().journal.clone()
    }

    /// Empties the journal.
    pub(super) fn forget(&self) {
        self.inner().journal.clear();
    }

    /// When the polls of an account began.
    pub(super) fn polls(&self, key: &AccountKey) -> Vec<Instant> {
        let journal = self.journal();
        let identified = journal
            .iter()
            .filter(|call| call.operation == Operation::AssumeRole);
        identified
            .filter(|call| call.key == *key)
            .map(|call| call.at)
            .collect()
    }

    /// The calls of an account after its session was opened.
    pub(super) fn operations(&self, key: &AccountKey) -> Vec<Operation> {
        let journal = self.journal();
        let calls = journal.iter().filter(|call| call.key == *key);
        calls.map(|call| call.operation).collect()
    }

    pub(super) fn opened(&self) -> Vec<AccountKey> {
        self.inner().opened.clone()
    }

    /// The accounts whose identity was not the expected one, once for each poll.
    pub(super) fn distrusted(&self) -> Vec<AccountKey> {
        self.inner().distrusted.clone()
    }

    pub(super) fn most_under_way(&self) -> usize {
        self.inner().most_under_way
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().expect("no test panics while it holds this")
    }

    /// Notes the call, waits as long as it takes, and answers.
    async fn call<T>(
        &self,
        session: &Session,
        operation: Operation,
        region: Option<&Region>,
        answer: impl FnOnce(&Answers) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let (answer, latency) = {
            let mut inner = self.inner();
            inner.journal.push(Call {
                key: session.0.clone(),
                operation,
                region: region.map(ToString::to_string),
                at: Instant::now(),
            });
            let answers = inner.answers.get(&session.0).expect("an account");
            let hangs = region.is_some_and(|r| answers.hanging.iter().any(|h| h == r.as_str()));
            let latency = answers.latency.get(&operation).copied();
            (
                answer(answers),
                if hangs { Some(Duration::MAX) } else { latency },
            )
        };
        if let Some(latency) = latency {
            let _under_way = UnderWay::new(self);
            sleep(latency).await;
        }
        answer
    }
}

/// A call under way; also one that is dropped ends.
struct UnderWay<'a>(&'a Fake);

impl<'a> UnderWay<'a> {
    fn new(fake: &'a Fake) -> Self {
        let mut inner = fake.inner();
        inner.under_way += 1;
        inner.most_under_way = inner.most_under_way.max(inner.under_way);
        Self(fake)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.inner().under_way -= 1;
    }
}

fn unlisted<T>(operation: Operation) -> Result<T, CallError> {
    Err(CallError::new(
        operation,
        Failure::NotFound,
        "not in the table",
    ))
}

impl Aws for Fake {
    type Session = Session;

    fn open(&self, account: &Arc<Account>) -> Session {
        let panics = {
            let mut inner = self.inner();
            inner.opened.push(account.key.clone());
            inner
                .answers
                .get(&account.key)
                .is_some_and(|answers| answers.panics)
        };
        assert!(!panics, "the fake was told to break off");
        Session(account.key.clone())
    }

    async fn identify(&self, session: &Session) -> Result<AccountId, CallError> {
        let answer = |answers: &Answers| answers.identity.clone();
        self.call(session, Operation::AssumeRole, None, answer)
            .await
    }

    async fn distrust(&self, session: &Session) {
        self.inner().distrusted.push(session.0.clone());
    }

    async fn describe_trails(
        &self,
        session: &Session,
        region: &Region,
    ) -> Result<TrailList, CallError> {
        let answer = |answers: &Answers| {
            let listed = answers.regions.get(region.as_str()).cloned();
            listed.unwrap_or_else(|| Ok(TrailList::default()))
        };
        self.call(session, Operation::DescribeTrails, Some(region), answer)
            .await
    }

    async fn trail_status(
        &self,
        session: &Session,
        region: &Region,
        trail: &TrailArn,
    ) -> Result<TrailStatus, CallError> {
        let operation = Operation::GetTrailStatus;
        let answer = |answers: &Answers| {
            answers.closed_in(region, operation)?;
            let listed = answers.status.get(trail).cloned();
            listed.unwrap_or_else(|| unlisted(operation))
        };
        self.call(session, operation, Some(region), answer).await
    }

    async fn event_selectors(
        &self,
        session: &Session,
        region: &Region,
        trail: &TrailArn,
    ) -> Result<EventSelectors, CallError> {
        let operation = Operation::GetEventSelectors;
        let answer = |answers: &Answers| {
            answers.closed_in(region, operation)?;
            let listed = answers.selectors.get(trail).cloned();
            listed.unwrap_or_else(|| unlisted(operation))
        };
        self.call(session, operation, Some(region), answer).await
    }
}

/// Shapes of answers.
impl Answers {
    /// An account that answers at once and has no trail.
    pub(super) fn of(identity: AccountId) -> Self {
        Self {
            identity: Ok(identity),
            regions: HashMap::new(),
            status: HashMap::new(),
            selectors: HashMap::new(),
            closed: HashMap::new(),
            latency: HashMap::new(),
            hanging: Vec::new(),
            panics: false,
        }
    }

    /// Also shows this trail in a Region; its status and selectors answer.
    pub(super) fn with(mut self, region: &str, trail: &Trail, logging: bool) -> Self {
        let list = self.regions.entry(region.to_owned());
        let list = list.or_insert_with(|| Ok(TrailList::default()));
        if let Ok(list) = list {
            list.trails.push(trail.clone());
        }
        self.status
            .insert(trail.arn.clone(), Ok(super::world::status(logging)));
        self.selectors
            .insert(trail.arn.clone(), Ok(EventSelectors::Default));
        self
    }

    /// A Region whose `DescribeTrails` fails.
    pub(super) fn region_fails(mut self, region: &str, failure: Failure, ambiguous: bool) -> Self {
        let error = error(Operation::DescribeTrails, failure, ambiguous);
        self.regions.insert(region.to_owned(), Err(error));
        self
    }

    /// A Region where every call fails.
    pub(super) fn closed(mut self, region: &str, failure: Failure) -> Self {
        self.closed.insert(region.to_owned(), failure);
        self.region_fails(region, failure, false)
    }

    fn closed_in(&self, region: &Region, operation: Operation) -> Result<(), CallError> {
        let failure = self.closed.get(region.as_str());
        failure.map_or(Ok(()), |failure| Err(error(operation, *failure, false)))
    }

    /// A trail whose status and selectors fail.
    pub(super) fn trail_fails(mut self, trail: &Trail, failure: Failure, ambiguous: bool) -> Self {
        let status = error(Operation::GetTrailStatus, failure, ambiguous);
        let selectors = error(Operation::GetEventSelectors, failure, ambiguous);
        self.status.insert(trail.arn.clone(), Err(status));
        self.selectors.insert(trail.arn.clone(), Err(selectors));
        self
    }

    pub(super) fn takes(mut self, operation: Operation, latency: Duration) -> Self {
        self.latency.insert(operation, latency);
        self
    }
}

pub(super) fn error(
    operation: Operation,
    failure: Failure,
    ambiguous_credentials: bool,
) -> CallError {
    CallError {
        ambiguous_credentials,
        ..CallError::new(operation, failure, "in AWS's words")
    }
}
