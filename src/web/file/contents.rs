//! The files of a web configuration, each read once: what is compared is what is used.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::pem::Pem;
use crate::files;

/// The largest file read: a larger one is neither a web configuration nor certificates.
const MAX_BYTES: u64 = 1024 * 1024;

/// A file's content, or why there is none.
type Content = Result<Arc<[u8]>, String>;

/// What was read so far.
#[derive(Default)]
pub(crate) struct Contents(RefCell<HashMap<PathBuf, Content>>);

impl Contents {
    /// What a file holds; read when it is asked for first.
    pub(crate) fn read(&self, path: &Path) -> Content {
        let mut known = self.0.borrow_mut();
        let content = known.entry(path.to_owned()).or_insert_with(|| {
            let read = files::read(path, MAX_BYTES);
            read.map(Arc::from).map_err(|error| error.to_string())
        });
        content.clone()
    }

    /// The same as text.
    pub(super) fn text(&self, path: &Path) -> Result<String, String> {
        let content = self.read(path)?;
        let text = std::str::from_utf8(&content).map_err(|_| "not UTF-8")?;
        Ok(text.to_owned())
    }

    /// Of a file and others beside it, their contents or why there are none.
    pub(super) fn digest(&self, path: &Path, sources: &[Pem]) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |content: Content| {
            let (mark, bytes) = match &content {
                Ok(bytes) => (1, &bytes[..]),
                Err(problem) => (0, problem.as_bytes()),
            };
            hash.update([mark]);
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        add(self.read(path));
        for source in sources {
            add(source.read(self).map(Arc::from));
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_changes_between_two_looks_is_read_once() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "old").expect("written");
        let contents = Contents::default();
        let digest = contents.digest(file.path(), &[]);
        std::fs::write(file.path(), "new").expect("written");
        assert_eq!(contents.text(file.path()).as_deref(), Ok("old"));
        assert_eq!(contents.digest(file.path(), &[]), digest);
        assert_ne!(Contents::default().digest(file.path(), &[]), digest);
    }

    #[test]
    fn missing_file_differs_from_an_empty_one() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let empty = Contents::default().digest(file.path(), &[]);
        let path = file.path().to_owned();
        drop(file);
        assert_ne!(Contents::default().digest(&path, &[]), empty);
    }
}
