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
}

const fn row(name: &'static str, profile: &'static str) -> Row {
    Row {
        name,
        profile,
        reason: "credentials",
        operation: "GetCallerIdentity",
    }
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
    row(
        "source-missing",
        "role_arn = arn:aws:iam::111111111111:role/r\nsource_profile = nowhere",
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
    row(
        "token-file-missing",
        "role_arn = arn:aws:iam::111111111111:role/r\nweb_identity_token_file = FOLDER/none",
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
    let all = ROWS.iter().enumerate();
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
    scene.end();
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

const SCRIPTS: [(&str, &str); 3] = [
    (
        "fails.sh",
        "echo token canary-helper-stderr-93b0 refused >&2; exit 3",
    ),
    (
        "expired.sh",
        r#"echo '{"Version":1,"AccessKeyId":"ASIAEXPIREDEXAMPLE00","SecretAccessKey":"any",
"SessionToken":"x","Expiration":"2020-01-01T00:00:00Z"}'"#,
    ),
    ("floods.sh", "yes | head -c 50000000"),
];
