use super::*;

fn shared(text: &str) -> SharedConfig {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("config");
    std::fs::write(&path, text).expect("written");
    let path = path.display().to_string();
    let variable = |name: &str| (name == "AWS_CONFIG_FILE").then(|| path.clone());
    SharedConfig::read(&variable).expect("sections")
}

fn start_of(text: &str) -> Start {
    resolve(&shared(text), "a").expect("a chain").start
}

fn problem(text: &str) -> String {
    match resolve(&shared(text), "a") {
        Err(Unresolved::Wrong(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_source_of_a_profile_is_found() {
    let keys = "aws_access_key_id = k\naws_secret_access_key = s\n";
    let start = start_of(&format!("[profile a]\n{keys}aws_session_token = t\n"));
    assert!(matches!(start, Start::Keys(keys) if keys.session_token() == Some("t")));
    let web = "[profile a]\nrole_arn = r\nweb_identity_token_file = f\nsource_profile = x\n";
    assert!(matches!(start_of(web), Start::WebIdentity { role_arn, .. } if role_arn == "r"));
    let process = "[profile a]\ncredential_process = run me\n";
    assert!(matches!(start_of(process), Start::Process(command) if command == "run me"));
    for (source, expected) in [
        ("Environment", "Environment"),
        ("ec2instancemetadata", "InstanceMetadata"),
        ("EcsContainer", "Container"),
    ] {
        let text = format!("[profile a]\nrole_arn = r\ncredential_source = {source}\n");
        assert_eq!(format!("{:?}", start_of(&text)), expected);
    }
    for sso in [
        "sso_session = s\n[sso-session s]\n",
        "", // the older form
    ] {
        let text = format!(
            "[profile a]\nsso_account_id = 1\nsso_role_name = r\n{sso}sso_start_url = u\nsso_region = x\n"
        );
        assert!(matches!(start_of(&text), Start::IdentityCenter(it) if it.start_url == "u"));
    }
}

#[test]
fn roles_are_assumed_from_the_source_on() {
    let text = "[profile a]\nrole_arn = last\nexternal_id = id\nsource_profile = b\n\
                [profile b]\nrole_arn = first\nrole_session_name = n\nsource_profile = c\n\
                [profile c]\naws_access_key_id = k\naws_secret_access_key = s\nrole_arn = not\n\
                [profile own]\nrole_arn = r\nsource_profile = own\naws_access_key_id = k\n\
                aws_secret_access_key = s\n";
    let chain = resolve(&shared(text), "a").expect("a chain");
    let arns: Vec<_> = chain.roles.iter().map(|role| role.arn.as_str()).collect();
    assert_eq!(arns, ["first", "last"]);
    assert_eq!(chain.roles[0].session_name.as_deref(), Some("n"));
    assert_eq!(chain.roles[1].external_id, Some(Secret::new("id")));
    assert!(matches!(chain.start, Start::Keys(_)));
    let own = resolve(&shared(text), "own").expect("a chain");
    assert!(matches!((own.start, own.roles.len()), (Start::Keys(_), 1)));
}

#[test]
fn what_cannot_be_followed_is_said() {
    for (text, said) in [
        ("[profile b]\n", "no profile a in "),
        (
            "[profile a]\nrole_arn = r\nsource_profile = typo\n",
            "no profile typo in ",
        ),
        (
            "[profile a]\nrole_arn = r\nsource_profile = typo\n",
            "the source_profile of a",
        ),
        (
            "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n",
            "source_profile leads from a back to a",
        ),
        ("[profile a]\nrole_arn = r\n", "nothing that assumes it"),
        (
            "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nregion = x\n",
            "holds no credentials",
        ),
        (
            "[profile a]\nrole_arn = r\nsource_profile = b\ncredential_source = x\n",
            "both source_profile and credential_source",
        ),
        (
            "[profile a]\nrole_arn = r\ncredential_source = Moon\n",
            "is unknown",
        ),
        ("[profile a]\nweb_identity_token_file = f\n", "no role_arn"),
        (
            "[profile a]\naws_access_key_id = k\n",
            "no aws_secret_access_key",
        ),
        (
            "[profile a]\naws_session_token = k\n",
            "no aws_access_key_id",
        ),
        ("[profile a]\nsso_session = s\n", "no sso-session s in "),
        ("[profile a]\nsso_start_url = s\n", "no sso_account_id"),
    ] {
        let problem = problem(text);
        assert!(problem.contains(said), "{problem}");
    }
}

#[test]
fn a_login_session_is_said_to_be_unsupported_with_what_to_do() {
    let problem = problem("[profile a]\nlogin_session = arn:x\n");
    let said = "credential_process = aws configure export-credentials --profile a --format process";
    assert!(problem.starts_with("login_session is not supported") && problem.contains(said));
    assert!(!problem.contains("feature"), "{problem}");
}

#[test]
fn a_profile_without_credentials_is_told_from_a_bad_one() {
    let found = resolve(&shared("[profile a]\nregion = x\n"), "a");
    assert_eq!(found.err(), Some(Unresolved::Without));
}
