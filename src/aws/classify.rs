//! From what a failed call left behind to one of our reasons: a pure table.
//!
//! By the code string and the status, never by the SDK's modelled errors: throttling, access, expiry and Region errors are not modelled.

use crate::facts::Failure;

/// Who was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// STS.
    Sts,
    /// CloudTrail.
    CloudTrail,
    /// Organizations.
    Organizations,
}

/// How far a failed call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It never left: no endpoint, or nothing to sign with.
    Unsent,
    /// No connection, or one that ended before the answer.
    Network,
    /// The TLS layer refused the peer.
    Tls,
    /// One of our own deadlines passed.
    Deadline,
    /// A success was announced, but its body is too large, cut short or holds what the SDK would leave out in silence.
    BadReply,
    /// There is an answer; its code and status say more.
    Answered,
}

/// What a failed call, or one attempt of it, left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault<'a> {
    /// How far it came.
    pub stage: Stage,
    /// AWS's error code.
    pub code: Option<&'a str>,
    /// AWS's words.
    pub message: Option<&'a str>,
    /// The HTTP status.
    pub status: Option<u16>,
}

impl Fault<'_> {
    /// The session's token is over; a new one may do.
    pub fn is_expired(&self) -> bool {
        matches!(self.code, Some("ExpiredToken" | "ExpiredTokenException"))
    }

    /// AWS does not know the credentials, or does not know them in this Region because the account has not enabled it.
    pub fn is_ambiguous(&self) -> bool {
        let unknown = ["UnrecognizedClientException", "InvalidClientTokenId"];
        self.code.is_some_and(|code| unknown.contains(&code))
    }

    /// Our clock or AWS's is wrong. Only the message tells it from a signature made with a wrong key.
    fn is_skewed(&self) -> bool {
        let words = ["Signature expired", "Signature not yet current"];
        let said = |m: &str| words.iter().any(|w| m.contains(w));
        self.message.is_some_and(said)
            || matches!(self.code, Some("RequestTimeTooSkewed" | "RequestExpired"))
    }
}

/// The reason of a failure.
pub fn classify(service: Service, fault: &Fault<'_>) -> Failure {
    match fault.stage {
        Stage::Unsent => Failure::Other,
        Stage::Network => Failure::Network,
        Stage::Tls => Failure::Tls,
        Stage::Deadline => Failure::Timeout,
        Stage::BadReply => Failure::Malformed,
        Stage::Answered => answered(service, fault),
    }
}

fn answered(service: Service, fault: &Fault<'_>) -> Failure {
    match fault.status {
        _ if fault.code.is_some_and(is_throttling) => Failure::Throttled,
        Some(429) => Failure::Throttled,
        Some(500..) => Failure::ServerError,
        // AWS never redirects, and whoever does must not choose where signed requests go.
        Some(200..=399) => Failure::Malformed,
        _ if fault.is_skewed() => Failure::ClockSkew,
        _ => fault.code.map_or(Failure::Other, |c| by_code(service, c)),
    }
}

fn is_throttling(code: &str) -> bool {
    code.starts_with("Throttling")
        || matches!(
            code,
            "ThrottledException" | "TooManyRequestsException" | "RequestLimitExceeded" | "SlowDown"
        )
}

fn by_code(service: Service, code: &str) -> Failure {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => Failure::AccessDenied,
        "UnrecognizedClientException" | "InvalidClientTokenId"
            if service == Service::CloudTrail =>
        {
            Failure::RegionDisabled
        }
        // STS's own word for the same.
        "OptInRequired" | "RegionDisabledException" => Failure::RegionDisabled,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException" => Failure::Credentials,
        "InternalFailure" | "ServiceUnavailable" => Failure::ServerError,
        "TrailNotFoundException" | "CloudTrailARNInvalidException" => Failure::NotFound,
        _ => Failure::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: Option<&'static str>, status: u16) -> Fault<'static> {
        Fault {
            stage: Stage::Answered,
            code,
            message: None,
            status: Some(status),
        }
    }

    fn on_cloudtrail(code: &'static str, status: u16) -> Failure {
        classify(Service::CloudTrail, &answer(Some(code), status))
    }

    #[test]
    fn each_code_has_its_reason() {
        for (code, status, failure) in [
            ("AccessDenied", 403, Failure::AccessDenied),
            ("AccessDeniedException", 400, Failure::AccessDenied),
            ("UnauthorizedOperation", 403, Failure::AccessDenied),
            ("OptInRequired", 403, Failure::RegionDisabled),
            ("UnrecognizedClientException", 400, Failure::RegionDisabled),
            ("InvalidClientTokenId", 403, Failure::RegionDisabled),
            ("ExpiredToken", 403, Failure::Credentials),
            ("ExpiredTokenException", 400, Failure::Credentials),
            ("SignatureDoesNotMatch", 403, Failure::Credentials),
            ("InvalidSignatureException", 400, Failure::Credentials),
            ("RequestTimeTooSkewed", 403, Failure::ClockSkew),
            ("RequestExpired", 400, Failure::ClockSkew),
            ("Throttling", 400, Failure::Throttled),
            ("ThrottlingException", 400, Failure::Throttled),
            ("ThrottledException", 400, Failure::Throttled),
            ("TooManyRequestsException", 400, Failure::Throttled),
            ("RequestLimitExceeded", 503, Failure::Throttled),
            ("SlowDown", 503, Failure::Throttled),
            ("InternalFailure", 500, Failure::ServerError),
            ("ServiceUnavailable", 503, Failure::ServerError),
            ("InternalFailure", 400, Failure::ServerError),
            ("TrailNotFoundException", 400, Failure::NotFound),
            ("CloudTrailARNInvalidException", 400, Failure::NotFound),
            ("NoManagementAccountSLRExistsException", 400, Failure::Other),
            ("LimitExceededException", 400, Failure::Other),
            ("WhateverComesNext", 400, Failure::Other),
        ] {
            assert_eq!(on_cloudtrail(code, status), failure, "{code} {status}");
        }
    }

    #[test]
    fn credentials_that_sts_does_not_know_are_bad_credentials() {
        for code in ["UnrecognizedClientException", "InvalidClientTokenId"] {
            let fault = answer(Some(code), 403);
            assert!(fault.is_ambiguous());
            assert_eq!(classify(Service::Sts, &fault), Failure::Credentials);
            assert_eq!(
                classify(Service::Organizations, &fault),
                Failure::Credentials
            );
        }
        assert!(!answer(Some("OptInRequired"), 403).is_ambiguous());
    }

    #[test]
    fn a_region_that_sts_says_is_disabled_is_disabled() {
        let fault = answer(Some("RegionDisabledException"), 403);
        assert_eq!(classify(Service::Sts, &fault), Failure::RegionDisabled);
    }

    #[test]
    fn without_a_code_the_status_decides() {
        for (status, failure) in [
            (200, Failure::Malformed),
            (204, Failure::Malformed),
            (301, Failure::Malformed),
            (307, Failure::Malformed),
            (400, Failure::Other),
            (403, Failure::Other),
            (404, Failure::Other),
            (429, Failure::Throttled),
            (500, Failure::ServerError),
            (502, Failure::ServerError),
            (599, Failure::ServerError),
        ] {
            let fault = answer(None, status);
            assert_eq!(classify(Service::CloudTrail, &fault), failure, "{status}");
        }
    }

    #[test]
    fn a_5xx_is_a_server_error_whatever_its_body_says() {
        assert_eq!(on_cloudtrail("AccessDenied", 500), Failure::ServerError);
        assert_eq!(on_cloudtrail("ExpiredToken", 503), Failure::ServerError);
    }

    #[test]
    fn a_redirect_is_malformed_whatever_its_body_says() {
        assert_eq!(on_cloudtrail("AccessDenied", 307), Failure::Malformed);
    }

    #[test]
    fn a_signature_from_another_time_is_clock_skew_and_not_bad_credentials() {
        for message in [
            "Signature expired: 20261122T100000Z is now earlier than 20261122T101500Z",
            "Signature not yet current: 20261122T100000Z is still later than 20261122T093000Z",
        ] {
            for code in ["SignatureDoesNotMatch", "InvalidSignatureException"] {
                let fault = Fault {
                    message: Some(message),
                    ..answer(Some(code), 403)
                };
                assert_eq!(classify(Service::Sts, &fault), Failure::ClockSkew);
            }
        }
    }

    #[test]
    fn without_an_answer_the_stage_decides() {
        for (stage, failure) in [
            (Stage::Unsent, Failure::Other),
            (Stage::Network, Failure::Network),
            (Stage::Tls, Failure::Tls),
            (Stage::Deadline, Failure::Timeout),
            (Stage::BadReply, Failure::Malformed),
        ] {
            let fault = Fault {
                stage,
                code: None,
                message: None,
                status: None,
            };
            assert_eq!(classify(Service::CloudTrail, &fault), failure, "{stage:?}");
        }
    }

    #[test]
    fn only_an_expired_token_is_expired() {
        assert!(answer(Some("ExpiredToken"), 403).is_expired());
        assert!(answer(Some("ExpiredTokenException"), 400).is_expired());
        assert!(!answer(Some("UnrecognizedClientException"), 400).is_expired());
        assert!(!answer(None, 403).is_expired());
    }
}
