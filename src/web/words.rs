//! The closed lists in words, for people.

use crate::compliance::{Check, Reason, State};
use crate::facts::Failure;

/// A state as a heading.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Compliant => "Compliant",
        State::NonCompliant => "Non-compliant",
        State::Unknown => "Unknown",
    }
}

/// A reason in a sentence.
pub(super) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Ok => "Every required check is proven.",
        Reason::NoTrail => "There is no trail at all.",
        Reason::NoMultiRegionTrail => "No trail covers all Regions.",
        Reason::NotLogging => "The multi-Region trail is stopped.",
        Reason::DeliveryFailing => "Log files cannot be delivered.",
        Reason::DeliveryStale => "No log file was delivered for too long.",
        Reason::ManagementEventsIncomplete => "Not all management events are recorded.",
        Reason::LogFileValidationDisabled => "Log file validation is off.",
        Reason::KmsEncryptionDisabled => "Log files are not encrypted with a KMS key.",
        Reason::CloudWatchLogsDisabled => "Events are not sent to CloudWatch Logs.",
        Reason::NotPolled => "Not polled yet.",
        Reason::WrongAccount => "The credentials belong to another account.",
        Reason::TrailStatusUnreadable => "The trail\u{2019}s status cannot be read.",
        Reason::Stale => "The last proof is too old.",
        Reason::Failed(failure) => failed(failure),
    }
}

fn failed(failure: Failure) -> &'static str {
    match failure {
        Failure::AccessDenied => "AWS denies access.",
        Failure::RegionDisabled => "The asked Region is not enabled.",
        Failure::Credentials => "AWS does not take the credentials.",
        Failure::ClockSkew => "The clocks differ too much.",
        Failure::Throttled => "AWS throttles the calls.",
        Failure::Timeout => "AWS did not answer in time.",
        Failure::Network => "AWS cannot be reached.",
        Failure::Tls => "The TLS connection fails.",
        Failure::Malformed => "AWS\u{2019}s answer makes no sense.",
        Failure::ServerError => "AWS has an error of its own.",
        _ => "AWS answers with another error.",
    }
}

/// What a check asks.
pub(super) fn check(check: Check) -> &'static str {
    match check {
        Check::MultiRegionTrail => "A trail covers all Regions",
        Check::Logging => "It is logging",
        Check::Delivery => "Log files arrive",
        Check::ManagementEvents => "All management events are recorded",
        Check::LogFileValidation => "Log files are validated",
        Check::KmsEncryption => "Log files are encrypted with KMS",
        Check::CloudWatchLogs => "Events go to CloudWatch Logs",
    }
}

/// A destination.
pub(super) fn destination(name: &str) -> &str {
    match name {
        "s3" => "S3, log files",
        "s3_digest" => "S3, digest files",
        "cloudwatch_logs" => "CloudWatch Logs",
        "sns" => "SNS",
        other => other,
    }
}
