use std::fs;

use super::*;

fn read(config: &[u8], more: &[(&str, &str)]) -> Result<SharedConfig, String> {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("config");
    fs::write(&path, config).expect("written");
    let variable = |name: &str| match name {
        "AWS_CONFIG_FILE" => Some(path.display().to_string()),
        other => {
            let found = more.iter().find(|(name, _)| *name == other);
            found.map(|(_, value)| (*value).to_owned())
        }
    };
    let place = format!("{}/", home.path().display());
    SharedConfig::read(&variable).map_err(|error| error.to_string().replace(&place, ""))
}

#[test]
fn each_error_names_file_line_and_problem() {
    for (text, place, problem) in [
        (
            &b"[profile other]\n region = eu-west-1\n"[..],
            "config:2: ",
            "remove the indentation",
        ),
        (
            b"# x\n[profile other] /* x */\nregion = y\n",
            "config:2: ",
            "does not end with ]",
        ),
        (
            b"region = eu-west-1\n",
            "config:1: ",
            "above the first section",
        ),
        (
            b"\n region = eu-west-1\n",
            "config:2: ",
            "Expected a profile definition",
        ),
        (b"[default]\nregion\n", "config:2: ", "no = sign"),
        (b"[default]\n= x\n", "config:2: ", "before the = sign"),
        (b"\xef\xbb\xbf[default]\n", "config:1: ", "byte order mark"),
        (b"[default]\nregion = \xff\n", "config:2: ", "not UTF-8"),
    ] {
        let error = read(text, &[]).expect_err("an error");
        assert!(
            error.starts_with(place) && error.contains(problem),
            "{error}"
        );
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn an_error_shows_nothing_of_its_line() {
    let error = read(b"[default]\naws_secret_access_key secret\n", &[]).expect_err("an error");
    assert!(!error.contains("secret"), "{error}");
}

#[test]
fn profiles_sessions_and_services_are_read() {
    let text = b"[default]\nregion = eu-west-1\n\n[profile a]\nservices = s\nempty =\n\
        [services s]\nsts =\n  endpoint_url = http://sts\n[sso-session x]\nsso_region = r\n";
    let shared = read(text, &[]).expect("sections");
    let default = shared.profile(shared.selected()).expect("the default one");
    assert_eq!(default.get("region"), Some("eu-west-1"));
    let a = shared.profile("a").expect("profile a");
    assert_eq!((a.name(), a.get("empty")), ("a", None));
    assert_eq!(a.service_endpoint_url("sts"), Some("http://sts"));
    assert_eq!(a.service_endpoint_url("cloudtrail"), None);
    assert_eq!(shared.sso_property("x", "sso_region"), Some("r"));
    assert!(shared.has_sso_session("x") && !shared.has_sso_session("y"));
}

#[test]
fn a_missing_profile_is_named_with_its_files() {
    let shared = read(b"[dev]\nregion = x\n", &[("AWS_PROFILE", "dev")]).expect("sections");
    assert_eq!((shared.selected(), shared.is_named()), ("dev", true));
    assert!(shared.profile("dev").is_none());
    let missing = shared.missing("typo");
    assert!(missing.starts_with("no profile typo in "), "{missing}");
}

#[test]
fn a_section_without_its_prefix_is_pointed_at() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("config");
    fs::write(&path, "# x\n[dev]\nregion = x\n").expect("written");
    let name = path.display().to_string();
    let variable = |key: &str| (key == "AWS_CONFIG_FILE").then(|| name.clone());
    let shared = SharedConfig::read(&variable).expect("sections");
    let missing = shared.missing("dev");
    let hint = format!("{name}:2 says [dev]; write [profile dev]");
    assert!(missing.ends_with(&hint), "{missing}");
}

#[test]
fn files_that_do_not_exist_are_empty() {
    let none = SharedConfig::read(&|_| None).expect("no sections");
    assert_eq!(none.selected(), "default");
    assert_eq!(
        none.missing("x"),
        "no profile x in any file (HOME is not set)"
    );
    let home = |name: &str| (name == "HOME").then(|| "/does/not/exist".to_owned());
    let none = SharedConfig::read(&home).expect("no sections");
    let missing = none.missing("x");
    assert!(
        missing.contains("/does/not/exist/.aws/config (which does not exist)"),
        "{missing}"
    );
}

#[test]
fn only_a_regular_file_of_bounded_size_is_read() {
    let home = tempfile::tempdir().expect("a directory");
    let pipe = home.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|made| made.success()), "a pipe");
    let large = home.path().join("large");
    let file = fs::File::create(&large).expect("a file");
    file.set_len(3_000_000_000).expect("sparse");
    for (path, problem) in [
        (pipe.as_path(), "not a regular file"),
        (home.path(), "not a regular file"),
        (Path::new("/dev/zero"), "not a regular file"),
        (&large, "larger than 1048576 bytes"),
    ] {
        let name = path.display().to_string();
        let variable = |key: &str| (key == "AWS_CONFIG_FILE").then(|| name.clone());
        let error = SharedConfig::read(&variable)
            .expect_err("no file")
            .to_string();
        assert!(
            error.starts_with(&format!("cannot read {name}: ")),
            "{error}"
        );
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn the_null_device_is_an_empty_file() {
    let variable = |name: &str| (name == "AWS_CONFIG_FILE").then(|| "/dev/null".to_owned());
    let shared = SharedConfig::read(&variable).expect("no sections");
    assert!(shared.profile("default").is_none());
}

#[test]
fn a_tilde_is_the_home_directory() {
    let variable = |key: &str| match key {
        "HOME" => Some("/home/me".to_owned()),
        "AWS_CONFIG_FILE" => Some("~/aws".to_owned()),
        _ => None,
    };
    let files = Files::of(&variable);
    assert_eq!(files.config.as_deref(), Some(Path::new("/home/me/aws")));
    let usual = Path::new("/home/me/.aws/credentials");
    assert_eq!(files.credentials.as_deref(), Some(usual));
}
