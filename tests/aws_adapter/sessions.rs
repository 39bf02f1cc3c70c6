//! Sessions: how they are opened, shared, renewed, and whose they are.

use std::time::{Duration, Instant, SystemTime};

use cloudtrail_exporter::aws::Aws;
use cloudtrail_exporter::config::Access;
use cloudtrail_exporter::facts::{EventSelectors, Failure, Operation};

use crate::lines::{ID, account, by_role, refusal, session, sts_refusal, usual};
use crate::stage::{Reply, Stage};
use crate::{adapter, adapter_with, limits, metrics, region, trail, value};

const OTHER: &str = "210987654321";

#[tokio::test]
async fn a_poll_of_a_role_account_takes_one_session_and_three_questions() {
    let stage = Stage::new(usual).await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    for _ in 0..2 {
        let identity = aws.identify(&session).await.expect("an identity");
        assert_eq!(identity.to_string(), ID);
        let list = aws.describe_trails(&session, &region()).await;
        let list = list.expect("trails");
        assert_eq!((list.trails.len(), list.malformed), (1, 0));
        let status = aws.trail_status(&session, &region(), &trail()).await;
        assert!(status.expect("a status").logging);
        let selectors = aws.event_selectors(&session, &region(), &trail()).await;
        assert!(matches!(selectors, Ok(EventSelectors::Basic(one)) if one.len() == 1));
    }
    let asked = [
        "AssumeRole",
        "DescribeTrails",
        "GetTrailStatus",
        "GetEventSelectors",
    ];
    assert_eq!(asked.map(|name| stage.count(name)), [1, 2, 2, 2]);
    assert_eq!(stage.count("GetCallerIdentity"), 0);
}

#[tokio::test]
async fn a_session_is_named_narrowed_and_asked_for_with_the_external_id() {
    let stage = Stage::new(usual).await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    aws.describe_trails(&session, &region())
        .await
        .expect("trails");
    let asked = stage.asked("AssumeRole").remove(0);
    assert_eq!(
        (asked.key.as_str(), asked.region.as_str()),
        ("AKIAOWN", "eu-west-1")
    );
    for part in [
        "RoleSessionName=cloudtrail-exporter&",
        "ExternalId=the-external-id",
        "DurationSeconds=3600",
        "cloudtrail%3ADescribeTrails%22%2C%22cloudtrail%3AGetEventSelectors%22%2C%22cloudtrail%3AGetTrailStatus%22%5D",
    ] {
        assert!(asked.body.contains(part), "{part} in {}", asked.body);
    }
    assert_eq!(stage.asked("DescribeTrails").remove(0).key, "ASIA0");
}

#[tokio::test]
async fn cloudtrail_is_told_who_asks_since_it_writes_that_down() {
    let stage = Stage::new(usual).await;
    let aws = adapter(&stage.url).await;
    for session in [by_role(), account(Access::Ambient)] {
        let session = aws.open(&session);
        aws.identify(&session).await.expect("an identity");
        let list = aws.describe_trails(&session, &region()).await;
        list.expect("trails");
    }
    for operation in ["AssumeRole", "GetCallerIdentity", "DescribeTrails"] {
        let asked = stage.asked(operation).remove(0);
        let [name] = asked.user_agent.as_slice() else {
            panic!("{operation}: {:?}", asked.user_agent);
        };
        let ours = concat!("cloudtrail-exporter/", env!("CARGO_PKG_VERSION"), " ");
        assert!(name.starts_with(ours), "{operation}: {name}");
    }
}

#[tokio::test]
async fn many_who_ask_at_once_share_one_session() {
    let stage = Stage::new(usual).await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    let all = futures_util::future::join_all((0..20).map(|_| aws.identify(&session))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(stage.count("AssumeRole"), 1);
}

#[tokio::test]
async fn a_session_that_is_over_is_renewed() {
    let stage = Stage::new(|asked| match (asked.operation.as_str(), asked.nth) {
        ("AssumeRole", 0) => session(asked, ID, -10),
        _ => usual(asked),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    for _ in 0..3 {
        aws.identify(&session).await.expect("an identity");
    }
    assert_eq!(stage.count("AssumeRole"), 2);
}

/// An answer as given by an AWS whose clock is so many seconds ahead of this machine's.
fn ahead(seconds: i64, reply: Reply) -> Reply {
    let Reply::Say(status, kind, text) = reply else {
        return reply;
    };
    let offset = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    let date = if seconds < 0 {
        now - offset
    } else {
        now + offset
    };
    let date = aws_smithy_types::DateTime::from(date);
    let date = date.fmt(aws_smithy_types::date_time::Format::HttpDate);
    Reply::SayAt(status, kind, text, date.expect("a date"))
}

#[tokio::test]
async fn a_session_is_used_until_its_end_though_our_clock_is_an_hour_fast() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        // A quarter of an hour by AWS's clock.
        "AssumeRole" => ahead(-3_600, session(asked, ID, 900 - 3_600)),
        _ => ahead(-3_600, usual(asked)),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    for _ in 0..3 {
        aws.identify(&session).await.expect("an identity");
    }
    assert_eq!(stage.count("AssumeRole"), 1);
}

#[tokio::test]
async fn a_session_that_is_over_is_renewed_though_our_clock_is_half_an_hour_behind() {
    let stage = Stage::new(|asked| match (asked.operation.as_str(), asked.nth) {
        ("AssumeRole", 0) => ahead(1_800, session(asked, ID, 1_800 - 10)),
        _ => ahead(1_800, session(asked, ID, 1_800 + 3_600)),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    for _ in 0..3 {
        aws.identify(&session).await.expect("an identity");
    }
    assert_eq!(stage.count("AssumeRole"), 2);
}

#[tokio::test]
async fn a_session_near_its_end_is_renewed_before_a_poll_and_a_refusal_does_not_end_it() {
    let stage = Stage::new(|asked| match (asked.operation.as_str(), asked.nth) {
        ("AssumeRole", 0) => session(asked, ID, 8),
        ("AssumeRole", _) => sts_refusal(403, "AccessDenied", "no more"),
        _ => usual(asked),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    let deadline = Instant::now() + Duration::from_secs(20);
    while stage.count("AssumeRole") < 2 {
        aws.identify(&session).await.expect("an identity");
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let list = aws.describe_trails(&session, &region()).await;
    assert!(list.is_ok(), "the session is good to its end: {list:?}");
    aws.identify(&session).await.expect("an identity");
    assert_eq!(stage.count("AssumeRole"), 2, "no renewal after each call");
}

#[tokio::test]
async fn an_expired_token_is_renewed_and_the_call_repeated_once() {
    let stage = Stage::new(
        |asked| match (asked.operation.as_str(), asked.key.as_str()) {
            ("DescribeTrails", "ASIA0") => refusal(400, "ExpiredTokenException", "over"),
            _ => usual(asked),
        },
    )
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    let list = aws.describe_trails(&session, &region()).await;
    assert_eq!(list.expect("trails").trails.len(), 1);
    assert_eq!(
        (stage.count("AssumeRole"), stage.count("DescribeTrails")),
        (2, 2)
    );
}

#[tokio::test]
async fn a_token_that_stays_expired_is_a_matter_of_credentials() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        "DescribeTrails" => refusal(400, "ExpiredTokenException", "over"),
        _ => usual(asked),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    let error = aws.describe_trails(&session, &region()).await;
    let error = error.expect_err("expired");
    assert_eq!(
        (error.operation, error.failure),
        (Operation::DescribeTrails, Failure::Credentials)
    );
    assert_eq!(
        (stage.count("AssumeRole"), stage.count("DescribeTrails")),
        (2, 2)
    );
}

#[tokio::test]
async fn a_token_that_stays_expired_is_renewed_once_in_a_poll_however_many_regions_are_asked() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        "DescribeTrails" => refusal(400, "ExpiredTokenException", "over"),
        _ => usual(asked),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    let regions = ["eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1"];
    for poll in 1..=3 {
        aws.identify(&session).await.expect("an identity");
        for region in regions {
            let region = region.parse().expect("a Region");
            let error = aws.describe_trails(&session, &region).await;
            let error = error.expect_err("expired");
            assert_eq!(error.failure, Failure::Credentials);
        }
        assert_eq!(
            stage.count("AssumeRole"),
            1 + poll,
            "one renewal for each poll"
        );
    }
    assert_eq!(stage.count("DescribeTrails"), 3 * (regions.len() + 1));
}

#[tokio::test]
async fn a_renewal_that_opens_another_account_tells_nothing_of_it() {
    let stage = Stage::new(|asked| match (asked.operation.as_str(), asked.nth) {
        ("AssumeRole", 1) => session(asked, OTHER, 3_600),
        ("DescribeTrails", 0) => refusal(400, "ExpiredTokenException", "over"),
        _ => usual(asked),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    let error = aws.describe_trails(&session, &region()).await;
    assert_eq!(
        error.expect_err("another account").failure,
        Failure::Credentials
    );
    assert_eq!(
        stage.count("DescribeTrails"),
        1,
        "the other account is not asked"
    );
    let identity = aws.identify(&session).await.expect("an identity");
    assert_eq!(identity.to_string(), OTHER, "the next poll is told");
}

#[tokio::test]
async fn a_session_that_was_not_identified_asks_nothing() {
    let stage = Stage::new(usual).await;
    let aws = adapter(&stage.url).await;
    let error = aws.describe_trails(&aws.open(&by_role()), &region()).await;
    assert_eq!(
        error.expect_err("no identity").failure,
        Failure::Credentials
    );
    assert_eq!(stage.count("DescribeTrails"), 0);
}

#[tokio::test]
async fn a_refused_role_is_access_denied_to_assume_role() {
    let message = "User: arn:aws:iam::1:user/x is not authorized to perform: sts:AssumeRole";
    let stage = Stage::new(move |_| sts_refusal(403, "AccessDenied", message)).await;
    let aws = adapter(&stage.url).await;
    let error = aws
        .identify(&aws.open(&by_role()))
        .await
        .expect_err("refused");
    assert_eq!(
        (error.operation, error.failure),
        (Operation::AssumeRole, Failure::AccessDenied)
    );
    let detail = format!("AccessDenied: {message} (status 403, request request-1)");
    assert_eq!(error.detail, detail);
    assert!(!error.ambiguous_credentials);
}

#[tokio::test]
async fn an_external_id_that_sts_quotes_is_not_told() {
    let quoted = "Value 'the-external-id' at 'externalId' failed to satisfy constraint";
    let stage = Stage::new(move |_| sts_refusal(400, "ValidationError", quoted)).await;
    let aws = adapter(&stage.url).await;
    let error = aws
        .identify(&aws.open(&by_role()))
        .await
        .expect_err("refused");
    assert!(!error.to_string().contains("the-external-id"), "{error}");
    assert!(error.detail.contains("Value '[redacted]' at"), "{error}");
}

#[tokio::test]
async fn a_duration_that_is_refused_is_shortened() {
    let stage = Stage::new(|asked| {
        if asked.body.contains("DurationSeconds=3600") {
            return sts_refusal(
                400,
                "ValidationError",
                "DurationSeconds exceeds the maximum",
            );
        }
        usual(asked)
    })
    .await;
    let aws = adapter(&stage.url).await;
    assert!(aws.identify(&aws.open(&by_role())).await.is_ok());
    assert!(
        stage.asked("AssumeRole")[1]
            .body
            .contains("DurationSeconds=900")
    );
}

#[tokio::test]
async fn the_own_account_is_asked_for_its_identity_once() {
    let stage = Stage::new(usual).await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&account(Access::Ambient));
    for _ in 0..3 {
        let identity = aws.identify(&session).await.expect("an identity");
        assert_eq!(identity.to_string(), ID);
        aws.describe_trails(&session, &region())
            .await
            .expect("trails");
    }
    assert_eq!(
        (stage.count("GetCallerIdentity"), stage.count("AssumeRole")),
        (1, 0)
    );
    assert_eq!(stage.asked("DescribeTrails").remove(0).key, "AKIAOWN");
}

#[tokio::test]
async fn credentials_that_sts_does_not_know_are_bad_credentials() {
    let stage = Stage::new(|_| sts_refusal(403, "InvalidClientTokenId", "who?")).await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&account(Access::Ambient));
    let error = aws.identify(&session).await.expect_err("refused");
    assert_eq!(error.operation, Operation::GetCallerIdentity);
    assert_eq!(
        (error.failure, error.ambiguous_credentials),
        (Failure::Credentials, false)
    );
}

#[tokio::test]
async fn a_session_that_aws_knows_nowhere_is_replaced_with_the_next_poll() {
    // As it is with the sessions of a role that was deleted and made again.
    let stage = Stage::new(
        |asked| match (asked.operation.as_str(), asked.key.as_str()) {
            ("DescribeTrails", "ASIA0") => {
                refusal(400, "UnrecognizedClientException", "invalid token")
            }
            _ => usual(asked),
        },
    )
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    let refused = aws.describe_trails(&session, &region()).await;
    assert!(refused.expect_err("refused").ambiguous_credentials);
    aws.identify(&session).await.expect("an identity");
    let list = aws.describe_trails(&session, &region()).await;
    assert_eq!(list.expect("trails").trails.len(), 1);
    aws.identify(&session).await.expect("an identity");
    assert_eq!(stage.count("AssumeRole"), 2, "one more, and once");
}

#[tokio::test]
async fn credentials_that_stay_as_they_are_found_are_asked_once_whose_they_are() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        "DescribeTrails" => refusal(400, "UnrecognizedClientException", "invalid token"),
        _ => usual(asked),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&account(Access::Ambient));
    for _ in 0..3 {
        aws.identify(&session).await.expect("an identity");
        let refused = aws.describe_trails(&session, &region()).await;
        assert!(refused.is_err());
    }
    assert_eq!(stage.count("GetCallerIdentity"), 1);
}

#[tokio::test]
async fn an_identity_that_is_not_the_expected_one_is_asked_for_again_with_the_next_poll() {
    for (access, operation) in [
        (by_role().access.clone(), "AssumeRole"),
        (Access::Ambient, "GetCallerIdentity"),
    ] {
        let stage = Stage::new(usual).await;
        let aws = adapter(&stage.url).await;
        let session = aws.open(&account(access));
        for _ in 0..2 {
            aws.identify(&session).await.expect("an identity");
            aws.distrust(&session).await;
            aws.describe_trails(&session, &region())
                .await
                .expect("trails");
        }
        aws.identify(&session).await.expect("an identity");
        aws.identify(&session).await.expect("an identity");
        assert_eq!(stage.count(operation), 3, "{operation}");
    }
}

#[tokio::test]
async fn a_disabled_region_costs_no_session_where_another_takes_it() {
    for denied in [false, true] {
        let stage =
            Stage::new(
                move |asked| match (asked.operation.as_str(), asked.region.as_str()) {
                    ("DescribeTrails", "eu-south-1") => {
                        refusal(400, "UnrecognizedClientException", "invalid token")
                    }
                    ("DescribeTrails", _) if denied => refusal(400, "AccessDeniedException", "no"),
                    _ => usual(asked),
                },
            )
            .await;
        let aws = adapter(&stage.url).await;
        let session = aws.open(&by_role());
        let disabled = "eu-south-1".parse().expect("a Region");
        for _ in 0..3 {
            aws.identify(&session).await.expect("an identity");
            let here = aws.describe_trails(&session, &region()).await;
            assert_eq!(here.is_err(), denied);
            let there = aws.describe_trails(&session, &disabled).await;
            assert!(there.is_err());
        }
        assert_eq!(stage.count("AssumeRole"), 1, "denied: {denied}");
    }
}

#[tokio::test]
async fn an_expired_base_is_not_asked_for_sessions_again_and_again() {
    let stage = Stage::new(|_| sts_refusal(400, "ExpiredToken", "over")).await;
    let aws = adapter(&stage.url).await;
    let error = aws
        .identify(&aws.open(&by_role()))
        .await
        .expect_err("refused");
    assert_eq!(
        (error.operation, error.failure),
        (Operation::AssumeRole, Failure::Credentials)
    );
    assert_eq!(
        stage.count("AssumeRole"),
        1,
        "the base credentials are still the same"
    );
}

#[tokio::test]
async fn calls_in_one_account_and_region_keep_their_pace_with_retries() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        "DescribeTrails" => refusal(400, "ThrottlingException", "Rate exceeded"),
        _ => usual(asked),
    })
    .await;
    let mut limits = limits();
    limits.calls_per_second = std::num::NonZeroU32::MIN;
    let aws = adapter_with(&stage.url, limits, metrics()).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    let start = Instant::now();
    let error = aws.describe_trails(&session, &region()).await;
    assert_eq!(error.expect_err("throttled").failure, Failure::Throttled);
    assert_eq!(stage.count("DescribeTrails"), 3);
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(1_900), "three in {took:?}");
}

#[tokio::test]
async fn attempts_retries_failures_and_the_clock_are_counted() {
    let stage = Stage::new(|asked| match (asked.operation.as_str(), asked.nth) {
        ("DescribeTrails", 0) => refusal(400, "ThrottlingException", "Rate exceeded"),
        _ => usual(asked),
    })
    .await;
    let metrics = metrics();
    let aws = adapter_with(&stage.url, limits(), metrics.clone()).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    aws.describe_trails(&session, &region())
        .await
        .expect("trails");
    let call = [
        ("aws_service", "cloudtrail"),
        ("operation", "DescribeTrails"),
    ];
    let count = |family: &str| value(&metrics, family, &call);
    assert!((count("cloudtrail_exporter_aws_requests_total") - 2.0).abs() < f64::EPSILON);
    assert!((count("cloudtrail_exporter_aws_request_retries_total") - 1.0).abs() < f64::EPSILON);
    let failed = [call[0], call[1], ("reason", "throttled")];
    let failed = value(
        &metrics,
        "cloudtrail_exporter_aws_request_failures_total",
        &failed,
    );
    assert!((failed - 1.0).abs() < f64::EPSILON);
    let sts = [("aws_service", "sts"), ("operation", "AssumeRole")];
    let sts = value(&metrics, "cloudtrail_exporter_aws_requests_total", &sts);
    assert!((sts - 1.0).abs() < f64::EPSILON);
    let skew = value(&metrics, "cloudtrail_exporter_clock_skew_seconds", &[]);
    assert!(skew.abs() < 3.0, "{skew}");
}
