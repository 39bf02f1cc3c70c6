//! `credential_process`: a command that prints credentials.
//!
//! Run here and not by the SDK, which puts the command's standard error into its own error, reads
//! output without end and leaves a command running that nobody waits for any more.

use std::process::{ExitStatus, Stdio};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

/// Credentials are printed in one or two kilobytes.
const MAX_OUTPUT: u64 = 64 * 1024;

/// Runs the command through the shell. It is killed if nobody waits for it any more.
pub(super) async fn run(command: &str) -> Result<Credentials, String> {
    let spawned = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut child =
        spawned.map_err(|error| format!("{} cannot be run: {error}", shown(command)))?;
    let output = output(&mut child).await;
    let output = output.map_err(|problem| format!("{} {problem}", shown(command)))?;
    parse(&output).map_err(|problem| format!("the output of {} {problem}", shown(command)))
}

async fn output(child: &mut Child) -> Result<Vec<u8>, String> {
    let mut output = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(MAX_OUTPUT + 1).read_to_end(&mut output).await;
        read.map_err(|error| format!("cannot be read: {error}"))?;
    }
    if output.len() as u64 > MAX_OUTPUT {
        return Err(format!("prints more than {MAX_OUTPUT} bytes"));
    }
    let status = child.wait().await;
    let status = status.map_err(|error| format!("cannot be waited for: {error}"))?;
    if status.success() {
        Ok(output)
    } else {
        Err(ended(status))
    }
}

fn ended(status: ExitStatus) -> String {
    format!(
        "ended with {status}; run it by hand to see why (its standard error may hold secrets and \
         is not logged)"
    )
}

/// The program alone: arguments may be secrets. A first word that sets a variable is none.
fn shown(command: &str) -> String {
    let program = command.split_whitespace().next().unwrap_or_default();
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if program.chars().all(is_path) && !program.is_empty() {
        format!("credential_process {program}")
    } else {
        "credential_process".to_owned()
    }
}

/// Nothing of the output is in an error: it may hold secrets.
fn parse(output: &[u8]) -> Result<Credentials, String> {
    let read = serde_json::from_slice::<Map<String, Value>>(output);
    let object = read.map_err(|_| "is no JSON object".to_owned())?;
    if field(&object, "Version").and_then(Value::as_i64) != Some(1) {
        return Err("does not say \"Version\": 1".to_owned());
    }
    let id = text(&object, "AccessKeyId")?.ok_or_else(|| lacks("AccessKeyId"))?;
    let secret = text(&object, "SecretAccessKey")?.ok_or_else(|| lacks("SecretAccessKey"))?;
    let token = text(&object, "SessionToken")?.map(str::to_owned);
    let end = text(&object, "Expiration")?.map(time).transpose()?;
    Ok(Credentials::new(
        id,
        secret,
        token,
        end,
        "credential_process",
    ))
}

/// Names are matched without regard to case, as the SDK does.
fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut fields = object.iter();
    fields
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match field(object, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("has a {name} that is no text")),
    }
}

fn lacks(name: &str) -> String {
    format!("has no {name}")
}

fn time(text: &str) -> Result<SystemTime, String> {
    let read = DateTime::from_str(text, Format::DateTimeWithOffset).ok();
    read.and_then(|time| SystemTime::try_from(time).ok())
        .ok_or_else(|| "has an Expiration that is no time such as 2026-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn credentials_are_read_from_the_output() {
        let printed = r#"echo '{"version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "s",
            "SessionToken": "t", "Expiration": "2030-01-02T03:04:05+00:00"}'"#;
        let found = run(printed).await.expect("credentials");
        assert_eq!(
            (found.access_key_id(), found.session_token()),
            ("AKIA", Some("t"))
        );
        assert!(found.expiry().is_some());
    }

    #[tokio::test]
    async fn a_failure_says_the_program_and_its_status_and_nothing_that_it_printed() {
        for (command, said) in [
            (
                "/bin/sh -c 'echo token hvs.SEKRIT refused >&2; echo hvs.SEKRIT; exit 3'",
                "credential_process /bin/sh ended with exit status: 3",
            ),
            (
                "VAULT_TOKEN=hvs.SEKRIT false",
                "credential_process ended with exit status: 1",
            ),
            (
                "echo hvs.SEKRIT",
                "the output of credential_process echo is no JSON object",
            ),
            ("echo '{\"hvs.SEKRIT\": 1}'", "does not say \"Version\": 1"),
            (
                "echo '{\"Version\": 1, \"AccessKeyId\": \"hvs.SEKRIT\"}'",
                "has no SecretAccessKey",
            ),
            (
                r#"echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"hvs.SEKRIT"}'"#,
                "has an Expiration that is no time",
            ),
        ] {
            let error = run(command).await.expect_err("no credentials");
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("SEKRIT"), "{error}");
        }
    }

    #[tokio::test]
    async fn output_without_end_is_not_taken_in() {
        let error = run("cat /dev/zero").await.expect_err("too much");
        assert!(error.contains("prints more than 65536 bytes"), "{error}");
    }
}
