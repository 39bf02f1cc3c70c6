//! What is said of credentials that cannot be found or used: by name, file and line, in one line, and
//! never with a secret in it.

use std::path::Path;
use std::process::Command;

use crate::environment::{nothing, run_ignored};

const PROFILE: &str = "accounts: [{ name: p, profile: audit }]";
const OWN: &str = "accounts: [{ id: '111111111111' }]";
const KEYS: &str = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = any\n";

/// The errors of every account, each of which must have one, under these variables.
fn errors(home: &Path, config: &str, variables: &[(&'static str, &str)]) -> String {
    let (file, written) = (home.join("config.yaml"), home.join("errors"));
    let aws = "aws: { endpoint_url: 'http://127.0.0.1:9', max_attempts: 1 }\n";
    std::fs::write(&file, format!("{aws}{config}")).expect("written");
    let mut environment = nothing(home);
    environment.extend([
        ("PATH", "/usr/bin:/bin".to_owned()),
        ("TEST_CONFIG", file.display().to_string()),
        ("TEST_ERRORS", written.display().to_string()),
    ]);
    environment.extend(
        variables
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    run_ignored(environment, "grid::every_account_is_identified");
    let text = std::fs::read_to_string(written).expect("errors");
    text.replace(&format!("{}/", home.display()), "")
}

fn with_profiles(profiles: &str, config: &str, variables: &[(&'static str, &str)]) -> String {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(home.path().join("config"), profiles).expect("written");
    errors(home.path(), config, variables)
}

/// One line that begins and goes on like this.
fn assert_says(error: &str, parts: &[&str]) {
    assert_eq!(error.lines().count(), 1, "{error}");
    for part in parts {
        assert!(error.contains(part), "{part} in {error}");
    }
    for word in ["feature", "panic"] {
        assert!(!error.contains(word), "{word} in {error}");
    }
}

#[test]
fn a_control_character_in_a_key_of_the_environment_is_a_matter_of_credentials() {
    for (key, secret, token, name) in [
        ("AKIA\n", "any", "t", "AWS_ACCESS_KEY_ID"),
        ("AKIA", "any\r", "t", "AWS_SECRET_ACCESS_KEY"),
        ("AKIA", "any", "t\u{1b}t", "AWS_SESSION_TOKEN"),
        ("AKIA", "any", "t\n", "AWS_SESSION_TOKEN"),
    ] {
        let variables = [
            ("AWS_ACCESS_KEY_ID", key),
            ("AWS_SECRET_ACCESS_KEY", secret),
            ("AWS_SESSION_TOKEN", token),
        ];
        let error = with_profiles("", OWN, &variables);
        assert_says(
            &error,
            &["credentials: ", name, "holds a control character"],
        );
    }
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIÄ"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
    ];
    let error = with_profiles("", OWN, &variables);
    assert_says(
        &error,
        &["credentials: ", "AWS_ACCESS_KEY_ID holds", "not ASCII"],
    );
}

#[test]
fn a_control_character_in_a_key_from_elsewhere_is_one_too() {
    let file = "[profile audit]\naws_access_key_id = AKIA\u{1b}\naws_secret_access_key = any\n";
    let error = with_profiles(file, PROFILE, &[]);
    assert_says(
        &error,
        &[
            "credentials: ",
            "aws_access_key_id holds a control character (U+001B)",
        ],
    );
    let process = r#"[profile audit]
credential_process = echo '{"Version":1,"AccessKeyId":"AKIA\\n","SecretAccessKey":"any"}'
"#;
    let error = with_profiles(process, PROFILE, &[]);
    assert_says(
        &error,
        &["credentials: ", "the access key id holds", "a line feed"],
    );
}

#[test]
fn nothing_that_a_credential_process_prints_is_in_its_error() {
    let home = tempfile::tempdir().expect("a directory");
    let helper = home.path().join("helper.sh");
    let script = "#!/bin/sh\necho 'token hvs.SEKRIT refused' >&2\nexit 3\n";
    std::fs::write(&helper, script).expect("written");
    let text = format!(
        "[profile audit]\ncredential_process = /bin/sh {}\n",
        helper.display()
    );
    std::fs::write(home.path().join("config"), text).expect("written");
    let error = errors(home.path(), PROFILE, &[]);
    let said = "credential_process /bin/sh ended with exit status: 3";
    assert_says(&error, &["credentials: ", "in the profile \"audit\"", said]);
    assert!(!error.contains("SEKRIT"), "{error}");
}

#[test]
fn an_error_in_a_shared_file_names_file_line_and_problem() {
    for (file, said) in [
        (
            format!("[profile other]\n region = x\n[profile audit]\n{KEYS}"),
            "config:2: the line is indented",
        ),
        (
            format!("[profile other] /* x */\n[profile audit]\n{KEYS}"),
            "config:1: the section header",
        ),
        (
            format!("\u{feff}[profile audit]\n{KEYS}"),
            "config:1: the file begins with a byte order mark",
        ),
        (
            format!("[profile audit]\n{KEYS}nonsense\n"),
            "config:4: the line has no = sign",
        ),
    ] {
        assert_says(
            &with_profiles(&file, PROFILE, &[]),
            &["credentials: ", said],
        );
        let own = with_profiles(&file, OWN, &[("AWS_PROFILE", "audit")]);
        assert_says(&own, &["credentials: ", said]);
    }
    let home = tempfile::tempdir().expect("a directory");
    let text = format!("[audit]\n{KEYS}x\n");
    std::fs::write(home.path().join("credentials"), text).expect("written");
    let error = errors(home.path(), PROFILE, &[]);
    assert_says(
        &error,
        &["credentials: ", "credentials:4: the line has no = sign"],
    );
}

#[test]
fn a_missing_profile_is_named_with_its_file() {
    let dev = format!("[profile dev]\n{KEYS}");
    let error = with_profiles(
        &dev,
        "accounts: [{ name: me, ambient: true }]",
        &[("AWS_PROFILE", "typo")],
    );
    assert_says(&error, &["credentials: ", "no profile typo in config"]);
    let error = with_profiles(&dev, PROFILE, &[]);
    assert_says(&error, &["credentials: ", "no profile audit in config"]);
    let chain =
        "[profile audit]\nrole_arn = arn:aws:iam::111111111111:role/r\nsource_profile = typo\n";
    let error = with_profiles(chain, PROFILE, &[]);
    assert_says(
        &error,
        &["no profile typo in config", "the source_profile of audit"],
    );
    let bare = format!("[audit]\n{KEYS}");
    let error = with_profiles(&bare, PROFILE, &[]);
    assert_says(&error, &["config:1 says [audit]; write [profile audit]"]);
}

#[test]
fn half_a_key_in_the_environment_is_pointed_at() {
    let error = with_profiles("", OWN, &[("AWS_ACCESS_KEY_ID", "AKIA")]);
    assert_says(
        &error,
        &["AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"],
    );
}

#[test]
fn a_missing_token_file_is_named() {
    let variables = [
        ("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/r"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/does/not/exist"),
    ];
    let error = with_profiles("", OWN, &variables);
    let said = "cannot read the web identity token file /does/not/exist";
    assert_says(
        &error,
        &[
            "credentials: ",
            said,
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "No such file",
        ],
    );
    let profile = "[profile audit]\nrole_arn = arn:aws:iam::111111111111:role/r\n\
                   web_identity_token_file = /does/not/exist\n";
    assert_says(
        &with_profiles(profile, PROFILE, &[]),
        &["credentials: ", said, "No such file"],
    );
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9/x"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/does/not/exist"),
    ];
    let error = with_profiles("", OWN, &variables);
    assert_says(
        &error,
        &["cannot read the token file /does/not/exist", "No such file"],
    );
}

#[test]
fn a_login_session_is_refused_with_what_to_do_instead() {
    let profile = "[profile audit]\nlogin_session = arn:aws:iam::111111111111:user/x\n";
    let error = with_profiles(profile, PROFILE, &[]);
    let said = "credential_process = aws configure export-credentials --profile audit";
    assert_says(
        &error,
        &["credentials: ", "login_session is not supported", said],
    );
}

#[test]
fn a_pipe_or_a_huge_file_blocks_and_fills_nothing() {
    let home = tempfile::tempdir().expect("a directory");
    let (pipe, huge) = (home.path().join("pipe"), home.path().join("huge"));
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|made| made.success()), "a pipe");
    let file = std::fs::File::create(&huge).expect("a file");
    file.set_len(3_000_000_000).expect("sparse");
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/r");
    for (path, said) in [(&pipe, "not a regular file"), (&huge, "larger than")] {
        let path = path.to_str().expect("text");
        let error = errors(home.path(), OWN, &[("AWS_CONFIG_FILE", path)]);
        assert_says(&error, &["credentials: ", "cannot read ", said]);
        let error = errors(
            home.path(),
            OWN,
            &[role, ("AWS_WEB_IDENTITY_TOKEN_FILE", path)],
        );
        assert_says(
            &error,
            &["credentials: ", "the web identity token file", said],
        );
    }
}

#[test]
fn a_sign_in_that_is_over_says_how_to_sign_in_again() {
    let profile = "[profile audit]\nsso_session = s\nsso_account_id = 111111111111\n\
                   sso_role_name = r\n[sso-session s]\nsso_start_url = https://x\n\
                   sso_region = eu-west-1\n";
    let error = with_profiles(profile, PROFILE, &[]);
    assert_says(&error, &["credentials: ", "aws sso login --profile audit"]);
}
