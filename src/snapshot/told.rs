//! The log of an account: one line for each change of its verdict or of the calls that fail, none for what stays.

use super::AccountState;
use crate::aws::CallError;
use crate::compliance::{Standing, State, Verdict};
use crate::facts::{Failure, Operation};
use crate::timestamp::Timestamp;

/// How many failed calls a line tells in AWS's words; the others are much the same.
const TOLD_AT_MOST: usize = 3;

/// What a reader of the log does not know yet of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The verdict now.
    pub verdict: Verdict,
    /// The verdict is another than before; else only the calls that fail are.
    pub turned: bool,
    /// The kinds of call that fail now.
    pub failing: Vec<(Operation, Failure)>,
    /// Why, in AWS's words.
    pub detail: Option<String>,
}

/// What changed from `before`, as it was when the account was last polled, to `after`: decay since then is news.
pub fn news(
    before: &Standing,
    after: &Standing,
    errors: &[CallError],
    now: Timestamp,
) -> Option<News> {
    let then = before.last_poll().map_or(now, |poll| poll.ended);
    let verdict = after.verdict(now);
    let turned = before.verdict(then) != verdict;
    let failing = failing(after);
    let is_news = turned || self::failing(before) != failing;
    is_news.then(|| News {
        verdict,
        turned,
        failing: failing.to_vec(),
        detail: detail(after, errors),
    })
}

fn failing(standing: &Standing) -> &[(Operation, Failure)] {
    standing.last_poll().map_or(&[], |poll| &poll.failing)
}

fn detail(after: &Standing, errors: &[CallError]) -> Option<String> {
    if let Some(found) = after.wrong_account() {
        return Some(format!("the credentials belong to account {found}"));
    }
    let told = errors.iter().take(TOLD_AT_MOST);
    let words: Vec<String> = told.map(ToString::to_string).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// Logs what changed, if anything did.
pub(super) fn tell(before: &Standing, after: &AccountState, errors: &[CallError], now: Timestamp) {
    let Some(news) = news(before, &after.standing, errors, now) else {
        return;
    };
    let id = after.id.map(tracing::field::display);
    let name = after.account.name.as_deref();
    let (state, reason) = (news.verdict.state.as_str(), news.verdict.reason.as_str());
    let (calls, detail) = (calls(&news.failing), news.detail);
    macro_rules! line {
        ($level:ident, $text:literal) => {
            tracing::$level!(
                account_id = id,
                account_name = name,
                state,
                reason,
                failing = calls,
                detail,
                $text
            )
        };
    }
    match (news.turned, news.verdict.state) {
        (true, State::Compliant) => line!(info, "the account is compliant"),
        (true, State::NonCompliant) => line!(warn, "the account is not compliant"),
        (true, State::Unknown) => line!(warn, "it is not known whether the account is compliant"),
        (false, _) if news.failing.is_empty() => line!(info, "the account's calls succeed again"),
        (false, _) => line!(warn, "calls fail, the verdict stands"),
    }
}

/// The calls that fail, as text.
fn calls(failing: &[(Operation, Failure)]) -> Option<String> {
    let texts = failing.iter();
    let texts = texts.map(|(call, why)| format!("{}: {}", call.as_str(), why.as_str()));
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
