//! The fleet: a snapshot as people look at it, account by account with its verdict, worst first. For pages, tables and JSON; no scrape comes here.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use serde::Serialize;

use crate::compliance::{Reason, State, Verdict};
use crate::facts::Destination;
use crate::labels::cleaned;
use crate::snapshot::{AccountState, Snapshot};
use crate::timestamp::Timestamp;

/// How many accounts stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// All of them.
    pub accounts: usize,
    /// Proven to satisfy the rule.
    pub compliant: usize,
    /// Proven not to.
    pub non_compliant: usize,
    /// Neither.
    pub unknown: usize,
}

impl Summary {
    /// Counts a whole fleet.
    pub fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        let mut summary = Self::default();
        for account in snapshot.accounts.values() {
            summary.add(account.standing.verdict(now).state);
        }
        summary
    }

    fn add(&mut self, state: State) {
        self.accounts += 1;
        match state {
            State::Compliant => self.compliant += 1,
            State::NonCompliant => self.non_compliant += 1,
            State::Unknown => self.unknown += 1,
        }
    }

    /// How many are in a state.
    pub fn count(&self, state: State) -> usize {
        match state {
            State::Compliant => self.compliant,
            State::NonCompliant => self.non_compliant,
            State::Unknown => self.unknown,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            accounts,
            compliant,
            non_compliant,
            unknown,
        } = self;
        write!(
            f,
            "{accounts} accounts: {compliant} compliant, {non_compliant} non-compliant, {unknown} unknown"
        )
    }
}

/// An account and how it stands.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// What is published of it.
    pub state: &'a AccountState,
    /// Its verdict.
    pub verdict: Verdict,
}

impl Entry<'_> {
    /// Why the last poll left the verdict open, where the verdict stands all the same on what an earlier one proved.
    pub fn open(&self) -> Option<Reason> {
        let open = self.state.standing.last_poll()?.open_reason?;
        (self.verdict.state != State::Unknown).then_some(open)
    }

    /// The last delivery to S3 of the trail that satisfies the rule, else of any trail.
    pub fn last_delivery(&self, now: Timestamp) -> Option<SystemTime> {
        let standing = &self.state.standing;
        let evidence = standing.evidence(now);
        let counts = standing
            .trails()
            .iter()
            .filter(|held| evidence.is_none_or(|arn| *arn == held.trail.arn));
        let delivered = counts.filter_map(|held| {
            let status = &held.status.as_ref()?.value;
            status.delivery(Destination::S3).latest.known()
        });
        delivered.max()
    }
}

/// An account and how it stands at `now`.
pub fn entry(state: &AccountState, now: Timestamp) -> Entry<'_> {
    Entry {
        state,
        verdict: state.standing.verdict(now),
    }
}

/// The name an account goes by: its own, else its id.
pub fn name(state: &AccountState) -> Cow<'_, str> {
    match (&state.account.name, state.id) {
        (Some(name), _) => clean(name),
        (None, Some(id)) => Cow::Owned(id.to_string()),
        (None, None) => Cow::Borrowed(""),
    }
}

/// A text from outside without the characters that could change how the text around it reads.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| cleaned(c) == c) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(cleaned).collect())
}

/// How bad a verdict is, worst first; what a fleet is sorted by.
pub fn badness(state: State, reason: Reason) -> (u8, Reason) {
    let rank = match state {
        State::NonCompliant => 0,
        State::Unknown => 1,
        State::Compliant => 2,
    };
    (rank, reason)
}
