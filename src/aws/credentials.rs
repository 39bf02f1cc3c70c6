//! Base credentials: the exporter's own, or a profile's. Looked for once for all who need them, and
//! kept until they near their end.
//!
//! - `find`: where they are looked for;
//! - `chain`: what a profile says about them;
//! - `identity_center`, `process`: sources of a profile;
//! - `usable`: whether they can be sent.

mod chain;
mod find;
mod identity_center;
mod process;
mod usable;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::aws::aws_clock::{AwsClock, end_of};
use crate::aws::fault::Failed;
use crate::config::Secret;
use crate::facts::Failure;
use crate::redaction::{Registered, register};

pub(super) use find::Finder;

/// Credentials without an end are read again after this, so that a rotated key is taken up; it is the SDK's own default.
const REREAD: Duration = Duration::from_mins(15);
/// Credentials with an end are read again so long before it; the metadata services offer new ones at least five minutes early.
const LEAD: Duration = Duration::from_mins(5);
/// They are looked for no more often than this, whether it fails or keeps offering what nears its end: thousands of accounts share the answer.
const PAUSE: Duration = Duration::from_secs(10);

/// Base credentials: where they come from, and those found last. Its deadlines are of the monotonic
/// clock: a wall clock that is set must neither hold a failure nor hide an end.
#[derive(Debug)]
pub(super) struct Base {
    source: Source,
    /// The longest that a look-up may take.
    patience: Duration,
    clock: AwsClock,
    held: Mutex<Option<Held>>,
}

/// Base credentials that need not be looked for, by profile (`None`: the exporter's own). Without any, AWS's own chain is searched.
#[derive(Debug, Clone, Default)]
pub struct GivenCredentials(BTreeMap<Option<Arc<str>>, Credentials>);

impl GivenCredentials {
    /// These, and a key pair for a profile.
    #[must_use]
    pub fn with(mut self, profile: Option<&str>, access_key_id: &str, secret: &Secret) -> Self {
        let given = Credentials::new(access_key_id, secret.expose(), None, None, "given");
        self.0.insert(profile.map(Arc::from), given);
        self
    }

    pub(super) fn of(&self, profile: Option<&Arc<str>>) -> Option<Credentials> {
        self.0.get(&profile.cloned()).cloned()
    }
}

/// Where base credentials come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// Looked for.
    Found(Finder),
    /// Given, not found.
    Given(Credentials),
}

/// Base credentials, and until when they are good.
#[derive(Debug, Clone)]
pub(super) struct Current {
    pub(super) credentials: Credentials,
    /// Their end, if they have one.
    pub(super) end: Option<Instant>,
    /// From then on they are worth reading again.
    pub(super) read_again: Instant,
}

#[derive(Debug)]
struct Held {
    found: Result<Found, Failed>,
    /// When they were looked for.
    since: Instant,
    /// From then on they are looked for again.
    until: Instant,
}

#[derive(Clone)]
struct Found {
    credentials: Credentials,
    end: Option<Instant>,
    /// Other texts are redacted of them while they are held.
    _secrets: Arc<Registered>,
}

impl Base {
    pub(super) fn new(source: Source, patience: Duration, clock: AwsClock) -> Self {
        Self {
            source,
            patience,
            clock,
            held: Mutex::new(None),
        }
    }

    /// The credentials, and when they are worth reading again.
    pub(super) async fn credentials(&self) -> Result<Current, Failed> {
        let mut held = self.held.lock().await;
        if let Some(current) = held.as_ref().filter(|held| Instant::now() < held.until) {
            return current.answer();
        }
        // A poll may give up here; what is held stays until the search has ended.
        let found = self.find().await;
        let current = next(held.take(), found, Instant::now());
        held.insert(current).answer()
    }

    /// AWS does not take these any more: they are looked for again, unless that was just done.
    pub(super) async fn reject(&self, refused: &Credentials) {
        if let Some(held) = self.held.lock().await.as_mut()
            && held
                .found
                .as_ref()
                .is_ok_and(|found| same(&found.credentials, refused))
        {
            held.until = held.until.min(held.since + PAUSE);
        }
    }

    async fn find(&self) -> Result<Found, Failed> {
        let find = Box::pin(async {
            match &self.source {
                // Boxed, since it is large and rare: every poll would else hold room for it.
                Source::Found(finder) => finder.find().await,
                Source::Given(given) => Ok(given.clone()),
            }
        });
        let late = |_| {
            Failed::new(
                Failure::Credentials,
                "looking for credentials took too long",
            )
        };
        let found = tokio::time::timeout(self.patience, find)
            .await
            .map_err(late)??;
        let now = Instant::now();
        let end = found.expiry().map(|end| end_of(end, self.clock.now(), now));
        self.check_end(found.expiry(), end, now)?;
        Ok(Found::new(found, end))
    }

    /// Credentials past their end are none. As long as AWS has not said the time, the wall clock
    /// may be what is wrong: AWS is asked with them, and says.
    fn check_end(
        &self,
        expiry: Option<SystemTime>,
        end: Option<Instant>,
        now: Instant,
    ) -> Result<(), Failed> {
        match (expiry, end) {
            (Some(expiry), Some(end)) if end <= now && self.clock.is_known() => {
                Err(self.source.ended(expiry))
            }
            _ => Ok(()),
        }
    }
}

impl Source {
    fn ended(&self, expiry: SystemTime) -> Failed {
        let at = humantime::format_rfc3339_seconds(expiry);
        let problem = Failed::new(
            Failure::Credentials,
            format!("those found ended at {at}; renew them where they come from"),
        );
        match self {
            Self::Found(finder) => finder.failed(&problem),
            Self::Given(_) => problem,
        }
    }
}

impl Found {
    fn new(credentials: Credentials, end: Option<Instant>) -> Self {
        let secrets = [
            Some(credentials.secret_access_key()),
            credentials.session_token(),
        ];
        Self {
            _secrets: Arc::new(register(secrets.into_iter().flatten())),
            credentials,
            end,
        }
    }
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Found({:?})", self.credentials)
    }
}

impl Held {
    fn answer(&self) -> Result<Current, Failed> {
        let found = self.found.clone();
        found.map(|found| Current {
            credentials: found.credentials,
            end: found.end,
            read_again: self.until,
        })
    }
}

/// What to hold after a look-up: what it found; or what was found before, as long as that is good; or the failure, for a moment.
fn next(last: Option<Held>, found: Result<Found, Failed>, now: Instant) -> Held {
    let until = match &found {
        Ok(found) => reread_at(found, now),
        Err(_) => now + PAUSE,
    };
    let found = match (found, last) {
        (Err(_), Some(Held { found: Ok(old), .. })) if is_good(&old, now) => Ok(old),
        (found, _) => found,
    };
    Held {
        found,
        since: now,
        until,
    }
}

fn reread_at(found: &Found, now: Instant) -> Instant {
    match found.end {
        Some(end) => end.checked_sub(LEAD).unwrap_or(now).max(now + PAUSE),
        None => now + REREAD,
    }
}

fn is_good(found: &Found, now: Instant) -> bool {
    found.end.is_none_or(|end| now < end)
}

/// The same key and the same session.
pub(super) fn same(one: &Credentials, other: &Credentials) -> bool {
    one.access_key_id() == other.access_key_id() && one.session_token() == other.session_token()
}

#[cfg(test)]
mod tests;
