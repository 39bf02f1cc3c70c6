//! What may be wrong with credentials: one process, one profile for each row beside one that is
//! good.
//! The difference is that to the good one, which asks the same account.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::difference::{difference, of_account};
use crate::expected::never_known;
use crate::harness::Samples;
use crate::invariants;
use crate::row::Selection;
use crate::scene::{Scene, eventually, report};

/// A profile that cannot be used.
pub struct Row {
    pub name: &'static str,
    /// The body of `[profile NAME]`; `FOLDER` is that of the scene.
    profile: &'static str,
    reason: &'static str,
    operation: &'static str,
    /// What the log says of it.
    says: &'static str,
}

const fn row(name: &'static str, profile: &'static str) -> Row {
    Row {
        name,
        profile,
        reason: "credentials",
        operation: "GetCallerIdentity",
        says: "",
    }
}

/// A row of which the log says this.
const fn says(name: &'static str, profile: &'static str, says: &'static str) -> Row {
    Row {
        says,
        ..row(name, profile)
    }
}

macro_rules! control {
    ($($name:literal: $part:literal $character:literal -> $says:literal;)*) => {
        /// A control character in a part of what a process prints.
        const CONTROL: &[Row] = &[$(says(
            $name,
            concat!("credential_process = sh FOLDER/control.sh ", $part, " ", $character),
            $says,
        )),*];
    };
}

control! {
    "F6-key-lf": "key" "lf" -> "the access key id holds a control character (a line feed)";
    "F6-key-cr": "key" "cr" -> "the access key id holds a control character (a carriage return)";
    "F6-key-nul": "key" "nul" -> "the access key id holds a control character (a NUL)";
    "F6-secret-lf": "secret" "lf" ->
        "the secret access key holds a control character (a line feed)";
    "F6-secret-cr": "secret" "cr" ->
        "the secret access key holds a control character (a carriage return)";
    "F6-secret-nul": "secret" "nul" -> "the secret access key holds a control character (a NUL)";
    "F6-token-lf": "token" "lf" -> "the session token holds a control character (a line feed)";
    "F6-token-cr": "token" "cr" ->
        "the session token holds a control character (a carriage return)";
    "F6-token-nul": "token" "nul" -> "the session token holds a control character (a NUL)";
}

/// The rows.
pub const ROWS: &[Row] = &[
    row("process-fails", "credential_process = sh FOLDER/fails.sh"),
    row("process-prints-nothing", "credential_process = true"),
    row("process-prints-garbage", "credential_process = echo }{"),
    row("process-missing", "credential_process = /does/not/exist"),
    row(
        "process-expired",
        "credential_process = sh FOLDER/expired.sh",
    ),
    row("process-floods", "credential_process = sh FOLDER/floods.sh"),
    says(
        "F11-source-missing",
        "role_arn = arn:aws:iam::111111111111:role/r\nsource_profile = nowhere",
        "no profile nowhere in",
    ),
    says(
        "F12-login-session",
        "login_session = arn:aws:iam::111111111111:user/x",
        "login_session is not supported",
    ),
    row(
        "source-of-itself",
        "role_arn = arn:aws:iam::111111111111:role/r\nsource_profile = self",
    ),
    row(
        "key-without-secret",
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE",
    ),
    row("nothing-in-it", "region = us-east-1"),
    says(
        "F8-token-file-missing",
        "role_arn = arn:aws:iam::111111111111:role/r\nweb_identity_token_file = FOLDER/none",
        "cannot read the web identity token file",
    ),
    row(
        "token-file-a-directory",
        "role_arn = arn:aws:iam::111111111111:role/r\nweb_identity_token_file = FOLDER",
    ),
    Row {
        profile: "aws_access_key_id = AKIAUNKNOWNEXAMPLE00\naws_secret_access_key = any",
        ..row("key-that-aws-does-not-know", "")
    },
];

const WORLD: &str = "
credentials: [{ access_key_id: AKIAIOSFODNN7EXAMPLE, account: '111111111111' }]
accounts:
  - { id: '111111111111', trails: [{ name: main }] }
  - { id: '222222222222', trails: [{ name: main, logging: false }] }
  - { id: '333333333333' }
";
const GOOD: &str = "
[profile good]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = any
";

/// All selected rows at once.
pub fn run() {
    let selection = Selection::from_environment();
    let all = ROWS.iter().chain(CONTROL).enumerate();
    let chosen = all.filter(|(n, row)| selection.has(*n, row.name));
    let chosen: Vec<_> = chosen.map(|(_, row)| row).collect();
    let scene = Scene::of(WORLD, &config(&chosen), |_, folder, command| {
        command.env("AWS_CONFIG_FILE", profiles(folder, &chosen));
    });
    eventually("each profile has its reason", || {
        let now = scene.daemon.metrics();
        invariants::hold(&now);
        let wrong: Vec<_> = chosen.iter().filter_map(|row| wrong(&now, row)).collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("\n"))
        }
    });
    eventually("the log says why", || {
        let log = scene.daemon.log();
        let unsaid = chosen.iter().filter(|row| !row.is_said_in(&log));
        match unsaid.map(|row| row.name).collect::<Vec<_>>() {
            unsaid if unsaid.is_empty() => Ok(()),
            unsaid => Err(format!("{unsaid:?}")),
        }
    });
    scene.end();
}

impl Row {
    /// On one line with the name of the account.
    fn is_said_in(&self, log: &str) -> bool {
        let mut lines = log.lines();
        lines.any(|line| line.contains(self.name) && line.contains(self.says))
    }
}

/// What is not as it should be beside the good profile.
fn wrong(now: &Samples, row: &Row) -> Option<String> {
    let good = of_account(now, "good", "111111111111");
    let shown = difference(&good, &of_account(now, row.name, ""));
    let right = never_known(row.operation, row.reason);
    (shown != right).then(|| format!("{}: {}", row.name, report(&shown, &right)))
}

fn config(rows: &[&Row]) -> String {
    let mut config = String::from("poll: { interval: 5s, timeout: 5s }\naccounts:\n");
    let names = rows.iter().map(|row| row.name);
    for name in std::iter::once("good").chain(names) {
        writeln!(config, "  - {{ name: {name}, profile: {name} }}").unwrap();
    }
    config
}

/// Writes the profiles and what they name.
fn profiles(folder: &Path, rows: &[&Row]) -> PathBuf {
    let shown = folder.display().to_string();
    let mut text = GOOD.to_owned();
    for row in rows {
        let body = row.profile.replace("FOLDER", &shown);
        write!(text, "[profile {}]\n{body}\n", row.name).unwrap();
    }
    for (name, script) in SCRIPTS {
        std::fs::write(folder.join(name), script).unwrap();
    }
    let file = folder.join("profiles");
    std::fs::write(&file, text).unwrap();
    file
}

const SCRIPTS: [(&str, &str); 4] = [
    (
        "fails.sh",
        "echo token canary-helper-stderr-93b0 refused >&2; exit 3",
    ),
    (
        "expired.sh",
        r#"echo '{"Version":1,"AccessKeyId":"ASIAEXPIREDEXAMPLE00","SecretAccessKey":"any",
"SessionToken":"x","Expiration":"2020-01-01T00:00:00Z"}'"#,
    ),
    (
        "control.sh",
        r#"case $2 in lf) c='\n';; cr) c='\r';; nul) c='\u0000';; esac
key=AKIAIOSFODNN7EXAMPLE secret=any token=any
case $1 in key) key=$key$c;; secret) secret=$secret$c;; token) token=$token$c;; esac
printf '{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s","SessionToken":"%s"}' \
    "$key" "$secret" "$token""#,
    ),
    ("floods.sh", "yes | head -c 50000000"),
];
