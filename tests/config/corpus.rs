//! Every file of `tests/config/bad` and `tests/config/good`. `NAME.env` beside `NAME.yaml` holds the environment variables of the case.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cloudtrail_exporter::config::{Access, Config, ConfigErrors, Variables};

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new("tests/config").join(folder)).expect("the corpus");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|e| e == extension));
    files.sort();
    files
}

fn variables(case: &Path) -> Variables {
    let text = fs::read_to_string(case.with_extension("env")).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn load(case: &Path) -> Result<Config, ConfigErrors> {
    let bytes = fs::read(case).expect("a file of the corpus");
    Config::parse(&bytes, case, &variables(case))
}

/// Holds what each case of a folder gives equal to the file beside it; all differences at once.
fn hold(folder: &str, expectation: &str, given: impl Fn(&Path) -> String) -> usize {
    let cases = files(folder, "yaml");
    let mut differences = String::new();
    for case in &cases {
        let given = given(case).replace("tests/config/bad/", "");
        let wanted = fs::read_to_string(case.with_extension(expectation)).unwrap_or_default();
        if given.trim_end() != wanted.trim_end() {
            let name = case.display();
            writeln!(differences, "{name}\nwanted:\n{wanted}\ngiven:\n{given}\n").expect("text");
        }
    }
    assert!(differences.is_empty(), "{differences}");
    let expectations = files(folder, expectation);
    assert_eq!(
        expectations.len(),
        cases.len(),
        "expectations without a case"
    );
    cases.len()
}

#[test]
fn every_bad_file_gives_exactly_the_errors_beside_it() {
    let number = hold("bad", "err", |case| match load(case) {
        Err(errors) => errors.to_string(),
        Ok(_) => "was taken".to_owned(),
    });
    assert!(number >= 80, "{number}");
}

#[test]
fn every_good_file_is_read_as_the_file_beside_it_says() {
    let number = hold("good", "out", |case| match load(case) {
        Err(errors) => errors.to_string(),
        Ok(config) => summary(&config),
    });
    assert!(number >= 8, "{number}");
}

fn summary(config: &Config) -> String {
    let Config {
        poll,
        aws,
        defaults,
        accounts,
        organizations,
        compliance,
        organization_trails,
        limits,
        sha256: _,
    } = config;
    // What the settings come to with variables and profiles is tested beside them.
    let whole = format!("{aws:?}");
    let (written, _) = whole.split_once(", by_profile").expect("it ends so");
    let mut text = String::new();
    let mut line = |what: &dyn std::fmt::Debug| writeln!(text, "{what:?}").expect("text");
    let settings: [&dyn std::fmt::Debug; 7] = [
        poll,
        &format_args!("{written} }}"),
        defaults,
        organizations,
        compliance,
        organization_trails,
        limits,
    ];
    for setting in settings {
        line(setting);
    }
    for account in accounts {
        line(account);
    }
    text
}

#[test]
fn each_error_is_one_line_with_a_mend() {
    for case in files("bad", "yaml") {
        let errors = load(&case).expect_err("a bad file");
        let text = errors.to_string();
        assert_eq!(text.lines().count(), errors.len(), "{text}");
        for line in text.lines() {
            assert!(line.contains("; "), "no mend: {line}");
        }
    }
}

#[test]
fn no_error_shows_a_secret() {
    for case in files("bad", "yaml") {
        let errors = load(&case).expect_err("a bad file");
        let shown = format!("{errors} {errors:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn secrets_from_a_file_or_the_environment_arrive_whole_and_stay_hidden() {
    for name in [
        "secret_from_environment",
        "secret_from_file",
        "variables_over_the_file",
    ] {
        let case = Path::new("tests/config/good")
            .join(name)
            .with_extension("yaml");
        let config = load(&case).expect(name);
        let Access::Role {
            external_id: Some(secret),
            ..
        } = &config.accounts[0].access
        else {
            panic!("{name}: no external ID");
        };
        assert_eq!(secret.expose(), "tenant/4711", "{name}");
        assert!(
            !format!("{config:?} {:?}", variables(&case)).contains("4711"),
            "{name}"
        );
    }
}

#[test]
fn without_a_file_the_ambient_account_is_polled_under_the_variables() {
    let variables = [
        ("AWS_REGION", "us-gov-west-1"),
        ("CLOUDTRAIL_EXPORTER__POLL__INTERVAL", "2m"),
    ];
    let variables = variables
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
    let config = Config::ambient(&variables, 1).expect("a configuration");
    let [account] = config.accounts.as_slice() else {
        panic!("{:?}", config.accounts);
    };
    assert_eq!(
        (account.id, account.name.as_deref(), &account.access),
        (None, None, &Access::Ambient)
    );
    assert_eq!(account.regions[0].as_str(), "us-gov-west-1");
    assert_eq!(account.interval.as_secs(), 120);
}

#[test]
fn discovery_without_a_file_leaves_the_ambient_account_to_be_found() {
    let name = "CLOUDTRAIL_EXPORTER__DISCOVERY__ORGANIZATIONS__ENABLED".to_owned();
    let variables = [(name, "true".to_owned())].into_iter().collect();
    let config = Config::ambient(&variables, 1).expect("a configuration");
    assert!(config.accounts.is_empty() && config.organizations.is_some());
}

#[test]
fn a_file_that_is_not_there_is_an_error_that_names_it() {
    let errors = Config::read(Path::new("no/such/file.yaml"), 1).expect_err("no file");
    let shown = errors.to_string();
    assert!(
        shown.starts_with("no/such/file.yaml: cannot be read"),
        "{shown}"
    );
}

#[test]
fn the_hash_is_of_the_text_alone() {
    let hash = |text: &str| {
        let config = Config::parse(text.as_bytes(), Path::new("x.yaml"), &Variables::default());
        config.expect("a configuration").sha256
    };
    let text = "accounts: [{ name: a, ambient: true }]\n";
    assert_eq!(hash(text), "086fc4461a0f");
    assert_ne!(hash(text), hash(&format!("{text} ")));
}

#[test]
fn among_shards_an_account_whose_credentials_tell_its_id_needs_it_written() {
    let read = |text: &str, shards| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.yaml");
        fs::write(&path, text).expect("written");
        let read = Config::read(&path, shards).map(drop);
        read.map_err(|errors| errors.to_string())
    };
    let text = "accounts:\n- { name: a, ambient: true }\n- { name: b, profile: p }\n- { id: '111111111111' }\n";
    assert_eq!(read(text, 1), Ok(()));
    let refused = read(text, 3).expect_err("no ids");
    let lines: Vec<&str> = refused.lines().collect();
    let [ambient, profile] = lines.as_slice() else {
        panic!("{refused}");
    };
    assert!(
        ambient.contains("config.yaml:2: accounts[0]: has no id"),
        "{ambient}"
    );
    assert!(
        profile.contains("config.yaml:3: accounts[1]: has no id"),
        "{profile}"
    );
    assert!(refused.contains("; write id:"), "{refused}");
    let with_ids = text
        .replace("true", "true, id: '222222222222'")
        .replace("p }", "p, id: '333333333333' }");
    assert_eq!(read(&with_ids, 3), Ok(()));
}

#[test]
fn among_shards_there_is_a_file_or_discovery() {
    let errors = Config::ambient(&Variables::default(), 2).expect_err("whose account?");
    let shown = errors.to_string();
    assert!(shown.starts_with("no configuration file: "), "{shown}");
    let name = "CLOUDTRAIL_EXPORTER__DISCOVERY__ORGANIZATIONS__ENABLED".to_owned();
    let variables = [(name, "true".to_owned())].into_iter().collect();
    assert!(Config::ambient(&variables, 2).is_ok());
}
