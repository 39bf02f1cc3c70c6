//! AWS's text about a failed delivery, as one of a closed list of codes: free text is no label value.

/// What stands for every code that is not listed.
const OTHER: &str = "other";

/// The codes of S3, SNS, KMS and CloudWatch Logs that a trail's delivery meets in practice.
const CODES: &[&str] = &[
    // S3
    "AccessDenied",
    "AccountProblem",
    "AllAccessDisabled",
    "InternalError",
    "InvalidAccessKeyId",
    "InvalidBucketName",
    "InvalidBucketState",
    "InvalidObjectState",
    "InvalidRequest",
    "MethodNotAllowed",
    "NoSuchBucket",
    "NoSuchKey",
    "NotSignedUp",
    "OperationAborted",
    "PermanentRedirect",
    "RequestTimeout",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "SlowDown",
    "TemporaryRedirect",
    "InvalidPolicyDocument",
    // KMS, alone and as S3 and SNS report it
    "KMS.DisabledException",
    "KMS.InvalidStateException",
    "KMS.KMSInvalidStateException",
    "KMS.NotFoundException",
    "KMSAccessDenied",
    "KMSAccessDeniedException",
    "KMSDisabled",
    "KMSDisabledException",
    "KMSInvalidState",
    "KMSInvalidStateException",
    "KMSNotFound",
    "KMSNotFoundException",
    "KMSOptInRequired",
    "KMSThrottling",
    "KMSThrottlingException",
    "DisabledException",
    "InvalidKeyUsageException",
    "KeyUnavailableException",
    // SNS
    "AuthorizationError",
    "AuthorizationErrorException",
    "EndpointDisabled",
    "InvalidParameter",
    "InvalidSecurity",
    "NotFound",
    "NotFoundException",
    "Throttled",
    "ThrottledException",
    "TopicNotFound",
    // CloudWatch Logs
    "AccessDeniedException",
    "CloudWatchLogsDeliveryUnavailableException",
    "DataAlreadyAcceptedException",
    "InvalidCloudWatchLogsLogGroupArnException",
    "InvalidCloudWatchLogsRoleArnException",
    "InvalidParameterException",
    "LimitExceededException",
    "OperationAbortedException",
    "ResourceNotFoundException",
    "ServiceUnavailableException",
    "ThrottlingException",
    "UnrecognizedClientException",
];

/// The first listed code in AWS's text, else `other`.
pub(super) fn code(text: &str) -> &'static str {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    words
        .map(|word| word.trim_matches('.'))
        .find_map(listed)
        .unwrap_or(OTHER)
}

fn listed(word: &str) -> Option<&'static str> {
    CODES.iter().copied().find(|code| *code == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_alone_and_in_a_sentence() {
        for (text, is) in [
            ("NoSuchBucket", "NoSuchBucket"),
            ("AccessDenied: Access Denied", "AccessDenied"),
            ("Error: (NoSuchBucket) the bucket is gone.", "NoSuchBucket"),
            ("KMS.DisabledException", "KMS.DisabledException"),
            (
                "failed with ResourceNotFoundException.",
                "ResourceNotFoundException",
            ),
        ] {
            assert_eq!(code(text), is, "{text}");
        }
    }

    #[test]
    fn free_text_is_other() {
        for text in [
            "",
            "nosuchbucket",
            "NoSuchBucketAtAll",
            "} 1\nup 0",
            "\"",
            "日本",
        ] {
            assert_eq!(code(text), OTHER, "{text}");
        }
    }

    #[test]
    fn every_code_is_found_and_listed_once() {
        for (index, each) in CODES.iter().enumerate() {
            assert_eq!(code(each), *each);
            assert!(!CODES[..index].contains(each), "{each}");
        }
    }
}
