//! No text of AWS carries a secret of ours on: whatever an answer quotes is redacted of it.

use cloudtrail_exporter::aws::Aws;
use cloudtrail_exporter::config::{Access, Secret};
use cloudtrail_exporter::facts::Failure;

use crate::lines::{account, by_role, refusal, sts_refusal, usual};
use crate::stage::Stage;
use crate::{adapter, region};

#[tokio::test]
async fn sts_may_quote_the_external_id_and_the_key_that_signed() {
    let stage = Stage::new(|_| {
        let message = "the-external-id of made-up is 'the-external-id', form the%2Dexternal-id";
        sts_refusal(403, "AccessDenied", message)
    })
    .await;
    let aws = adapter(&stage.url).await;
    let error = aws
        .identify(&aws.open(&by_role()))
        .await
        .expect_err("refused");
    assert_eq!(error.failure, Failure::AccessDenied);
    let said = "[redacted] of [redacted] is '[redacted]', form";
    assert!(error.detail.contains(said), "{error}");
}

#[tokio::test]
async fn cloudtrail_may_quote_the_session_and_any_other_secret_that_is_held() {
    let other = Secret::new("password-of-the-web-file");
    let long = "x".repeat(380);
    let message = format!("token0 secret password-of-the-web-file {long} password-of-the-web-file");
    let stage = Stage::new(move |asked| match asked.operation.as_str() {
        "DescribeTrails" => refusal(400, "AccessDeniedException", &message),
        _ => usual(asked),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    let error = aws
        .describe_trails(&session, &region())
        .await
        .expect_err("refused");
    let said = "AccessDeniedException: [redacted] [redacted] [redacted] xxx";
    assert!(error.detail.starts_with(said), "{error}");
    assert!(
        !error.detail.contains("passw"),
        "the text is cut after it is redacted: {error}"
    );
    drop(other);
}

#[tokio::test]
async fn whose_credentials_are_used_as_they_are_found_is_told_without_them() {
    let stage = Stage::new(|_| sts_refusal(403, "AccessDenied", "made-up is no good")).await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&account(Access::Ambient));
    let error = aws.identify(&session).await.expect_err("refused");
    assert!(error.detail.contains("[redacted] is no good"), "{error}");
}
