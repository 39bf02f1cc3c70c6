//! Faults on the wire: each becomes its own failure, within its deadline, and none an answer.

use std::time::{Duration, Instant};

use cloudtrail_exporter::aws::{Aws, CallError, TrailList};
use cloudtrail_exporter::config::Access;
use cloudtrail_exporter::facts::{Failure, Operation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::lines::{account, by_role, json, refusal, usual};
use crate::stage::{Reply, Stage, in_tls};
use crate::{adapter, adapter_with, hasty, limits, metrics, region, trail, value};

/// Describes trails where `DescribeTrails` is answered like this; tells how often it was asked.
async fn described(
    reply: impl Fn() -> Reply + Send + Sync + 'static,
) -> (Result<TrailList, CallError>, usize) {
    let stage = Stage::new(move |asked| match asked.operation.as_str() {
        "DescribeTrails" => reply(),
        _ => usual(asked),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    let list = aws.describe_trails(&session, &region()).await;
    (list, stage.count("DescribeTrails"))
}

async fn fails(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Failure, usize) {
    let (list, asked) = described(reply).await;
    let error = list.expect_err("a failure");
    assert_eq!(error.operation, Operation::DescribeTrails);
    (error.failure, asked)
}

fn html(status: u16) -> Reply {
    let page = "<html><body>Forbidden by the company's proxy</body></html>";
    Reply::Say(status, "text/html", page.to_owned())
}

#[tokio::test]
async fn a_throttled_call_is_attempted_three_times() {
    let throttled = || refusal(400, "ThrottlingException", "Rate exceeded");
    assert_eq!(fails(throttled).await, (Failure::Throttled, 3));
}

#[tokio::test]
async fn a_server_error_is_attempted_three_times_whatever_its_body() {
    assert_eq!(fails(|| html(503)).await, (Failure::ServerError, 3));
}

#[tokio::test]
async fn a_refusal_is_final() {
    let refused = || refusal(400, "AccessDeniedException", "explicit deny");
    assert_eq!(fails(refused).await, (Failure::AccessDenied, 1));
}

#[tokio::test]
async fn a_proxys_page_is_no_refusal_of_aws() {
    assert_eq!(fails(|| html(403)).await, (Failure::Other, 1));
    assert_eq!(fails(|| html(200)).await, (Failure::Malformed, 1));
}

#[tokio::test]
async fn a_success_without_its_field_is_malformed() {
    assert_eq!(fails(|| json("{}")).await, (Failure::Malformed, 1));
    let null = || json(r#"{"trailList":null}"#);
    assert_eq!(fails(null).await, (Failure::Malformed, 1));
}

#[tokio::test]
async fn null_in_the_list_is_no_shorter_list() {
    let null = || json(r#"{"trailList":[null]}"#);
    assert_eq!(fails(null).await, (Failure::Malformed, 1));
}

#[tokio::test]
async fn json_that_ends_early_is_malformed() {
    let half = || json(r#"{"trailList":[{"Name":"main","#);
    assert_eq!(fails(half).await, (Failure::Malformed, 1));
}

#[tokio::test]
async fn a_success_other_than_200_is_malformed_whatever_its_body() {
    let whole = r#"{"trailList":[]}"#;
    for status in [201, 202, 203, 206] {
        let other = move || Reply::Say(status, "application/x-amz-json-1.1", whole.to_owned());
        let (list, asked) = described(other).await;
        let error = list.expect_err("no answer");
        assert_eq!((error.failure, asked), (Failure::Malformed, 1));
        let detail = format!("the reply has status {status} instead of 200");
        assert_eq!(error.detail, detail);
    }
    let empty = || Reply::Say(204, "application/x-amz-json-1.1", String::new());
    assert_eq!(fails(empty).await, (Failure::Malformed, 1));
}

#[tokio::test]
async fn a_key_that_is_written_twice_is_malformed() {
    for body in [
        r#"{"trailList":[{"Name":"main"}],"trailList":[]}"#,
        r#"{"trailList":[],"\u0074railList":[]}"#,
        r#"{"trailList":[],"x":{"y":[{"z":1,"z":2}]}}"#,
    ] {
        let (list, asked) = described(move || json(body)).await;
        let error = list.expect_err("no answer");
        assert_eq!((error.failure, asked), (Failure::Malformed, 1), "{body}");
        assert_eq!(error.detail, "the reply body holds a key twice");
    }
}

#[tokio::test]
async fn whether_a_trail_logs_is_not_chosen_from_two_words() {
    for body in [
        r#"{"IsLogging":false,"IsLogging":true}"#,
        r#"{"IsLogging":false,"\u0049sLogging":true}"#,
        r#"{"IsLogging":true}{"IsLogging":false}"#,
        "\u{feff}{\"IsLogging\":true}",
        "{\"IsLogging\":true}\0",
    ] {
        let stage = Stage::new(move |asked| match asked.operation.as_str() {
            "GetTrailStatus" => json(body),
            _ => usual(asked),
        });
        let stage = stage.await;
        let aws = adapter(&stage.url).await;
        let session = aws.open(&by_role());
        aws.identify(&session).await.expect("an identity");
        let status = aws.trail_status(&session, &region(), &trail()).await;
        assert_eq!(status.expect_err("no answer").failure, Failure::Malformed);
        assert_eq!(stage.count("GetTrailStatus"), 1);
    }
}

#[tokio::test]
async fn json_in_another_guise_is_malformed() {
    let gzip = || Reply::SayWith(200, ("content-encoding", "gzip".to_owned()));
    assert_eq!(fails(gzip).await, (Failure::Malformed, 1));
    let latin = || {
        let kind = "application/x-amz-json-1.1; charset=iso-8859-1";
        Reply::Say(200, kind, r#"{"trailList":[{"Name":"prüf"}]}"#.to_owned())
    };
    assert_eq!(fails(latin).await, (Failure::Malformed, 1));
}

#[tokio::test]
async fn an_emulator_may_call_its_json_html() {
    let named = || Reply::Say(200, "text/html", r#"{"trailList":[]}"#.to_owned());
    let (list, _) = described(named).await;
    assert_eq!(list, Ok(TrailList::default()));
}

#[tokio::test]
async fn a_trail_of_another_partition_is_malformed() {
    let arn = "arn:aws-us-gov:cloudtrail:us-gov-west-1:012345678901:trail/main";
    let entry = format!(r#"{{"TrailARN":"{arn}","IsMultiRegionTrail":true}}"#);
    let (list, _) = described(move || json(&format!(r#"{{"trailList":[{entry}]}}"#))).await;
    let list = list.expect("a list");
    assert_eq!((list.trails.len(), list.malformed), (0, 1));
}

/// Identifies a session where `AssumeRole` is answered like this.
async fn identified(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Result<(), Failure> {
    let stage = Stage::new(move |asked| match usual(asked) {
        Reply::Say(_, _, body) => reply(&body),
        other => other,
    });
    let stage = stage.await;
    let aws = adapter(&stage.url).await;
    let found = aws.identify(&aws.open(&by_role())).await;
    assert_eq!(stage.count("AssumeRole"), 1);
    found.map(|_| ()).map_err(|error| error.failure)
}

#[tokio::test]
async fn a_session_is_opened_by_one_whole_document_alone() {
    let xml = |status: u16, body: String| Reply::Say(status, "text/xml", body);
    let malformed = Err(Failure::Malformed);
    assert_eq!(
        identified(move |body| xml(200, body.to_owned())).await,
        Ok(())
    );
    assert_eq!(
        identified(move |body| xml(201, body.to_owned())).await,
        malformed
    );
    let twice = move |body: &str| {
        let other = "<AccessKeyId>ASIAOTHER</AccessKeyId><SecretAccessKey>";
        xml(200, body.replace("<SecretAccessKey>", other))
    };
    assert_eq!(identified(twice).await, malformed);
    let root = move |body: &str| {
        xml(
            200,
            body.replace("AssumeRoleResponse", "GetCallerIdentityResponse"),
        )
    };
    assert_eq!(identified(root).await, malformed);
    let after = move |body: &str| xml(200, format!("{body}<!-- --><x/>"));
    assert_eq!(identified(after).await, malformed);
    let partition = move |body: &str| xml(200, body.replace("arn:aws:sts", "arn:aws-cn:sts"));
    assert_eq!(identified(partition).await, malformed);
}

#[tokio::test]
async fn a_body_that_is_cut_short_is_attempted_again_and_malformed() {
    let cut = || Reply::CutShort(r#"{"trailList":[]}"#);
    assert_eq!(fails(cut).await, (Failure::Malformed, 3));
}

#[tokio::test]
async fn a_body_without_end_is_left_at_the_limit() {
    let start = Instant::now();
    let (list, asked) = described(|| Reply::Endless).await;
    let error = list.expect_err("too large");
    assert_eq!((error.failure, asked), (Failure::Malformed, 1));
    assert_eq!(error.detail, "the reply body is over 4194304 bytes");
    assert!(start.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn a_list_of_a_million_empty_objects_is_not_made_into_as_many_trails() {
    let list = format!(r#"{{"trailList":[{}{{}}]}}"#, "{},".repeat(1_000_000));
    let (list, asked) = described(move || json(&list)).await;
    let error = list.expect_err("too many");
    assert_eq!((error.failure, asked), (Failure::Malformed, 1));
    assert_eq!(error.detail, "the reply body holds over 16384 objects");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Stage::new(usual).await;
    let location = target.url.clone();
    let redirect = move || Reply::SayWith(307, ("location", location.clone()));
    assert_eq!(fails(redirect).await, (Failure::Malformed, 1));
    assert_eq!(target.count("DescribeTrails"), 0);
}

#[tokio::test]
async fn a_connection_that_ends_without_an_answer_is_the_network() {
    assert_eq!(fails(|| Reply::HangUp).await, (Failure::Network, 3));
}

#[tokio::test]
async fn an_unknown_token_may_be_a_disabled_region() {
    let unknown = || refusal(400, "UnrecognizedClientException", "invalid token");
    let (list, asked) = described(unknown).await;
    let error = list.expect_err("unknown");
    assert_eq!((error.failure, asked), (Failure::RegionDisabled, 1));
    assert!(error.ambiguous_credentials);
    let (list, _) = described(|| refusal(403, "OptInRequired", "opt in")).await;
    let error = list.expect_err("disabled");
    assert_eq!(error.failure, Failure::RegionDisabled);
    assert!(!error.ambiguous_credentials);
}

#[tokio::test]
async fn a_wrong_clock_is_named_and_not_worked_around() {
    let expired = "Signature expired: 20261122T100000Z is now earlier than 20261122T103000Z";
    let stage = Stage::new(move |asked| match asked.operation.as_str() {
        "DescribeTrails" => refusal(403, "InvalidSignatureException", expired),
        _ => usual(asked),
    });
    let stage = stage.await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    let error = aws.describe_trails(&session, &region()).await;
    assert_eq!(error.expect_err("skewed").failure, Failure::ClockSkew);
    assert_eq!(stage.count("DescribeTrails"), 1);
}

#[tokio::test]
async fn the_clock_of_aws_is_told() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        "DescribeTrails" => {
            Reply::SayWith(400, ("date", "Sat, 01 Jan 2000 00:00:00 GMT".to_owned()))
        }
        _ => usual(asked),
    })
    .await;
    let metrics = metrics();
    let aws = adapter_with(&stage.url, limits(), metrics.clone()).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    assert!(aws.describe_trails(&session, &region()).await.is_err());
    let skew = value(&metrics, "cloudtrail_exporter_clock_skew_seconds", &[]);
    assert!(skew < -8e8, "{skew}");
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        "AssumeRole" => usual(asked),
        _ => Reply::Silence,
    })
    .await;
    let aws = adapter_with(&stage.url, hasty(), metrics()).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    let start = Instant::now();
    let error = aws.trail_status(&session, &region(), &trail()).await;
    let error = error.expect_err("late");
    assert_eq!(
        (error.operation, error.failure),
        (Operation::GetTrailStatus, Failure::Timeout)
    );
    assert!(start.elapsed() < Duration::from_secs(6));
}

#[tokio::test]
async fn a_refused_connection_is_the_network() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let aws = adapter(&format!("http://{address}")).await;
    let error = aws.identify(&aws.open(&by_role())).await;
    let error = error.expect_err("refused");
    assert_eq!(
        (error.operation, error.failure),
        (Operation::AssumeRole, Failure::Network)
    );
    assert!(error.detail.contains("refused"), "{error}");
}

#[tokio::test]
async fn garbage_in_place_of_tls_is_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _sent = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            let _rest = socket.read_to_end(&mut Vec::new()).await;
        }
    });
    let aws = adapter(&format!("https://{address}")).await;
    let error = aws.identify(&aws.open(&account(Access::Ambient))).await;
    assert_eq!(error.expect_err("no TLS").failure, Failure::Tls);
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_tls() {
    let home = tempfile::tempdir().expect("a directory");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    let file = |name: &str, text: String| {
        let path = home.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let certificate = file("ca.pem", made.cert.pem());
    let key = file("key.pem", made.signing_key.serialize_pem());
    let stage = Stage::new(usual).await;
    let aws = adapter(&in_tls(&stage, &certificate, &key).await).await;
    let error = aws.identify(&aws.open(&by_role())).await;
    let error = error.expect_err("not trusted");
    assert_eq!(error.failure, Failure::Tls);
    assert!(error.detail.contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_malformed_answer_counts_as_a_failed_attempt() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        "DescribeTrails" => json("{}"),
        _ => usual(asked),
    })
    .await;
    let metrics = metrics();
    let aws = adapter_with(&stage.url, limits(), metrics.clone()).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    assert!(aws.describe_trails(&session, &region()).await.is_err());
    let failures = "cloudtrail_exporter_aws_request_failures_total";
    let labels = [("operation", "DescribeTrails"), ("reason", "malformed")];
    assert!((value(&metrics, failures, &labels) - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn an_account_in_trouble_takes_no_retries_of_another() {
    let stage = Stage::new(
        |asked| match (asked.operation.as_str(), asked.key.as_str()) {
            ("DescribeTrails", "ASIA0") => refusal(500, "InternalFailure", "down"),
            ("GetTrailStatus", _) if asked.nth == 0 => refusal(500, "InternalFailure", "blip"),
            _ => usual(asked),
        },
    )
    .await;
    let aws = adapter(&stage.url).await;
    let (down, well) = (aws.open(&by_role()), aws.open(&by_role()));
    aws.identify(&down).await.expect("an identity");
    aws.identify(&well).await.expect("an identity");
    for _ in 0..6 {
        assert!(aws.describe_trails(&down, &region()).await.is_err());
    }
    let status = aws.trail_status(&well, &region(), &trail()).await;
    assert!(status.is_ok(), "{status:?}");
    assert_eq!(stage.count("GetTrailStatus"), 2);
}

#[tokio::test]
async fn an_account_in_trouble_runs_out_of_retries() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        "AssumeRole" => usual(asked),
        _ => refusal(500, "InternalFailure", "down"),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let session = aws.open(&by_role());
    aws.identify(&session).await.expect("an identity");
    for _ in 0..8 {
        let error = aws.describe_trails(&session, &region()).await;
        assert_eq!(error.expect_err("down").failure, Failure::ServerError);
    }
    let asked = stage.count("DescribeTrails");
    assert_eq!(asked, 8 + 3, "one retry for each call of a usual poll");
}
