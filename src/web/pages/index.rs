//! `/`: the fleet at one look, worst first.

use askama::Template;
use http::HeaderMap;

use super::{Frame, class, grouped, page};
use crate::compliance::State;
use crate::fleet::{Entry, Summary, badness, clean, name};
use crate::snapshot::{AccountState, Snapshot};
use crate::timestamp::Timestamp;
use crate::web::fleet;
use crate::web::query::{PAGE, Query, Sort, encoded};
use crate::web::reply::Answer;
use crate::web::view::Time;
use crate::web::words;

/// Worst first, as everywhere on the page.
const STATES: [State; 3] = [State::NonCompliant, State::Unknown, State::Compliant];
/// How wide the bar is drawn.
const BAR: usize = 1000;

#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    site: Frame<'a>,
    summary: Summary,
    /// Accounts are missing.
    partial: bool,
    /// Where to look for the accounts of the other shards, if there are any.
    elsewhere: Option<String>,
    sentence: String,
    bar: Vec<Part>,
    tiles: Vec<Tile>,
    query: &'a Query,
    heads: Vec<Head>,
    rows: Vec<Row>,
    shown: String,
    number: usize,
    pages: usize,
}

/// A part of the bar.
struct Part {
    class: &'static str,
    from: usize,
    width: usize,
}

/// A state to filter by.
struct Tile {
    href: String,
    current: bool,
    class: &'static str,
    count: String,
    name: &'static str,
}

/// A column.
struct Head {
    name: &'static str,
    href: Option<String>,
    order: Option<&'static str>,
}

/// An account.
struct Row {
    address: String,
    name: String,
    id: String,
    sort_name: String,
    state: &'static str,
    class: &'static str,
    rank: String,
    reason: &'static str,
    /// Why the last poll could not tell, where the verdict stands all the same.
    open: Option<&'static str>,
    trails: String,
    delivery: Option<Time>,
    delivery_age: String,
    delivery_key: String,
    success: Option<Time>,
    success_age: String,
    success_key: String,
    /// What a search looks in.
    text: String,
}

/// The page of the fleet that was asked for.
pub(crate) fn index(
    snapshot: &Snapshot,
    site: Frame<'_>,
    query: &Query,
    headers: &HeaderMap,
    now: Timestamp,
) -> Answer {
    let summary = Summary::of(snapshot, now);
    let found = fleet::page(snapshot, query, now);
    let query = &Query {
        page: found.number,
        ..query.clone()
    };
    let rows = found.entries.iter().map(|entry| row(entry, now));
    let index = Index {
        site,
        summary,
        partial: snapshot.partial,
        elsewhere: elsewhere(snapshot.elsewhere),
        sentence: sentence(&summary, snapshot.partial),
        bar: bar(&summary),
        tiles: tiles(&summary, query),
        query,
        heads: heads(query),
        rows: rows.collect(),
        shown: shown(&found),
        number: found.number,
        pages: found.pages,
    };
    page(&index, headers)
}

/// The summary in words.
fn sentence(summary: &Summary, partial: bool) -> String {
    let are = |n: usize| if n == 1 { "is" } else { "are" };
    let (bad, open) = (summary.non_compliant, summary.unknown);
    let all = match summary.accounts {
        1 => "1 account".to_owned(),
        n => format!("{} accounts", grouped(n)),
    };
    let all = if partial {
        format!("the {all} known here")
    } else {
        all
    };
    let unknown = format!("of {} it is not known", grouped(open));
    match (bad, open) {
        _ if summary.accounts == 0 => "No account is known yet.".into(),
        (0, 0) => format!("Of {all}, every one passes every required check."),
        (0, _) => format!("Of {all}, none is known to fail a required check; {unknown}."),
        (_, 0) => format!(
            "Of {all}, {} {} not covered as required.",
            grouped(bad),
            are(bad)
        ),
        _ => format!(
            "Of {all}, {} {} not covered as required; {unknown}.",
            grouped(bad),
            are(bad)
        ),
    }
}

fn elsewhere(accounts: usize) -> Option<String> {
    match accounts {
        0 => None,
        1 => Some("This is one of several shards: 1 more account is at the others.".into()),
        n => Some(format!(
            "This is one of several shards: {} more accounts are at the others.",
            grouped(n)
        )),
    }
}

/// The shares of the states. One that there is at all can be seen.
fn bar(summary: &Summary) -> Vec<Part> {
    let mut from = 0;
    let mut parts = Vec::new();
    for state in STATES {
        let count = summary.count(state);
        let share = (count * BAR).checked_div(summary.accounts).unwrap_or(0);
        let width = match state {
            _ if count == 0 => continue,
            // The last one takes what is left.
            State::Compliant => BAR.saturating_sub(from),
            _ => share.max(BAR / 200),
        };
        parts.push(Part {
            class: class(state),
            from,
            width,
        });
        from += width;
    }
    parts
}

fn tiles(summary: &Summary, query: &Query) -> Vec<Tile> {
    let all = Tile {
        href: query.with_state(None),
        current: query.state.is_none(),
        class: "",
        count: grouped(summary.accounts),
        name: "All",
    };
    let tile = |state| Tile {
        href: query.with_state(Some(state)),
        current: query.state == Some(state),
        class: class(state),
        count: grouped(summary.count(state)),
        name: words::state(state),
    };
    std::iter::once(all).chain(STATES.map(tile)).collect()
}

fn heads(query: &Query) -> Vec<Head> {
    let sorted = |name, sort| Head {
        name,
        href: Some(query.with_sort(sort)),
        order: (query.sort == sort).then_some(if query.descending {
            "descending"
        } else {
            "ascending"
        }),
    };
    let plain = |name| Head {
        name,
        href: None,
        order: None,
    };
    vec![
        sorted("Account", Sort::Account),
        sorted("State", Sort::State),
        plain("Reason"),
        plain("Trails"),
        sorted("Last delivery", Sort::Delivery),
        sorted("Last success", Sort::Success),
    ]
}

fn row(entry: &Entry<'_>, now: Timestamp) -> Row {
    let (account, verdict) = (entry.state, entry.verdict);
    let (delivery, success) = (entry.last_delivery(now), account.standing.last_success());
    let (delivery, success) = (delivery.map(Time), success.map(Time));
    let shown_age = |time: Option<Time>| time.map(|at| at.age(now.wall())).unwrap_or_default();
    let (rank, reason) = badness(verdict.state, verdict.reason);
    let id = account.id.map(|id| id.to_string()).unwrap_or_default();
    let name = name(account).into_owned();
    Row {
        text: fleet::searched(entry),
        address: encoded(&fleet::address(account)),
        sort_name: name.to_lowercase(),
        name,
        id,
        state: words::state(verdict.state),
        class: class(verdict.state),
        rank: format!("{rank} {}", reason.as_str()),
        reason: words::reason(reason),
        open: entry.open().map(words::reason),
        trails: trails(account, now),
        delivery,
        delivery_age: shown_age(delivery),
        delivery_key: key(delivery),
        success,
        success_age: shown_age(success),
        success_key: key(success),
    }
}

/// A time as a text that sorts as times do.
fn key(time: Option<Time>) -> String {
    time.map(|at| at.to_string()).unwrap_or_default()
}

/// The trail that is the evidence, else how far the trails there are go.
fn trails(account: &AccountState, now: Timestamp) -> String {
    if let Some(arn) = account.standing.evidence(now) {
        return clean(arn.name()).into_owned();
    }
    let counts = account.standing.counts();
    let all = match counts.trails {
        None => return "not known".into(),
        Some(0) => return "none".into(),
        Some(1) => "1 trail".to_owned(),
        Some(n) => format!("{} trails", grouped(n)),
    };
    match (counts.multi_region, counts.logging_multi_region) {
        (Some(0), _) => format!("{all}, none multi-Region"),
        (Some(multi), Some(0)) => format!("{} multi-Region, none logging", grouped(multi)),
        (Some(multi), Some(logging)) => {
            format!(
                "{} multi-Region, {} logging",
                grouped(multi),
                grouped(logging)
            )
        }
        (Some(multi), None) => format!("{} multi-Region, logging not known", grouped(multi)),
        (None, _) => all,
    }
}

fn shown(found: &fleet::Page<'_>) -> String {
    if found.pages == 1 {
        let noun = if found.fitting == 1 {
            "account"
        } else {
            "accounts"
        };
        return format!("{} {noun}", grouped(found.fitting));
    }
    let first = (found.number - 1) * PAGE + 1;
    let last = first + found.entries.len() - 1;
    format!(
        "{} to {} of {} accounts",
        grouped(first),
        grouped(last),
        grouped(found.fitting)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(compliant: usize, non_compliant: usize, unknown: usize) -> Summary {
        Summary {
            accounts: compliant + non_compliant + unknown,
            compliant,
            non_compliant,
            unknown,
        }
    }

    #[test]
    fn a_fleet_is_summed_up_in_a_sentence() {
        for (fleet, words) in [
            (summary(0, 0, 0), "No account is known yet."),
            (
                summary(2, 0, 0),
                "Of 2 accounts, every one passes every required check.",
            ),
            (
                summary(1, 0, 1),
                "Of 2 accounts, none is known to fail a required check; of 1 it is not known.",
            ),
            (
                summary(9999, 1, 0),
                "Of 10,000 accounts, 1 is not covered as required.",
            ),
            (
                summary(1, 2, 0),
                "Of 3 accounts, 2 are not covered as required.",
            ),
            (
                summary(1, 2, 3),
                "Of 6 accounts, 2 are not covered as required; of 3 it is not known.",
            ),
        ] {
            assert_eq!(sentence(&fleet, false), words);
        }
        let words = "Of the 2 accounts known here, every one passes every required check.";
        assert_eq!(sentence(&summary(2, 0, 0), true), words);
    }

    #[test]
    fn one_bad_account_in_many_can_be_seen_in_the_bar() {
        let bar = bar(&summary(9_998, 1, 1));
        let widths: Vec<_> = bar.iter().map(|part| (part.class, part.width)).collect();
        assert_eq!(widths, [("bad", 5), ("open", 5), ("good", 990)]);
    }
}
