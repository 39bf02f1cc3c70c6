//! From the SDK's errors to a [`Fault`] and the words for the log: code, message, status and request id, never the raw answer.

use std::error::Error as StdError;
use std::fmt::Write;
use std::io;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::ErrorKind;

use crate::aws::CallError;
use crate::aws::classify::{Fault, Service, Stage, classify};
use crate::aws::convert::{Misshapen, cut};
use crate::aws::envelope::BadReply;
use crate::facts::{Failure, Operation};
use crate::redaction::{redact, redact_also};

/// IAM's longest refusals, with two ARNs in them, fit.
const MAX_MESSAGE_BYTES: usize = 400;
/// A request id is a UUID.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// A failed call in our words, before it is known which operation of the port it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) failure: Failure,
    pub(super) detail: String,
    /// See [`CallError::ambiguous_credentials`].
    pub(super) ambiguous: bool,
    /// A new session may do.
    pub(super) expired: bool,
    /// AWS's code, for the few that we answer to.
    pub(super) code: Option<String>,
}

impl Failed {
    /// What the SDK says of a failed call, without the secrets that it was made with.
    pub(super) fn of<E>(
        service: Service,
        error: &SdkError<E, HttpResponse>,
        secrets: &[&str],
    ) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let fault = of_call(error);
        let failure = classify(service, &fault);
        Self {
            failure,
            detail: detail(&fault, error, secrets),
            ambiguous: fault.is_ambiguous() && failure == Failure::RegionDisabled,
            expired: fault.is_expired(),
            code: fault.code.map(str::to_owned),
        }
    }

    /// A success without the documented shape.
    pub(super) fn misshapen(wrong: Misshapen) -> Self {
        Self::new(Failure::Malformed, wrong.to_string())
    }

    /// A failure without a word from AWS.
    pub(super) fn new(failure: Failure, detail: impl Into<String>) -> Self {
        Self {
            failure,
            detail: detail.into(),
            ambiguous: false,
            expired: false,
            code: None,
        }
    }

    /// The failure of an operation of the port.
    pub(super) fn during(self, operation: Operation) -> CallError {
        CallError::new(operation, self.failure, self.detail).ambiguous(self.ambiguous)
    }
}

fn of_call<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Fault<'_> {
    let meta = error.as_service_error().map(ProvideErrorMetadata::meta);
    Fault {
        stage: stage(error),
        code: meta.and_then(|meta| meta.code()),
        message: meta.and_then(|meta| meta.message()),
        status: error.raw_response().map(|raw| raw.status().as_u16()),
    }
}

fn stage<E>(error: &SdkError<E, HttpResponse>) -> Stage {
    match error {
        SdkError::TimeoutError(_) => Stage::Deadline,
        SdkError::DispatchFailure(failure) => failure
            .as_connector_error()
            .map_or(Stage::Unsent, of_connector),
        SdkError::ResponseError(_) | SdkError::ServiceError(_) => Stage::Answered,
        _ => Stage::Unsent,
    }
}

/// How far a call came that failed in the HTTP client.
pub(super) fn of_connector(error: &ConnectorError) -> Stage {
    if causes(error).any(|cause| cause.is::<BadReply>() || is_not_http(cause)) {
        return Stage::BadReply;
    }
    if error.is_timeout() {
        return Stage::Deadline;
    }
    if causes(error).any(is_tls) {
        return Stage::Tls;
    }
    // The HTTP client calls a connection that ends before the answer neither of its own words, but worth another attempt.
    if error.is_io() || error.as_other() == Some(ErrorKind::TransientError) {
        return Stage::Network;
    }
    Stage::Unsent
}

/// An error and what is behind it.
pub(super) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| cause(error))
}

/// What is behind an error. An I/O error passes over the one that it wraps.
fn cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    match wrapped {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// The TLS layer's own error, or a connection that ended in the handshake.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    error.is::<rustls::Error>() || error.to_string().starts_with("tls handshake")
}

/// Bytes came that are not HTTP.
fn is_not_http(error: &(dyn StdError + 'static)) -> bool {
    error
        .downcast_ref::<hyper::Error>()
        .is_some_and(hyper::Error::is_parse)
}

/// The words for the log.
fn detail<E>(fault: &Fault<'_>, error: &SdkError<E, HttpResponse>, secrets: &[&str]) -> String
where
    E: StdError + 'static,
{
    let mut detail = match (fault.stage, fault.code) {
        (Stage::Answered, Some(code)) => {
            // Before the text is cut: a part of a secret would not be found.
            let message = fault.message.unwrap_or("no message");
            let message = redact_also(message, secrets.iter().copied());
            let code = redact_also(code, secrets.iter().copied());
            format!("{}: {}", clean(&code), clean(&message))
        }
        (Stage::Answered, None) => "an answer that is not AWS's".to_owned(),
        _ => root_cause(error),
    };
    if let Some(status) = fault.status {
        let _ = write!(detail, " (status {status}");
        if let Some(id) = error.raw_response().and_then(request_id) {
            let _ = write!(detail, ", request {id}");
        }
        detail.push(')');
    }
    detail
}

/// What stands at the bottom of an error, such as `Connection refused (os error 111)`.
pub(super) fn root_cause(error: &(dyn StdError + 'static)) -> String {
    let last = causes(error).last();
    last.map_or_else(String::new, |cause| clean(&redact(&cause.to_string())))
}

fn request_id(answer: &HttpResponse) -> Option<String> {
    let id = answer.headers().get("x-amzn-requestid")?;
    Some(cut(&clean(id), MAX_REQUEST_ID_BYTES).to_owned())
}

/// The first line of a text, without control characters and not too long. Further lines of a refused signature quote the session's token.
fn clean(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    cut(line, MAX_MESSAGE_BYTES)
        .chars()
        .map(printable)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_of_a_message_is_told() {
        let message =
            "The signature does not match.\n\nThe Canonical String:\nx-amz-security-token:secret";
        assert_eq!(clean(message), "The signature does not match.");
    }

    #[test]
    fn a_message_is_cut_and_has_no_control_characters() {
        assert_eq!(clean("a\tb\u{1b}[31mc"), "a b [31mc");
        assert_eq!(clean(&"é".repeat(1_000)).len(), MAX_MESSAGE_BYTES);
    }

    #[test]
    fn a_tls_error_is_found_inside_an_io_error() {
        let tls = rustls::Error::DecryptError;
        let tls = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, tls));
        let error = ConnectorError::io(tls.into());
        assert_eq!(of_connector(&error), Stage::Tls);
    }

    #[test]
    fn a_refused_connection_is_the_network() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(
            of_connector(&ConnectorError::io(refused.into())),
            Stage::Network
        );
    }

    #[test]
    fn a_bad_reply_is_told_from_a_broken_connection() {
        let error = ConnectorError::io(BadReply::CutShort.into());
        assert_eq!(of_connector(&error), Stage::BadReply);
    }
}
