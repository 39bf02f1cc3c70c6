use std::path::Path;

use super::*;
use crate::config::{Config, Variables};

const OWN: &str = "accounts: [{ id: '111111111111' }]";
const AUDIT: &str = "accounts: [{ name: a, profile: audit }]";

/// The endpoints of the first account, under these variables and this file of profiles.
fn endpoints(
    config: &str,
    variables: &[(&str, &str)],
    profiles: &str,
) -> Result<Arc<Endpoints>, String> {
    let config = parse(config, variables, profiles)?;
    let profile = config
        .accounts
        .first()
        .and_then(|account| account.access.profile());
    Ok(config.aws.endpoints(profile))
}

fn parse(config: &str, variables: &[(&str, &str)], profiles: &str) -> Result<Config, String> {
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("profiles");
    std::fs::write(&file, profiles).expect("written");
    let file = ("AWS_CONFIG_FILE".to_owned(), file.display().to_string());
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let variables: Variables = variables.iter().map(owned).chain([file]).collect();
    let parsed = Config::parse(config.as_bytes(), Path::new("x.yaml"), &variables);
    let place = format!("{}/", home.path().display());
    parsed.map_err(|errors| errors.to_string().replace(&place, ""))
}

fn url(endpoints: &Endpoints) -> Option<&str> {
    endpoints.url(AwsService::Sts)
}

#[test]
fn fips_and_dual_stack_come_from_settings_variables_or_the_profile() {
    let fips_profile = "[profile audit]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = TRUE\n";
    let ours = format!("aws: {{ use_fips: true }}\n{OWN}");
    for (config, variables, profiles, expected) in [
        (OWN, &[][..], fips_profile, (false, false)),
        (&ours, &[], "", (true, false)),
        (
            &ours,
            &[("AWS_USE_FIPS_ENDPOINT", "false")],
            "",
            (true, false),
        ),
        (OWN, &[("AWS_USE_FIPS_ENDPOINT", "True")], "", (true, false)),
        (
            OWN,
            &[("AWS_USE_DUALSTACK_ENDPOINT", "true")],
            "",
            (false, true),
        ),
        (AUDIT, &[], fips_profile, (true, true)),
        (
            AUDIT,
            &[("AWS_USE_FIPS_ENDPOINT", "false")],
            fips_profile,
            (false, true),
        ),
        (OWN, &[("AWS_PROFILE", "audit")], fips_profile, (true, true)),
        (
            AUDIT,
            &[("AWS_USE_FIPS_ENDPOINT", "")],
            "[profile audit]",
            (false, false),
        ),
    ] {
        let found = endpoints(config, variables, profiles).expect("endpoints");
        assert_eq!(
            (found.fips, found.dual_stack),
            expected,
            "{config} {variables:?}"
        );
    }
}

#[test]
fn the_nearest_endpoint_url_is_taken() {
    let profile = "[profile audit]\nendpoint_url = http://profile\nservices = s\n\
                   [services s]\nsts =\n  endpoint_url = http://service\n";
    let plain = "[profile audit]\nendpoint_url = http://profile\n";
    let ours = format!("aws: {{ endpoint_url: 'http://ours' }}\n{AUDIT}");
    let (all, sts) = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS");
    let ignore = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
    for (config, variables, profiles, expected) in [
        (
            ours.as_str(),
            &[(sts, "http://sts"), (ignore, "true")][..],
            profile,
            Some("http://ours"),
        ),
        (
            AUDIT,
            &[(sts, "http://sts"), (all, "http://all")],
            profile,
            Some("http://sts"),
        ),
        (AUDIT, &[(all, "http://all")], profile, Some("http://all")),
        (AUDIT, &[], profile, Some("http://service")),
        (AUDIT, &[], plain, Some("http://profile")),
        (OWN, &[], plain, None),
        (AUDIT, &[(ignore, "true"), (sts, "nonsense")], plain, None),
        (
            AUDIT,
            &[],
            "[profile audit]\nendpoint_url = x\nignore_configured_endpoint_urls = true",
            None,
        ),
    ] {
        let found = endpoints(config, variables, profiles).expect("endpoints");
        assert_eq!(url(&found), expected, "{config} {variables:?} {profiles}");
    }
    let found = endpoints(AUDIT, &[], profile).expect("endpoints");
    assert_eq!(found.url(AwsService::CloudTrail), Some("http://profile"));
}

#[test]
fn a_boolean_that_the_sdk_would_ignore_is_refused() {
    for name in BOOLEAN_VARIABLES {
        for text in ["1", "yes", "on", "0", "true "] {
            let error = endpoints(OWN, &[(name, text)], "").expect_err(name);
            let expected =
                format!("{name}: is {text:?}, which AWS SDKs ignore; write true or false");
            assert_eq!(error, expected);
        }
    }
    for key in [
        "use_fips_endpoint",
        "use_dualstack_endpoint",
        "ignore_configured_endpoint_urls",
    ] {
        let profiles = format!("[profile audit]\n{key} = yes\n");
        let error = endpoints(AUDIT, &[], &profiles).expect_err(key);
        let expected = format!("profile audit in profiles: {key}: is \"yes\", which AWS SDKs");
        assert!(error.starts_with(&expected), "{error}");
        assert_eq!(
            endpoints(OWN, &[], &profiles).err(),
            None,
            "the profile is not used"
        );
    }
}

#[test]
fn fips_and_dual_stack_exclude_an_endpoint_url_wherever_each_is_written() {
    let urls = [
        (
            format!("aws: {{ endpoint_url: 'http://ours' }}\n{AUDIT}"),
            None,
            "",
        ),
        (
            AUDIT.to_owned(),
            Some(("AWS_ENDPOINT_URL", "http://all")),
            "",
        ),
        (
            AUDIT.to_owned(),
            Some(("AWS_ENDPOINT_URL_STS", "http://sts")),
            "",
        ),
        (AUDIT.to_owned(), None, "endpoint_url = http://profile\n"),
    ];
    for (config, variable, key) in urls {
        for (switch, switch_key) in [
            (Some(("AWS_USE_FIPS_ENDPOINT", "true")), ""),
            (Some(("AWS_USE_DUALSTACK_ENDPOINT", "true")), ""),
            (None, "use_fips_endpoint = true\n"),
            (None, "use_dualstack_endpoint = true\n"),
        ] {
            let variables: Vec<_> = variable.into_iter().chain(switch).collect();
            let profiles = format!("[profile audit]\n{key}{switch_key}");
            let error = endpoints(&config, &variables, &profiles).expect_err("both");
            assert!(error.contains("excludes "), "{error}");
            assert!(error.contains("remove one of them"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }
}

#[test]
fn an_endpoint_url_must_be_one() {
    for url in [
        "localhost:5000",
        "ftp://host",
        "http://",
        "http:///path",
        "x",
    ] {
        let error = endpoints(OWN, &[("AWS_ENDPOINT_URL_STS", url)], "").expect_err(url);
        assert!(
            error.starts_with("AWS_ENDPOINT_URL_STS: is no URL"),
            "{error}"
        );
        let profiles = format!("[profile audit]\nendpoint_url = {url}\n");
        let error = endpoints(AUDIT, &[], &profiles).expect_err(url);
        assert!(
            error.starts_with("profile audit in profiles: endpoint_url: is no"),
            "{error}"
        );
    }
}

#[test]
fn fips_in_china_is_refused_wherever_it_is_written() {
    let china = "accounts: [{ name: a, profile: audit, region: cn-north-1 }]";
    let profile = "[profile audit]\nuse_fips_endpoint = true\n";
    for (variables, profiles) in [
        (&[("AWS_USE_FIPS_ENDPOINT", "true")][..], ""),
        (&[], profile),
    ] {
        let error = endpoints(china, variables, profiles).expect_err("none there");
        assert!(
            error.contains("no FIPS endpoints in China (cn-north-1)"),
            "{error}"
        );
    }
    assert_eq!(endpoints(china, &[], "").err(), None);
}

#[test]
fn the_region_of_the_profile_is_that_of_its_account_and_says_the_partition() {
    let gov = "[profile audit]\nregion = us-gov-west-1\n";
    let by_role = "accounts: [{ id: '111111111111', profile: audit, role_name: x }]";
    for (config, variables, region) in [
        (AUDIT, &[][..], "us-gov-west-1"),
        (AUDIT, &[("AWS_REGION", "eu-west-1")], "us-gov-west-1"),
        (OWN, &[("AWS_PROFILE", "audit")], "us-gov-west-1"),
        (
            OWN,
            &[("AWS_PROFILE", "audit"), ("AWS_REGION", "eu-west-1")],
            "eu-west-1",
        ),
        (OWN, &[], "us-east-1"),
        (by_role, &[], "us-gov-west-1"),
    ] {
        let config = parse(config, variables, gov).expect("a configuration");
        let regions: Vec<_> = config.accounts[0]
            .regions
            .iter()
            .map(Region::as_str)
            .collect();
        assert_eq!(regions, [region]);
        if let Access::Role { role, .. } = &config.accounts[0].access {
            assert_eq!(role.partition(), config.accounts[0].regions[0].partition());
        }
    }
    let own = "accounts: [{ name: a, profile: audit, region: us-gov-east-1 }]";
    let config = parse(own, &[], gov).expect("a configuration");
    assert_eq!(config.accounts[0].regions[0].as_str(), "us-gov-east-1");
    let error = parse(AUDIT, &[], "[profile audit]\nregion = moon\n").expect_err("no Region");
    assert!(
        error.starts_with("x.yaml:1: accounts[0].profile: has the region"),
        "{error}"
    );
}

#[test]
fn a_profile_that_says_otherwise_later_is_noticed() {
    let read = |profiles: &str| {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("profiles");
        std::fs::write(&file, profiles).expect("written");
        let path = file.display().to_string();
        SharedConfig::read(&|name| (name == "AWS_CONFIG_FILE").then(|| path.clone()))
    };
    let before = "[profile audit]\nregion = eu-west-1\naws_access_key_id = AKIAOLD\n";
    let config = parse(AUDIT, &[], before).expect("a configuration");
    let profile = config.accounts[0].access.profile();
    for (now, is_current) in [
        (before, true),
        (
            "[profile audit]\nregion = eu-west-1\naws_access_key_id = AKIANEW\n",
            true,
        ),
        ("[profile audit]\nregion = eu-west-2\n", false),
        (
            "[profile audit]\nregion = eu-west-1\nuse_fips_endpoint = true\n",
            false,
        ),
        ("", false),
    ] {
        let shared = read(now).expect("profiles");
        assert_eq!(config.aws.is_current(profile, &shared), is_current, "{now}");
    }
}
