//! The port: all that the poller may ask of AWS. Read-only by construction.
//!
//! The adapter behind it, and the only code that names the AWS SDK, is in the rooms below; tests put a fake in its place.

mod aws_clock;
pub mod body;
mod checks;
pub mod classify;
mod clients;
pub mod convert;
pub mod credentials;
pub mod envelope;
mod fault;
mod leases;
pub mod limits;
mod meter;
mod on_behalf;
pub mod organizations;
mod pace;
mod renewal;
mod resolver;
pub mod sdk;
pub mod session;
pub mod setup;
mod sts;
mod user_agent;

use std::future::Future;
use std::sync::Arc;

use crate::account::{AccountId, Region, TrailArn};
use crate::directory::Account;
use crate::facts::{EventSelectors, Failure, Operation, Trail, TrailStatus};
use crate::redaction::redact;

/// A call without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}: {detail}", operation.as_str(), failure.as_str())]
pub struct CallError {
    /// The call that failed; `AssumeRole` where a session had to be renewed on the way.
    pub operation: Operation,
    /// Why, in our words.
    pub failure: Failure,
    /// Code, message, status and request id in AWS's words, for the log. Never a secret, never the raw body.
    pub detail: String,
    /// The failure is [`Failure::RegionDisabled`], but AWS says the same of credentials it does not know: whether another Region of the account
    /// answers decides which it is.
    pub ambiguous_credentials: bool,
}

/// One whole answer of `DescribeTrails`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrailList {
    /// The well-formed entries.
    pub trails: Vec<Trail>,
    /// How many entries were malformed and dropped.
    pub malformed: usize,
}

/// Asks AWS about accounts. The session it hands out keeps an account's credentials, retry budget and rate between polls, and goes with the account.
pub trait Aws: Clone + Send + Sync + 'static {
    /// What is kept of one account between calls.
    type Session: Send + Sync + 'static;

    /// Prepares to ask about an account; makes no call.
    fn open(&self, account: &Arc<Account>) -> Self::Session;

    /// Makes sure that the credentials are good for a poll, and tells whose they are. A call only when they are new or near their end.
    ///
    /// A poll begins with this: the calls below fail on a session that was never identified, or whose credentials turn out to be another
    /// account's when they are renewed on the way.
    fn identify(
        &self,
        session: &Self::Session,
    ) -> impl Future<Output = Result<AccountId, CallError>> + Send;

    /// The identity told last is not the expected one: it is believed for this poll alone. The
    /// next [`Aws::identify`] obtains credentials again and asks whose they are. Makes no call.
    fn distrust(&self, session: &Self::Session) -> impl Future<Output = ()> + Send;

    /// The trails visible in a Region, shadow copies included.
    fn describe_trails(
        &self,
        session: &Self::Session,
        region: &Region,
    ) -> impl Future<Output = Result<TrailList, CallError>> + Send;

    /// A trail's status, asked in its home Region.
    fn trail_status(
        &self,
        session: &Self::Session,
        region: &Region,
        trail: &TrailArn,
    ) -> impl Future<Output = Result<TrailStatus, CallError>> + Send;

    /// A trail's event selectors, asked in its home Region.
    fn event_selectors(
        &self,
        session: &Self::Session,
        region: &Region,
        trail: &TrailArn,
    ) -> impl Future<Output = Result<EventSelectors, CallError>> + Send;
}

impl CallError {
    /// An error without a word from AWS.
    pub fn new(operation: Operation, failure: Failure, detail: impl Into<String>) -> Self {
        Self {
            operation,
            failure,
            detail: redact(&detail.into()).into_owned(),
            ambiguous_credentials: false,
        }
    }

    /// The same error, marked as one that bad credentials may have caused as well.
    #[must_use]
    pub fn ambiguous(mut self, ambiguous: bool) -> Self {
        self.ambiguous_credentials = ambiguous;
        self
    }
}
