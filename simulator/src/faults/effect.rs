//! What can happen to a request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::account::Literal;
use crate::names::AccountId;
use crate::when::Offset;

/// What happens to a picked request. `latency`, `clock_offset` and `wrong_identity` come on top of whatever else; of the others the first picked rule wins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Refused by IAM, in the service's own words.
    AccessDenied,
    /// Refused by a service control policy.
    ScpDenied,
    /// Throttled, with the service's own code.
    Throttle,
    /// Any error in the service's protocol.
    Error {
        /// The code string.
        code: String,
        /// The message.
        #[serde(default)]
        message: String,
        /// The HTTP status.
        #[serde(default = "bad_request")]
        status: u16,
    },
    /// This HTTP status with an empty body.
    Status(u16),
    /// Never answers.
    Hang,
    /// Answers half and then nothing more.
    HangBody,
    /// One byte, then this long nothing, again and again.
    Drip(#[serde(with = "humantime_serde")] Duration),
    /// Resets the connection (TCP RST).
    Reset,
    /// Closes the connection without an answer.
    Close,
    /// Closes the connection in the middle of the body.
    CutBody,
    /// A whole HTTP answer whose body is half the document.
    Truncate,
    /// A body that is no document at all.
    Malformed,
    /// An HTML page with this status, as a proxy in the way sends.
    Html(u16),
    /// These fields become null; all scalar fields if none is named. JSON only.
    NullFields(Vec<String>),
    /// These fields go missing. JSON only.
    DropFields(Vec<String>),
    /// `{}`.
    EmptyObject,
    /// A literal answer.
    Literal(Literal),
    /// `AssumeRole` and `GetCallerIdentity` speak of this account instead.
    WrongIdentity(AccountId),
    /// The `Date` header is off by this.
    ClockOffset(Offset),
    /// The true answer after this many bytes of white space, streamed.
    Huge(u64),
    /// A redirect to this address.
    Redirect(String),
    /// Waits before it answers.
    Latency {
        /// At least this long.
        #[serde(with = "humantime_serde")]
        base: Duration,
        /// And up to this much longer, by the seed.
        #[serde(default, with = "humantime_serde")]
        jitter: Duration,
    },
}

fn bad_request() -> u16 {
    400
}
