//! `/accounts/{id}`: all that is known of one account, and what to do about it.

use std::time::SystemTime;

use askama::Template;
use http::HeaderMap;

use super::{Frame, class, page};
use crate::compliance::State;
use crate::fleet::{Entry, clean, entry};
use crate::snapshot::AccountState;
use crate::timestamp::Timestamp;
use crate::web::fleet;
use crate::web::query::encoded;
use crate::web::remediation::{Place, Step, steps};
use crate::web::reply::Answer;
use crate::web::view::{Account, Time, age};
use crate::web::words;

#[derive(Template)]
#[template(path = "account.html")]
struct Page<'a> {
    site: Frame<'a>,
    account: Account<'a>,
    address: String,
    state: &'static str,
    class: &'static str,
    reason: &'static str,
    source: &'static str,
    evidence_name: Option<String>,
    took: Option<String>,
    steps: Vec<Step>,
    held: Option<Held>,
    now: SystemTime,
}

/// A verdict that stands although the last poll left it open.
struct Held {
    note: String,
    /// What lets the next poll see again.
    steps: Vec<Step>,
}

/// The page of one account.
pub(crate) fn account(
    state: &AccountState,
    site: Frame<'_>,
    headers: &HeaderMap,
    now: Timestamp,
) -> Answer {
    let entry = entry(state, now);
    let verdict = entry.verdict;
    let place = Place {
        account: &state.account,
        id: state.id,
        trails: state.standing.trails(),
    };
    let evidence = state.standing.evidence(now);
    let took = state.standing.last_poll().map(|poll| match poll.duration {
        short if short.as_secs() < 2 => format!("{} ms", short.as_millis()),
        long => age(long),
    });
    let template = Page {
        site,
        account: Account::new(state, now),
        address: encoded(&fleet::address(state)),
        state: words::state(verdict.state),
        class: class(verdict.state),
        reason: words::reason(verdict.reason),
        source: source(state),
        evidence_name: evidence.map(|arn| clean(arn.name()).into_owned()),
        took,
        steps: cleaned(steps(verdict.reason, &place)),
        held: held(&entry, &place, now),
        now: now.wall(),
    };
    page(&template, headers)
}

fn cleaned(mut steps: Vec<Step>) -> Vec<Step> {
    for step in &mut steps {
        step.text = clean(&step.text).into_owned();
    }
    steps
}

fn held(entry: &Entry<'_>, place: &Place<'_>, now: Timestamp) -> Option<Held> {
    let state = entry.state;
    let why = entry.open()?;
    let proven = Time(state.standing.last_success()?).age(now.wall());
    let until = match entry.verdict.state {
        State::NonCompliant => "until a poll proves otherwise".to_owned(),
        _ => format!(
            "until that is {} old; then it is not known",
            age(state.account.policy.stale_after)
        ),
    };
    let words = words::reason(why);
    Some(Held {
        note: format!(
            "The last poll could not tell: {words} The verdict was proven {proven} and stands {until}."
        ),
        steps: cleaned(steps(why, place)),
    })
}

fn source(state: &AccountState) -> &'static str {
    use crate::directory::Source;
    match state.account.source {
        Source::Config => "the configuration",
        Source::Organizations => "AWS Organizations",
        Source::Ambient => "its own credentials",
    }
}
