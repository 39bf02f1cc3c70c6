//! Each source of credentials under each setting: which host its calls go to. A recorder on loopback
//! is the proxy that `CONNECT` names the host to, and the server of an `endpoint_url`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cloudtrail_exporter::aws::Aws;
use cloudtrail_exporter::aws::credentials::GivenCredentials;
use cloudtrail_exporter::aws::sdk::SdkAws;
use cloudtrail_exporter::config::{Config, Variables};
use cloudtrail_exporter::directory::Account;

use crate::environment::{nothing, run_ignored};
use crate::lines::by_role;
use crate::{limits, metrics};

/// The sources, each in a Region of its own, by which its calls are known.
const SOURCES: [(&str, &str); 9] = [
    ("keys of a profile", "us-east-2"),
    ("web identity of a profile", "us-west-1"),
    ("source_profile", "us-west-2"),
    ("credential_source", "eu-west-1"),
    ("credential_process", "eu-west-2"),
    ("IAM Identity Center", "eu-west-3"),
    ("role with the keys of a profile", "eu-north-1"),
    ("role with the environment's keys", "eu-central-1"),
    ("role with the environment's web identity", "ap-south-1"),
];
/// The SHA-1 of `grid`, the name of the sign-in.
const TOKEN_FILE: &str = ".aws/sso/cache/f3c543ad5fe9d69603e7dc5eaf246fc0b0d20d50.json";

/// What was asked: the host of a `CONNECT`, or the action of a request.
type Asked = Arc<Mutex<Vec<String>>>;

/// Records what it is asked and refuses it.
fn recorder() -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let seen = Arc::clone(&seen);
            std::thread::spawn(move || record(socket, &seen));
        }
    });
    (url, asked)
}

fn record(mut socket: TcpStream, seen: &Mutex<Vec<String>>) {
    let _ = socket.set_read_timeout(Some(Duration::from_secs(5)));
    let text = request(&mut socket);
    let mut first = text.split_whitespace();
    let what = match (first.next(), first.next()) {
        (Some("CONNECT"), Some(host)) => format!("CONNECT {}", host.trim_end_matches(":443")),
        (Some(_), Some(path)) => {
            let mut fields = text.split(['&', '\n']);
            let action = fields.find_map(|field| field.trim().strip_prefix("Action="));
            action.unwrap_or(path).to_owned()
        }
        _ => return,
    };
    seen.lock().expect("not poisoned").push(what);
    let _ = socket
        .write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

/// Head and body, as far as they come.
fn request(socket: &mut TcpStream) -> String {
    let (mut bytes, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length = length.and_then(|length| length.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        match socket.read(&mut part) {
            Ok(read) if read > 0 => bytes.extend(part.iter().take(read)),
            _ => return String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

/// A column of the grid.
#[derive(Default)]
struct Setting {
    /// Keys of `aws:`.
    ours: String,
    variables: Vec<(&'static str, String)>,
    /// Keys of every profile in use.
    profile: String,
}

/// Runs all sources under a setting; what was asked in the course of it.
fn run(setting: &Setting, recorder: &str, asked: &Asked) -> Vec<String> {
    let home = tempfile::tempdir().expect("a directory");
    let home = home.path();
    write_profiles(home, &setting.profile);
    asked.lock().expect("not poisoned").clear();
    for own in [false, true] {
        let config = home.join("config.yaml");
        std::fs::write(&config, configuration(&setting.ours, own)).expect("written");
        let mut environment = nothing(home);
        environment.extend([
            ("PATH", "/usr/bin:/bin".to_owned()),
            ("HTTPS_PROXY", recorder.to_owned()),
            ("TEST_CONFIG", config.display().to_string()),
        ]);
        environment.extend(own_credentials(home, own));
        environment.extend(setting.variables.iter().cloned());
        run_ignored(environment, "grid::every_account_is_identified");
    }
    let asked = asked.lock().expect("not poisoned");
    asked.clone()
}

fn own_credentials(home: &Path, web_identity: bool) -> Vec<(&'static str, String)> {
    if web_identity {
        return vec![
            (
                "AWS_ROLE_ARN",
                "arn:aws:iam::111111111111:role/r".to_owned(),
            ),
            (
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                home.join("token").display().to_string(),
            ),
        ];
    }
    vec![
        ("AWS_ACCESS_KEY_ID", "AKIAENV".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "made-up".to_owned()),
    ]
}

fn configuration(ours: &str, web_identity: bool) -> String {
    let regions = SOURCES.map(|(_, region)| region);
    let aws = |region: &str| format!("aws: {{ max_attempts: 1, region: {region}, {ours} }}\n");
    if web_identity {
        let region = regions[8];
        return format!("{}accounts:\n- {{ id: '111111111111' }}\n", aws(region));
    }
    let mut text = format!("{}accounts:\n", aws("us-east-1"));
    for (profile, region) in ["keys", "web", "chain", "source", "process", "sso"]
        .iter()
        .zip(regions)
    {
        let _ = writeln!(
            text,
            "- {{ name: {profile}, profile: {profile}, region: {region} }}"
        );
    }
    let _ = write!(
        text,
        "- {{ id: '222222222222', profile: keys, role_name: r, region: {} }}\n\
         - {{ id: '333333333333', region: {} }}\n",
        regions[6], regions[7],
    );
    text
}

fn write_profiles(home: &Path, more: &str) {
    let role = "role_arn = arn:aws:iam::111111111111:role/r";
    let keys = "aws_access_key_id = AKIAFILE\naws_secret_access_key = made-up";
    let token = home.join("token");
    let text = format!(
        "[default]\nregion = us-east-1\n{more}[profile keys]\n{keys}\n{more}\
         [profile web]\n{role}\nweb_identity_token_file = {token}\n{more}\
         [profile chain]\n{role}\nsource_profile = base\n{more}[profile base]\n{keys}\n\
         [profile source]\n{role}\ncredential_source = Environment\n{more}\
         [profile process]\ncredential_process = echo '{{\"Version\":1,\"AccessKeyId\":\"AKIAPROC\",\
         \"SecretAccessKey\":\"made-up\"}}'\n{more}\
         [profile sso]\nsso_session = grid\nsso_account_id = 111111111111\nsso_role_name = r\n{more}\
         [sso-session grid]\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-3\n",
        token = token.display(),
    );
    std::fs::write(home.join("config"), text).expect("written");
    std::fs::write(&token, "a.web.token").expect("written");
    let token = home.join(TOKEN_FILE);
    std::fs::create_dir_all(token.parent().expect("a directory")).expect("made");
    let text = r#"{"accessToken":"sso-token","expiresAt":"2099-01-01T00:00:00Z"}"#;
    std::fs::write(token, text).expect("written");
}

#[tokio::test]
#[ignore = "needs the environment that another test makes"]
async fn every_account_is_identified() {
    let path = std::env::var("TEST_CONFIG").expect("set");
    let text = std::fs::read(&path).expect("a file");
    let config = Config::parse(&text, Path::new(&path), &Variables::of_process());
    let config = config.expect("a configuration");
    let given = GivenCredentials::default();
    let aws = SdkAws::new(&config.aws, metrics(), limits(), given).await;
    let aws = aws.expect("a way to AWS");
    let mut errors = String::new();
    for configured in config.accounts {
        let account = Account {
            access: configured.access,
            regions: configured.regions,
            ..(*by_role()).clone()
        };
        let session = aws.open(&Arc::new(account));
        let error = aws.identify(&session).await.expect_err("it is refused");
        let _ = writeln!(errors, "{error}");
    }
    if let Ok(path) = std::env::var("TEST_ERRORS") {
        std::fs::write(path, errors).expect("written");
    }
}

/// The hosts of STS and IAM Identity Center as `sts` makes them of a Region, one of each source.
fn hosts(of_sts: impl Fn(&str) -> String, of_sso: impl Fn(&str) -> String) -> BTreeSet<String> {
    let host = |(source, region): (&str, &str)| match source {
        "IAM Identity Center" => format!("CONNECT {}", of_sso(region)),
        _ => format!("CONNECT {}", of_sts(region)),
    };
    SOURCES.into_iter().map(host).collect()
}

fn variable(name: &'static str, value: &str) -> Setting {
    Setting {
        variables: vec![(name, value.to_owned())],
        ..Setting::default()
    }
}

fn ours(text: &str) -> Setting {
    Setting {
        ours: text.to_owned(),
        ..Setting::default()
    }
}

fn profile(text: &str) -> Setting {
    Setting {
        profile: format!("{text}\n"),
        ..Setting::default()
    }
}

#[test]
fn fips_and_dual_stack_reach_every_source_of_credentials() {
    let (url, asked) = recorder();
    let usual = hosts(
        |region| format!("sts.{region}.amazonaws.com"),
        |region| format!("portal.sso.{region}.amazonaws.com"),
    );
    let fips = hosts(
        |region| format!("sts-fips.{region}.amazonaws.com"),
        |region| format!("portal.sso-fips.{region}.amazonaws.com"),
    );
    let dual_stack = hosts(
        |region| format!("sts.{region}.api.aws"),
        |region| format!("portal.sso.{region}.api.aws"),
    );
    for (name, setting, expected) in [
        ("nothing", Setting::default(), &usual),
        ("FIPS by configuration", ours("use_fips: true"), &fips),
        (
            "FIPS by variable",
            variable("AWS_USE_FIPS_ENDPOINT", "true"),
            &fips,
        ),
        (
            "FIPS by profile",
            profile("use_fips_endpoint = true"),
            &fips,
        ),
        (
            "dual stack by variable",
            variable("AWS_USE_DUALSTACK_ENDPOINT", "true"),
            &dual_stack,
        ),
        (
            "dual stack by profile",
            profile("use_dualstack_endpoint = true"),
            &dual_stack,
        ),
    ] {
        let found: BTreeSet<_> = run(&setting, &url, &asked).into_iter().collect();
        assert_eq!(&found, expected, "{name}");
    }
}

#[test]
fn an_endpoint_url_reaches_every_source_of_credentials() {
    let (proxy, asked) = recorder();
    let url = &proxy;
    let by_service = Setting {
        variables: ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SSO"]
            .map(|name| (name, url.clone()))
            .into(),
        ..Setting::default()
    };
    let services = format!(
        "services = s\n[services s]\nsts =\n  endpoint_url = {url}\nsso =\n  endpoint_url = {url}"
    );
    let nearest = Setting {
        ours: format!("endpoint_url: '{url}'"),
        ..variable("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    };
    for (name, setting) in [
        ("by configuration", ours(&format!("endpoint_url: '{url}'"))),
        ("by variable", variable("AWS_ENDPOINT_URL", url)),
        ("by a service's variable", by_service),
        ("by profile", profile(&format!("endpoint_url = {url}"))),
        ("by a profile's services", profile(&services)),
        ("by configuration before a variable", nearest),
    ] {
        let mut found = run(&setting, &proxy, &asked);
        found.sort();
        let sso = "/federation/credentials?role_name=r&account_id=111111111111";
        let mut expected = vec![
            sso,
            "AssumeRole",
            "AssumeRole",
            "AssumeRole",
            "AssumeRole",
            "AssumeRoleWithWebIdentity",
            "AssumeRoleWithWebIdentity",
            "GetCallerIdentity",
            "GetCallerIdentity",
        ];
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn endpoint_urls_that_are_to_be_ignored_reach_no_source_of_credentials() {
    let (url, asked) = recorder();
    let ignored = Setting {
        variables: vec![
            ("AWS_ENDPOINT_URL", url.clone()),
            ("AWS_ENDPOINT_URL_STS", url.clone()),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true".to_owned()),
        ],
        profile: format!("endpoint_url = {url}\n"),
        ..Setting::default()
    };
    let found = run(&ignored, &url, &asked);
    assert_eq!(found.len(), SOURCES.len());
    assert!(
        found.iter().all(|asked| asked.starts_with("CONNECT ")),
        "{found:?}"
    );
}
