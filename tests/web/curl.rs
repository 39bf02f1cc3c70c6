//! A real client.

use std::path::Path;

use tokio::process::Command;

/// What curl made of a request.
#[derive(Debug)]
pub(crate) struct Curled {
    /// 0 if it was answered; else curl's own number for what went wrong.
    pub(crate) exit: i32,
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
    pub(crate) notes: String,
}

/// curl's exit codes, as its manual lists them.
pub(crate) const GOT_NOTHING: i32 = 52;
pub(crate) const TLS_CONNECT: i32 = 35;
pub(crate) const RECEIVE: i32 = 56;
pub(crate) const CERTIFICATE: i32 = 60;

/// Runs curl in a directory, where it finds the certificates.
pub(crate) async fn curl(directory: &Path, args: &[&str]) -> Curled {
    let output = Command::new("curl")
        .current_dir(directory)
        .args(["-sv", "-D", "-", "--max-time", "10"])
        .args(args)
        .output()
        .await
        .expect("curl is installed");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let (head, body) = stdout.split_once("\r\n\r\n").unwrap_or((&stdout, ""));
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Curled {
        exit: output.status.code().unwrap_or(-1),
        status: status.unwrap_or(0),
        head: head.to_owned(),
        body: body.to_owned(),
        notes: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
