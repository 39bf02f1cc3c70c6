//! External IDs: written in the file, held by another file, or by an environment variable. Their text is in no error.

use std::path::Path;

use super::errors::{Read, Told};
use super::field::{Field, Table};
use super::{Secret, Variables};
use crate::files;
use crate::shared_config::SharedConfig;

/// IAM's bounds on an external ID.
const LENGTH: std::ops::RangeInclusive<usize> = 2..=1224;
/// The largest file read: more than any external ID and a line end.
const MAX_FILE: u64 = 4096;
const FORM: &str = "no external ID (2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -); write the one of the role's trust policy";

/// What a configuration may refer to beside its own text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    /// Where relative paths begin.
    pub(super) directory: &'a Path,
    /// Where `external_id_env` looks.
    pub(super) variables: &'a Variables,
    /// How many processes divide the accounts among them.
    pub(super) shards: usize,
    /// Where profiles are.
    pub(super) shared: &'a SharedConfig,
}

/// The external ID of a table, if it has one: of the three keys at most one may be written.
pub(super) fn read(table: &Table<'_>, around: Surroundings<'_>) -> Read<Option<Secret>> {
    let said = fields(table);
    let [first, second, ..] = said.as_slice() else {
        return said.first().map(|field| one(field, around)).transpose();
    };
    let name = first.path().rsplit('.').next().unwrap_or_default();
    Err(second.wrong(format!("excludes {name}; keep one of them")))
}

/// Those of the three keys that are written.
pub(super) fn fields<'a>(table: &Table<'a>) -> Vec<Field<'a>> {
    let names = ["external_id", "external_id_file", "external_id_env"];
    let fields = names.map(|name| table.field(name));
    fields.into_iter().filter(Field::is_said).collect()
}

fn one(field: &Field<'_>, around: Surroundings<'_>) -> Read<Secret> {
    let text = field.needed(field.text())?;
    let path = field.path();
    if path.ends_with("_file") {
        return from_file(field, &around.directory.join(text));
    }
    if path.ends_with("_env") {
        return from_variable(field, text, around.variables);
    }
    secret(text).ok_or_else(|| field.wrong(format!("is {FORM}")))
}

fn from_file(field: &Field<'_>, path: &Path) -> Read<Secret> {
    let shown = path.display();
    let text = files::read_text(path, MAX_FILE).map_err(|e| {
        field.wrong(format!(
            "{shown} cannot be read ({e}); name a file this process may read"
        ))
    })?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    secret(text).ok_or_else(|| field.wrong(format!("{shown} holds {FORM}")))
}

/// A name that is none is not shown: it may be the secret itself, written under the wrong key.
fn from_variable(field: &Field<'_>, name: &str, variables: &Variables) -> Read<Secret> {
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(
            field.wrong("is no name of an environment variable; write one such as EXTERNAL_ID")
        );
    }
    let unset = || -> Told {
        field.wrong(format!(
            "the environment variable {name} is not set; set it"
        ))
    };
    let text = variables.get(name).ok_or_else(unset)?;
    secret(text).ok_or_else(|| field.wrong(format!("the environment variable {name} holds {FORM}")))
}

fn secret(text: &str) -> Option<Secret> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@:/-".contains(&b);
    let fits = LENGTH.contains(&text.len()) && text.bytes().all(allowed);
    fits.then(|| Secret::new(text))
}
