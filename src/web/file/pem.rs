//! Where certificates and keys come from: a file or the text itself.

use std::path::{Path, PathBuf};

use super::contents::Contents;
use super::tree::Table;
use crate::config::Secret;

/// PEM, in a file or inline, and the key of the web configuration that says so.
#[derive(Debug, Clone)]
pub(crate) struct Pem {
    /// The key that names it, for errors.
    pub(crate) key: String,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Inline(Secret),
}

impl Pem {
    /// The one of two keys that is given: `NAME` with the text, or `NAME_file` with a path relative to the web configuration.
    pub(super) fn of(table: &mut Table<'_>, name: &str, directory: &Path) -> Option<Self> {
        let file_key = format!("{name}_file");
        let (inline, file) = (table.text(name), table.text(&file_key));
        match (inline, file) {
            (Some(_), Some(_)) => {
                table.tell(name, &format!("write this or {file_key}, not both"));
                None
            }
            (Some(text), None) => Some(Self::new(name, Place::Inline(Secret::new(&text)))),
            (None, Some(path)) => Some(Self::new(&file_key, Place::File(directory.join(path)))),
            (None, None) => None,
        }
    }

    fn new(key: &str, place: Place) -> Self {
        Self {
            key: format!("tls_server_config.{key}"),
            place,
        }
    }

    /// The PEM, from what was read.
    pub(crate) fn read(&self, contents: &Contents) -> Result<Vec<u8>, String> {
        match &self.place {
            Place::Inline(text) => Ok(text.expose().as_bytes().to_vec()),
            Place::File(path) => {
                let read = contents.read(path).map(|bytes| bytes.to_vec());
                read.map_err(|problem| self.wrong(&problem))
            }
        }
    }

    /// The error that something is wrong with what was read.
    pub(crate) fn wrong(&self, problem: &str) -> String {
        let place = match &self.place {
            Place::Inline(_) => String::new(),
            Place::File(path) => format!("{}: ", path.display()),
        };
        format!("{}: {place}{problem}", self.key)
    }
}
