//! What the environment says of AWS. A process cannot safely change its own, so each test runs itself once more in the one it needs.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cloudtrail_exporter::aws::Aws;
use cloudtrail_exporter::aws::credentials::GivenCredentials;
use cloudtrail_exporter::aws::sdk::SdkAws;
use cloudtrail_exporter::config::{Access, AwsSettings, EndpointsByProfile};
use cloudtrail_exporter::facts::{Failure, Operation};

use crate::lines::{account, by_role, sts_refusal, usual};
use crate::stage::{Stage, in_tls};
use crate::{limits, metrics, region, settings};

/// Variables under which nothing of this machine is found.
pub(crate) fn nothing(home: &Path) -> Vec<(&'static str, String)> {
    let file = |name: &str| home.join(name).display().to_string();
    vec![
        ("PATH", String::new()),
        ("HOME", home.display().to_string()),
        ("AWS_CONFIG_FILE", file("config")),
        ("AWS_SHARED_CREDENTIALS_FILE", file("credentials")),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

/// Runs an ignored test of this module in an environment of its own.
fn run_in(environment: Vec<(&str, String)>, test: &str) {
    run_ignored(environment, &format!("environment::{test}"));
}

/// Runs an ignored test in an environment of its own.
pub(crate) fn run_ignored(environment: Vec<(&str, String)>, name: &str) {
    let run = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "--ignored", name])
        .env_clear()
        .envs(environment)
        .output()
        .expect("it runs");
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{output}");
    assert!(output.contains("1 passed"), "{output}");
}

/// An adapter that looks for its credentials.
async fn looking(settings: &AwsSettings) -> SdkAws {
    let found = GivenCredentials::default();
    let adapter = SdkAws::new(settings, metrics(), limits(), found).await;
    adapter.expect("a way to AWS")
}

#[test]
fn variables_that_make_the_sdk_panic_do_not_matter() {
    let home = tempfile::tempdir().expect("a directory");
    let mut environment = nothing(home.path());
    environment.extend([
        ("AWS_MAX_ATTEMPTS", "0".to_owned()),
        ("AWS_RETRY_MODE", "x".to_owned()),
        ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1".to_owned()),
        ("HTTP_PROXY", "http://127.0.0.1:1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "AKIAENV".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "made-up".to_owned()),
    ]);
    run_in(
        environment,
        "the_configured_endpoint_is_asked_with_the_environments_key",
    );
}

#[tokio::test]
#[ignore = "needs the environment that another test makes"]
async fn the_configured_endpoint_is_asked_with_the_environments_key() {
    let stage = Stage::new(usual).await;
    let aws = looking(&settings(&stage.url)).await;
    aws.identify(&aws.open(&by_role()))
        .await
        .expect("an identity");
    assert_eq!(stage.asked("AssumeRole").remove(0).key, "AKIAENV");
}

#[test]
fn no_credentials_anywhere_are_told_as_that() {
    let home = tempfile::tempdir().expect("a directory");
    run_in(nothing(home.path()), "without_credentials_nothing_is_asked");
}

#[tokio::test]
#[ignore = "needs the environment that another test makes"]
async fn without_credentials_nothing_is_asked() {
    let stage = Stage::new(usual).await;
    let aws = looking(&settings(&stage.url)).await;
    let error = aws.identify(&aws.open(&by_role())).await;
    let error = error.expect_err("no credentials");
    assert_eq!(
        (error.operation, error.failure),
        (Operation::AssumeRole, Failure::Credentials)
    );
    assert!(error.detail.starts_with("no credentials"), "{error}");
    let session = aws.open(&account(Access::Profile("audit".into())));
    let error = aws.identify(&session).await.expect_err("no profile");
    assert_eq!(error.operation, Operation::GetCallerIdentity);
    assert_eq!(error.failure, Failure::Credentials);
    assert!(error.detail.contains("in the profile \"audit\""), "{error}");
    assert_eq!(
        stage.count("AssumeRole") + stage.count("GetCallerIdentity"),
        0
    );
}

#[test]
fn a_profile_is_used_though_the_environment_has_a_key() {
    let home = tempfile::tempdir().expect("a directory");
    let profile = "[audit]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = made-up\n";
    std::fs::write(home.path().join("credentials"), profile).expect("written");
    let mut environment = nothing(home.path());
    environment.extend([
        ("AWS_ACCESS_KEY_ID", "AKIAENV".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "made-up".to_owned()),
    ]);
    run_in(environment, "the_profile_signs");
}

#[tokio::test]
#[ignore = "needs the environment that another test makes"]
async fn the_profile_signs() {
    let stage = Stage::new(usual).await;
    let aws = looking(&settings(&stage.url)).await;
    let session = aws.open(&account(Access::Profile("audit".into())));
    aws.identify(&session).await.expect("an identity");
    aws.describe_trails(&session, &region())
        .await
        .expect("trails");
    for operation in ["GetCallerIdentity", "DescribeTrails"] {
        assert_eq!(stage.asked(operation).remove(0).key, "AKIAPROFILE");
    }
}

#[test]
fn a_key_that_aws_no_longer_knows_is_looked_for_again() {
    let home = tempfile::tempdir().expect("a directory");
    let environment = nothing(home.path());
    run_in(environment, "a_rotated_key_is_taken_up");
}

/// Writes the key of the default profile and of `audit`.
fn write_key(key: &str) {
    let path = std::env::var("AWS_SHARED_CREDENTIALS_FILE").expect("set");
    let text = ["default", "audit"].map(|profile| {
        format!("[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = made-up\n")
    });
    std::fs::write(path, text.concat()).expect("written");
}

#[tokio::test]
#[ignore = "needs the environment that another test makes"]
async fn a_rotated_key_is_taken_up() {
    write_key("AKIAOLD");
    let stage = Stage::new(|asked| match asked.key.as_str() {
        "AKIAOLD" if asked.nth > 0 => sts_refusal(403, "InvalidClientTokenId", "deleted"),
        _ => usual(asked),
    })
    .await;
    let aws = looking(&settings(&stage.url)).await;
    let accounts = [by_role(), account(Access::Profile("audit".into()))];
    for account in &accounts {
        let identity = aws.identify(&aws.open(account)).await;
        identity.expect("the old key is good");
    }
    write_key("AKIANEW");
    for account in &accounts {
        let session = aws.open(account);
        let deadline = Instant::now() + Duration::from_mins(1);
        while let Err(error) = aws.identify(&session).await {
            assert_eq!(error.failure, Failure::Credentials);
            assert!(Instant::now() < deadline, "{error}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    for operation in ["AssumeRole", "GetCallerIdentity"] {
        let last = stage.asked(operation).pop().expect("asked");
        assert_eq!(last.key, "AKIANEW");
    }
}

#[test]
fn a_profiles_role_that_sts_refuses_is_told_as_sts_says_it() {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(home.path().join("token"), "a.web.token").expect("written");
    run_in(nothing(home.path()), "the_roles_of_profiles_are_refused");
}

#[tokio::test]
#[ignore = "needs the environment that another test makes"]
async fn the_roles_of_profiles_are_refused() {
    let stage = Stage::new(|asked| match asked.operation.as_str() {
        "AssumeRole" => sts_refusal(403, "AccessDenied", "not authorized"),
        _ => sts_refusal(400, "Throttling", "Rate exceeded"),
    })
    .await;
    let file = std::env::var("AWS_CONFIG_FILE").expect("set");
    let token = file.replace("config", "token");
    let (url, role) = (&stage.url, "role_arn = arn:aws:iam::012345678901:role/hub");
    let text = format!(
        "[default]\nsource_profile = base\n{role}\nendpoint_url = {url}\n\
         [profile chained]\nsource_profile = base\n{role}\nendpoint_url = {url}\n\
         [profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = made-up\n\
         [profile web]\nweb_identity_token_file = {token}\n{role}\nendpoint_url = {url}\n"
    );
    std::fs::write(file, text).expect("written");
    let home = AwsSettings {
        region: "us-east-1".parse().expect("a Region"),
        ..settings(&stage.url)
    };
    let aws = looking(&home).await;
    for (profile, failure, said) in [
        (
            "chained",
            Failure::AccessDenied,
            "AccessDenied: not authorized",
        ),
        ("web", Failure::Throttled, "Throttling: Rate exceeded"),
    ] {
        let session = aws.open(&account(Access::Profile(profile.into())));
        let error = aws.identify(&session).await.expect_err("refused");
        assert_eq!(error.failure, failure, "{error}");
        let detail = format!("no credentials in the profile \"{profile}\": {said} (status");
        assert!(error.detail.starts_with(&detail), "{error}");
    }
    assert_eq!(stage.count("GetCallerIdentity"), 0);
    let error = aws.identify(&aws.open(&by_role())).await;
    let error = error.expect_err("the exporter's own are refused");
    assert_eq!(error.failure, Failure::Credentials, "{error}");
    let detail = "no credentials: AccessDenied: not authorized";
    assert!(error.detail.starts_with(detail), "{error}");
    let asked = stage.asked("AssumeRole").into_iter();
    let regions: Vec<_> = asked.map(|asked| asked.region).collect();
    let expected = ["eu-west-1", "us-east-1"];
    assert_eq!(regions, expected, "the account's, and our own");
}

#[test]
fn a_ca_bundle_is_trusted() {
    let home = tempfile::tempdir().expect("a directory");
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    let file = |name: &str, text: String| {
        let path = home.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    };
    let mut environment = nothing(home.path());
    environment.extend([
        ("AWS_CA_BUNDLE", file("ca.pem", made.cert.pem())),
        (
            "TEST_KEY",
            file("key.pem", made.signing_key.serialize_pem()),
        ),
        ("AWS_ACCESS_KEY_ID", "AKIAENV".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "made-up".to_owned()),
    ]);
    run_in(environment, "a_server_of_the_bundle_is_believed");
}

#[tokio::test]
#[ignore = "needs the environment that another test makes"]
async fn a_server_of_the_bundle_is_believed() {
    let variable = |name: &str| std::env::var(name).expect("set");
    let stage = Stage::new(usual).await;
    let url = in_tls(&stage, &variable("AWS_CA_BUNDLE"), &variable("TEST_KEY")).await;
    let settings = AwsSettings {
        region: "eu-west-1".parse().expect("a Region"),
        endpoint_url: Some(url),
        use_fips: false,
        max_attempts: 1,
        by_profile: EndpointsByProfile::default(),
    };
    let aws = looking(&settings).await;
    aws.identify(&aws.open(&by_role()))
        .await
        .expect("an identity");
}
