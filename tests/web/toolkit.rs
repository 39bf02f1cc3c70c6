//! The web configuration, held against what exporter-toolkit does with its own files: every file here is named for its one point.

use std::path::{Path, PathBuf};

use cloudtrail_exporter::web::WebFile;

use crate::papers::Papers;

fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web/toolkit");
    let entries = std::fs::read_dir(directory).expect("a directory");
    let mut files: Vec<_> = entries.map(|e| e.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn good_files_are_taken_and_bad_ones_refused_by_key() {
    let papers = Papers::new();
    let mut refused = 0;
    for file in files() {
        let text = std::fs::read_to_string(&file).expect("text");
        let path = papers.copy(&file);
        let outcome = WebFile::load(&path).map_err(|e| e.reasons().join("\n"));
        match text
            .strip_prefix("# refused: ")
            .and_then(|t| t.lines().next())
        {
            None => assert_eq!(outcome.map(|_| ()), Ok(()), "{}", file.display()),
            Some(why) => {
                let error = outcome.expect_err(&file.display().to_string());
                assert!(error.contains(why), "{}: {error}", file.display());
                refused += 1;
            }
        }
    }
    assert!(refused >= 40, "{refused} files");
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_its_name() {
    let error = WebFile::load(Path::new("/nowhere/web.yml")).expect_err("no file");
    assert!(
        error.to_string().starts_with("/nowhere/web.yml: "),
        "{error}"
    );
}

#[test]
fn every_fault_of_a_file_is_told_at_once_and_no_secret_with_it() {
    let papers = Papers::new();
    let text = "tls_server_config:\n  cert_file: server.crt\n  key: [hunter2]\n  min_version: TLS10\nbasic_auth_users:\n  dave: hunter2\n";
    let path = papers.write("web.yml", text);
    let error = WebFile::load(&path).expect_err("refused");
    assert_eq!(error.reasons().len(), 4, "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn certificate_and_key_may_stand_inline() {
    let papers = Papers::new();
    let inline = |name: &str| papers.read(name).replace('\n', "\n    ");
    let text = format!(
        "tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n",
        inline("server.crt"),
        inline("server.key")
    );
    let file = WebFile::load(&papers.write("web.yml", &text)).expect("good");
    assert!(file.has_tls());
    assert!(!format!("{file:?}").contains("PRIVATE KEY"));
}
