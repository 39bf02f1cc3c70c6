//! From files to sections: bounded, of regular files alone, and with the place of each error.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use aws_runtime::env_config::error::EnvConfigFileLoadError;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source::{Source, load};
use aws_types::os_shim_internal::{Env, Fs};
use futures_util::FutureExt as _;

use super::{Files, SharedConfigError};
use crate::files::{self, ReadError};

/// Thousands of profiles fit; whatever is larger is no file of profiles.
const MAX_BYTES: u64 = 1024 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What Linux numbers `/dev/null`: the one device that people name where they mean an empty file.
const NULL_DEVICE: u64 = 0x103;

/// The sections of both files; a file that does not exist has none.
pub(super) fn sections(files: &Files) -> Result<EnvConfigSections, SharedConfigError> {
    let mut builder = EnvConfigFiles::builder();
    let mut texts = HashMap::new();
    for (kind, path) in [
        (EnvConfigFileKind::Config, &files.config),
        (EnvConfigFileKind::Credentials, &files.credentials),
    ] {
        let Some(path) = path else { continue };
        if let Some(text) = text(path)? {
            builder = builder.with_file(kind, path);
            texts.insert(path.display().to_string(), text);
        }
    }
    if texts.is_empty() {
        return Ok(EnvConfigSections::default());
    }
    let source = source(&builder.build(), &texts)?;
    EnvConfigSections::parse(source).map_err(|error| located(&error.to_string(), &texts))
}

/// The files are in memory, so nothing is waited for.
fn source(
    files: &EnvConfigFiles,
    texts: &HashMap<String, String>,
) -> Result<Source, SharedConfigError> {
    let (env, fs) = (Env::from_slice(&[]), Fs::from_map(texts.clone()));
    let loaded = load(&env, &fs, files).now_or_never();
    let unread = |error: EnvConfigFileLoadError| SharedConfigError(error.to_string());
    loaded
        .ok_or_else(|| SharedConfigError("the shared AWS files cannot be read".to_owned()))?
        .map_err(unread)
}

fn text(path: &Path) -> Result<Option<String>, SharedConfigError> {
    let at = path.display();
    if is_null(path) {
        return Ok(None);
    }
    let bytes = match files::read(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SharedConfigError(format!("cannot read {at}: {error}"))),
    };
    if bytes.starts_with(BYTE_ORDER_MARK) {
        return Err(SharedConfigError(format!(
            "{at}:1: the file begins with a byte order mark; save it as UTF-8 without one"
        )));
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..place).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        SharedConfigError(format!(
            "{at}:{line}: this is not UTF-8; save the file as UTF-8"
        ))
    })
}

fn is_null(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.rdev() == NULL_DEVICE)
}

/// The parser's words, `error parsing FILE on line N:` and a line about it, as we write places.
fn located(error: &str, texts: &HashMap<String, String>) -> SharedConfigError {
    let find = || {
        let (place, problem) = error.split_once(":\n")?;
        let (path, line) = place
            .strip_prefix("error parsing ")?
            .rsplit_once(" on line ")?;
        let text = texts
            .get(path)?
            .lines()
            .nth(line.parse::<usize>().ok()? - 1)?;
        Some(format!(
            "{path}:{line}: {}",
            what_is_wrong(text, problem.trim())
        ))
    };
    SharedConfigError(find().unwrap_or_else(|| error.replace('\n', " ")))
}

/// Nothing of the line itself: it may hold a secret.
fn what_is_wrong(line: &str, problem: &str) -> String {
    let indented = line.starts_with([' ', '\t']);
    let known = if problem.contains("continuation") {
        "the line is indented, and no property above it is continued; remove the indentation"
    } else if problem.starts_with("Expected a profile definition") && !indented {
        "a property stands above the first section; write [profile NAME] above it"
    } else if problem.contains("must end with ']'") {
        "the section header does not end with ]; let nothing but a comment (# or ;) follow it"
    } else if problem.contains("'='") {
        "the line has no = sign; write KEY = VALUE"
    } else if problem.contains("did not have a name") {
        "nothing stands before the = sign; write KEY = VALUE"
    } else {
        return problem.to_owned();
    };
    known.to_owned()
}

/// The number of the first line that is this text.
pub(super) fn line_of(path: &Path, wanted: &str) -> Option<usize> {
    let text = text(path).ok()??;
    let found = text.lines().position(|line| line.trim() == wanted);
    found.map(|index| index + 1)
}
