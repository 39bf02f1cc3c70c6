//! What is kept of one account between calls: its credentials, whose they are, its retry budget and its rate. About 2 KB, most of it the token.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use tokio::time::Instant;

use crate::account::{AccountId, Region};
use crate::aws::credentials::same;
use crate::aws::fault::Failed;
use crate::aws::limits::MOST_REGIONS;
use crate::aws::pace::Pace;
use crate::directory::Account;
use crate::facts::Failure;

/// The retry budget of one account. A retry that does not help costs 5, after a timeout or a 5xx 10, and a call that succeeds at once gives back 1: one
/// retry for each call of a usual poll.
const RETRY_BUDGET: usize = 30;
/// What the budget regains over one interval: in an outage that lasts, less than one retry per poll (one, where calls are throttled), so that also polls
/// of a single call become no more than twice as many.
const RETRY_REGAIN_PER_INTERVAL: f32 = 5.0;
/// After a renewal failed ahead of time, the session is used on and the next attempt waits so long.
const RENEWAL_PAUSE: Duration = Duration::from_secs(30);

/// One account's session. Dropped with the account.
pub struct Session {
    pub(super) account: Arc<Account>,
    pub(super) retries: RetryPartition,
    /// Held while credentials are renewed, so that one renewal serves all who wait.
    pub(super) state: tokio::sync::Mutex<State>,
    /// AWS took the credentials of the poll under way.
    taken: AtomicBool,
    /// AWS said in it that it does not know them.
    unknown: AtomicBool,
    calls_per_second: NonZeroU32,
    paces: Mutex<Vec<(Region, Arc<Pace>)>>,
}

/// What changes with each renewal.
#[derive(Default)]
pub(super) struct State {
    pub(super) lease: Option<Lease>,
    /// Whose credentials the poll under way began with.
    polled_as: Option<AccountId>,
    /// Refused credentials were given up in the poll under way: it is done once, or a refusal that stays would open a session for each call.
    gave_up: bool,
    /// The identity of the poll under way was not the expected one.
    distrusted: bool,
}

/// Credentials that were proven to belong to an account.
#[derive(Clone)]
pub(super) struct Lease {
    pub(super) credentials: Credentials,
    pub(super) identity: AccountId,
    /// Their end, if they have one.
    pub(super) end: Option<Instant>,
    /// From then on a poll begins with new ones.
    pub(super) renew_at: Instant,
}

impl Session {
    pub(super) fn new(account: Arc<Account>, calls_per_second: NonZeroU32) -> Self {
        let budget = TokenBucket::builder()
            .capacity(RETRY_BUDGET)
            .refill_rate(regain_per_second(account.interval))
            .build();
        let retries = RetryPartition::custom("account").token_bucket(budget);
        Self {
            account,
            retries: retries.build(),
            state: tokio::sync::Mutex::default(),
            taken: AtomicBool::new(false),
            unknown: AtomicBool::new(false),
            calls_per_second,
            paces: Mutex::default(),
        }
    }

    /// Takes note of what the end of a call says of the credentials that signed it.
    pub(super) fn heard<T>(&self, answer: &Result<T, Failed>) {
        match answer {
            Err(failed) if failed.ambiguous => self.unknown.store(true, Ordering::Relaxed),
            Ok(_) => self.taken.store(true, Ordering::Relaxed),
            Err(failed) if failed.failure == Failure::AccessDenied => {
                self.taken.store(true, Ordering::Relaxed);
            }
            Err(_) => {}
        }
    }

    /// Whether AWS took the credentials of the last poll nowhere and said that it does not know them; asked once a poll. Where it took them somewhere,
    /// it only meant a Region that the account has not enabled.
    pub(super) fn was_unknown(&self) -> bool {
        let taken = self.taken.swap(false, Ordering::Relaxed);
        self.unknown.swap(false, Ordering::Relaxed) && !taken
    }

    /// The pace of this account in a Region.
    pub(super) fn pace(&self, region: &Region) -> Arc<Pace> {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pace)) = paces.iter().find(|(known, _)| known == region) {
            return Arc::clone(pace);
        }
        let pace = Arc::new(Pace::new(self.calls_per_second));
        if paces.len() < MOST_REGIONS {
            // Most accounts are asked in one Region, and a vector begins with room for four.
            paces.reserve_exact(1);
            paces.push((region.clone(), Arc::clone(&pace)));
        }
        pace
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({:?})", self.account.key)
    }
}

fn regain_per_second(interval: Duration) -> f32 {
    RETRY_REGAIN_PER_INTERVAL / interval.as_secs_f32().max(f32::MIN_POSITIVE)
}

impl State {
    /// Credentials good for a whole poll.
    pub(super) fn fresh(&self, now: Instant) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| now < lease.renew_at)
    }

    /// Credentials good for a call.
    pub(super) fn usable(&self, now: Instant) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| lease.is_good(now))
    }

    /// A renewal ahead of time failed: goes on with what there is, for a while, if it is good.
    pub(super) fn make_do(&mut self, now: Instant) -> Option<Lease> {
        let lease = self.lease.as_mut().filter(|lease| lease.is_good(now))?;
        let next = now + RENEWAL_PAUSE;
        lease.renew_at = lease.end.map_or(next, |end| end.min(next));
        Some(lease.clone())
    }

    /// AWS does not take these any more. Whether others may be tried: new ones, once in a poll, or those that another call has got meanwhile.
    pub(super) fn give_up(&mut self, refused: &Lease) -> bool {
        let is_refused = |held: &Lease| same(&held.credentials, &refused.credentials);
        if !self.lease.as_ref().is_some_and(is_refused) {
            return true;
        }
        if self.gave_up {
            return false;
        }
        (self.lease, self.gave_up) = (None, true);
        true
    }

    /// The identity told is not the expected one: the next poll begins with other credentials.
    pub(super) fn distrust(&mut self) {
        self.distrusted = true;
    }

    /// Credentials whose identity was not the expected one, to be replaced; asked once a poll.
    pub(super) fn take_distrusted(&mut self) -> Option<Lease> {
        let distrusted = std::mem::take(&mut self.distrusted);
        if distrusted { self.lease.take() } else { None }
    }

    /// A poll begins with these credentials.
    pub(super) fn begin(&mut self, lease: &Lease) -> AccountId {
        (self.polled_as, self.gave_up) = (Some(lease.identity), false);
        lease.identity
    }

    /// Credentials for a call of the poll under way; none that another account would answer to.
    pub(super) fn check(&self, lease: &Lease) -> Result<(), Failed> {
        if self.polled_as == Some(lease.identity) {
            return Ok(());
        }
        let detail = match self.polled_as {
            Some(polled_as) => format!(
                "the renewed credentials are of account {}, and the poll began with those of {polled_as}",
                lease.identity
            ),
            None => "the session was not identified".to_owned(),
        };
        Err(Failed::new(Failure::Credentials, detail))
    }
}

impl Lease {
    fn is_good(&self, now: Instant) -> bool {
        self.end.is_none_or(|end| now < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(account: &str, renew_at: Instant, end: Instant) -> Lease {
        Lease {
            credentials: Credentials::new("ASIA", "secret", None, None, "test"),
            identity: account.parse().expect("an account id"),
            end: Some(end),
            renew_at,
        }
    }

    fn state(renew_at: Instant, end: Instant) -> State {
        State {
            lease: Some(lease("012345678901", renew_at, end)),
            ..State::default()
        }
    }

    #[test]
    fn credentials_near_their_end_are_good_for_a_call_but_not_for_a_poll() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let state = state(now, now + second);
        assert!(state.fresh(now - second).is_some());
        assert!(state.fresh(now).is_none());
        assert!(state.usable(now).is_some());
        assert!(state.usable(now + second).is_none());
    }

    #[test]
    fn an_outage_that_lasts_regains_less_than_a_retry_a_poll() {
        for interval in [1, 40, 300, 86_400].map(Duration::from_secs) {
            let regained = regain_per_second(interval) * interval.as_secs_f32();
            assert!((4.9..5.1).contains(&regained), "{interval:?}: {regained}");
        }
    }

    #[test]
    fn refused_credentials_are_given_up_once_in_a_poll() {
        let now = Instant::now();
        let later = now + Duration::from_hours(1);
        let lease = |key: &str| Lease {
            credentials: Credentials::new(key, "secret", None, None, "test"),
            ..lease("012345678901", later, later)
        };
        let (first, second) = (lease("ASIA1"), lease("ASIA2"));
        let mut state = State {
            lease: Some(first.clone()),
            ..State::default()
        };
        state.begin(&first);
        assert!(state.give_up(&first));
        assert!(state.lease.is_none());
        assert!(state.give_up(&first), "somebody else may have renewed");
        state.lease = Some(second.clone());
        assert!(state.give_up(&first), "the others are not refused yet");
        assert!(!state.give_up(&second), "not twice in a poll");
        state.begin(&second);
        assert!(state.give_up(&second), "the next poll may");
    }

    #[test]
    fn after_a_failed_renewal_good_credentials_are_used_on_for_a_while() {
        let now = Instant::now();
        let end = now + Duration::from_mins(5);
        let mut state = state(now, end);
        assert!(state.make_do(now).is_some());
        assert!(state.fresh(now).is_some());
        assert!(state.fresh(now + RENEWAL_PAUSE).is_none());
        assert!(state.make_do(end).is_none());
    }

    #[test]
    fn after_a_failed_renewal_no_poll_begins_with_credentials_past_their_end() {
        let now = Instant::now();
        let end = now + RENEWAL_PAUSE / 2;
        let mut state = state(now, end);
        assert!(state.make_do(now).is_some());
        assert!(state.fresh(end).is_none());
    }

    #[test]
    fn a_distrusted_identity_is_good_for_its_poll_and_no_other() {
        let now = Instant::now();
        let later = now + Duration::from_hours(1);
        let mut state = state(later, later);
        assert!(state.take_distrusted().is_none());
        assert!(state.fresh(now).is_some());
        state.distrust();
        assert!(state.usable(now).is_some(), "the poll under way goes on");
        assert!(state.take_distrusted().is_some());
        assert!(state.fresh(now).is_none() && state.take_distrusted().is_none());
    }

    #[test]
    fn a_poll_goes_on_only_as_the_account_it_began_with() {
        let now = Instant::now();
        let later = now + Duration::from_hours(1);
        let (own, foreign) = (
            lease("012345678901", later, later),
            lease("210987654321", later, later),
        );
        let mut state = State::default();
        assert!(state.check(&own).is_err());
        state.begin(&own);
        assert_eq!(state.check(&own), Ok(()));
        let failed = state.check(&foreign).expect_err("another account");
        assert_eq!(failed.failure, Failure::Credentials);
    }
}
