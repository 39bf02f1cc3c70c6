//! `/accounts/{id}`: all that is known of one account, and what to do about it.

use std::time::SystemTime;

use askama::Template;
use http::HeaderMap;

use super::{Frame, class, page};
use crate::fleet::clean;
use crate::snapshot::AccountState;
use crate::web::fleet;
use crate::web::query::encoded;
use crate::web::remediation::{Place, Step, steps};
use crate::web::reply::Answer;
use crate::web::view::{Account, age};
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
    now: SystemTime,
}

/// The page of one account.
pub(crate) fn account(
    state: &AccountState,
    site: Frame<'_>,
    headers: &HeaderMap,
    now: SystemTime,
) -> Answer {
    let verdict = state.standing.verdict(now);
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
        steps: steps(verdict.reason, &place)
            .into_iter()
            .map(cleaned)
            .collect(),
        now,
    };
    page(&template, headers)
}

fn cleaned(step: Step) -> Step {
    Step {
        text: clean(&step.text).into_owned(),
        ..step
    }
}

fn source(state: &AccountState) -> &'static str {
    use crate::directory::Source;
    match state.account.source {
        Source::Config => "the configuration",
        Source::Organizations => "AWS Organizations",
        Source::Ambient => "its own credentials",
    }
}
