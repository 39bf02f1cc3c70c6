//! Tells the binary what it is: git revision, compiler and target, for `--version` and `cloudtrail_exporter_build_info`.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-env-changed=CLOUDTRAIL_EXPORTER_REVISION");
    let revision = std::env::var("CLOUDTRAIL_EXPORTER_REVISION")
        .ok()
        .or_else(|| first_line("git", &["rev-parse", "--short=12", "HEAD"]));
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    set("REVISION", revision);
    set("RUSTC", first_line(&rustc, &["--version"]));
    set("TARGET", std::env::var("TARGET").ok());
}

fn set(name: &str, value: Option<String>) {
    let value = value.unwrap_or_else(|| "unknown".into());
    println!("cargo::rustc-env=CLOUDTRAIL_EXPORTER_BUILD_{name}={value}");
}

fn first_line(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}
