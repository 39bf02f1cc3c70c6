//! The accounts that were asked for, in order, a page at a time.

use std::sync::Arc;

use super::query::{PAGE, Query, Sort};
use super::words;
use crate::account::AccountId;
use crate::compliance::Reason;
use crate::directory::AccountKey;
use crate::fleet::{Entry, badness, entry, name};
use crate::snapshot::{AccountState, Snapshot};
use crate::timestamp::Timestamp;

/// Whether an account is among those asked for.
pub(super) fn fits(entry: &Entry<'_>, query: &Query) -> bool {
    let state_fits = query.state.is_none_or(|state| state == entry.verdict.state);
    state_fits && (query.search.is_empty() || searched(entry).contains(&query.search))
}

/// What a search looks in, in lower case: what people see of an account, and the names that alerts and scripts know its reason and unit by.
pub(super) fn searched(entry: &Entry<'_>) -> String {
    let (state, reason) = (entry.state, entry.verdict.reason);
    let id = state.id.map(|id| id.to_string()).unwrap_or_default();
    let unit = state.account.organizational_unit.as_deref();
    let (name, unit) = (name(state), unit.unwrap_or_default());
    let told = |reason: Reason| format!("{}\n{}", reason.as_str(), words::reason(reason));
    let (reason, open) = (told(reason), entry.open().map(told).unwrap_or_default());
    format!("{name}\n{id}\n{reason}\n{open}\n{unit}").to_lowercase()
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
pub(super) fn page<'a>(snapshot: &'a Snapshot, query: &Query, now: Timestamp) -> Page<'a> {
    let all = snapshot.accounts.values().map(|state| entry(state, now));
    let mut entries: Vec<_> = all.filter(|entry| fits(entry, query)).collect();
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

/// Stable, so that accounts that are equal stay in the order of their ids.
fn sort(entries: &mut [Entry<'_>], query: &Query, now: Timestamp) {
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
    let by_name = || snapshot.accounts.get(&AccountKey::Name(part.into()));
    let Ok(id) = part.parse::<AccountId>() else {
        return by_name();
    };
    let by_key = snapshot.accounts.get(&AccountKey::Id(id));
    let mut all = snapshot.accounts.values();
    by_key
        .or_else(|| all.find(|state| state.id == Some(id)))
        .or_else(by_name)
}

/// The last part of an account's address, before it is encoded.
pub(super) fn address(state: &AccountState) -> String {
    match (&state.account.key, state.id) {
        (_, Some(id)) => id.to_string(),
        (AccountKey::Id(id), None) => id.to_string(),
        (AccountKey::Name(name), None) => name.to_string(),
    }
}
