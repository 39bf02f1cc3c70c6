//! The fleet at one moment: how many stand how, and the accounts that were asked for, in order.

use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::query::{PAGE, Query, Sort};
use super::view::{badness, name};
use crate::account::AccountId;
use crate::compliance::{State, Verdict};
use crate::directory::AccountKey;
use crate::facts::Destination;
use crate::snapshot::{AccountState, Snapshot};

/// How many accounts stand how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    pub(super) accounts: usize,
    pub(super) compliant: usize,
    pub(super) non_compliant: usize,
    pub(super) unknown: usize,
}

impl Summary {
    /// Counts a whole fleet.
    pub(super) fn of(snapshot: &Snapshot, now: SystemTime) -> Self {
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
    pub(super) fn count(&self, state: State) -> usize {
        match state {
            State::Compliant => self.compliant,
            State::NonCompliant => self.non_compliant,
            State::Unknown => self.unknown,
        }
    }
}

/// An account and how it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) state: &'a AccountState,
    pub(super) verdict: Verdict,
}

impl Entry<'_> {
    /// Whether it is among those asked for.
    pub(super) fn fits(&self, query: &Query) -> bool {
        let state_fits = query.state.is_none_or(|state| state == self.verdict.state);
        state_fits && (query.search.is_empty() || self.holds(&query.search))
    }

    fn holds(&self, search: &str) -> bool {
        let id = self.state.id.map(|id| id.to_string()).unwrap_or_default();
        let unit = self.state.account.organizational_unit.as_deref();
        id.contains(search)
            || name(self.state).to_lowercase().contains(search)
            || self.verdict.reason.as_str().contains(search)
            || unit.is_some_and(|unit| unit.contains(search))
    }

    /// The last delivery to S3 of the trail that satisfies the rule, else of any trail.
    pub(super) fn last_delivery(&self, now: SystemTime) -> Option<SystemTime> {
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

/// One page of the accounts asked for.
pub(super) struct Page<'a> {
    pub(super) entries: Vec<Entry<'a>>,
    /// The number of this page, from 1.
    pub(super) number: usize,
    /// How many pages there are, at least 1.
    pub(super) pages: usize,
    /// How many accounts fit, on all pages.
    pub(super) fitting: usize,
}

/// The accounts asked for. The whole fleet is looked at, a page of it is kept.
pub(super) fn page<'a>(snapshot: &'a Snapshot, query: &Query, now: SystemTime) -> Page<'a> {
    let all = snapshot.accounts.values().map(|state| entry(state, now));
    let mut entries: Vec<_> = all.filter(|entry| entry.fits(query)).collect();
    sort(&mut entries, query, now);
    let fitting = entries.len();
    let pages = fitting.div_ceil(PAGE).max(1);
    let number = query.page.min(pages);
    let entries = entries.into_iter().skip((number - 1) * PAGE).take(PAGE);
    Page {
        entries: entries.collect(),
        number,
        pages,
        fitting,
    }
}

/// An account and how it stands at `now`.
pub(super) fn entry(state: &Arc<AccountState>, now: SystemTime) -> Entry<'_> {
    Entry {
        state,
        verdict: state.standing.verdict(now),
    }
}

/// Stable, so that accounts that are equal stay in the order of their ids.
fn sort(entries: &mut [Entry<'_>], query: &Query, now: SystemTime) {
    let rank = |e: &Entry<'_>| badness(e.verdict.state, e.verdict.reason);
    match query.sort {
        Sort::State => entries.sort_by_key(rank),
        Sort::Account => entries.sort_by_cached_key(|e| name(e.state).to_lowercase()),
        Sort::Delivery => entries.sort_by_cached_key(|e| e.last_delivery(now)),
        Sort::Success => entries.sort_by_key(|e| e.state.standing.last_success()),
    }
    if query.descending {
        entries.reverse();
    }
}

/// The account of the last part of an address: an id, or the name of one whose id is not known.
pub(super) fn find<'a>(snapshot: &'a Snapshot, part: &str) -> Option<&'a Arc<AccountState>> {
    let Ok(id) = part.parse::<AccountId>() else {
        return snapshot.accounts.get(&AccountKey::Name(part.into()));
    };
    let by_key = snapshot.accounts.get(&AccountKey::Id(id));
    by_key.or_else(|| {
        snapshot
            .accounts
            .values()
            .find(|state| state.id == Some(id))
    })
}

/// The last part of an account's address, before it is encoded.
pub(super) fn address(state: &AccountState) -> String {
    match (&state.account.key, state.id) {
        (_, Some(id)) => id.to_string(),
        (AccountKey::Id(id), None) => id.to_string(),
        (AccountKey::Name(name), None) => name.to_string(),
    }
}
