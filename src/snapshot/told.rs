//! The log of an account: one line for each change of its verdict or of the calls that fail, none for what stays.

use std::time::SystemTime;

use crate::aws::CallError;
use crate::compliance::{Standing, State, Verdict};
use crate::facts::{Failure, Operation};

use super::AccountState;

/// How many failed calls a line tells in AWS's words; the others are much the same.
const TOLD_AT_MOST: usize = 3;

/// What a reader of the log knows of an account.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    verdict: Verdict,
    failing: Vec<(Operation, Failure)>,
}

/// What was known when the account was last polled: decay since then is news.
fn known(standing: &Standing, now: SystemTime) -> Known {
    let poll = standing.last_poll();
    Known {
        verdict: standing.verdict(now),
        failing: poll.map(|poll| poll.failing.clone()).unwrap_or_default(),
    }
}

/// Logs what changed from `before` to `after`, if anything did.
pub fn tell(before: &Standing, after: &AccountState, errors: &[CallError], now: SystemTime) {
    let then = before.last_poll().map_or(now, |poll| poll.ended);
    let (before, now_known) = (known(before, then), known(&after.standing, now));
    if before == now_known {
        return;
    }
    let id = after.id.map(tracing::field::display);
    let name = after.account.name.as_deref();
    let Verdict { state, reason } = now_known.verdict;
    let (state_text, reason) = (state.as_str(), reason.as_str());
    let detail = detail(after, errors);
    let detail = detail.as_deref();
    if before.verdict == now_known.verdict {
        let failing = now_known.failing.len();
        tracing::warn!(
            account_id = id,
            account_name = name,
            state = state_text,
            reason,
            failing,
            detail,
            "other calls fail than before"
        );
    } else if state == State::Compliant {
        tracing::info!(
            account_id = id,
            account_name = name,
            state = state_text,
            reason,
            detail,
            "the account is compliant"
        );
    } else {
        tracing::warn!(
            account_id = id,
            account_name = name,
            state = state_text,
            reason,
            detail,
            "the account is not known to be compliant"
        );
    }
}

/// Why, in AWS's words.
fn detail(after: &AccountState, errors: &[CallError]) -> Option<String> {
    if let Some(found) = after.standing.wrong_account() {
        return Some(format!("the credentials belong to account {found}"));
    }
    let words: Vec<String> = errors
        .iter()
        .take(TOLD_AT_MOST)
        .map(ToString::to_string)
        .collect();
    (!words.is_empty()).then(|| words.join("; "))
}
