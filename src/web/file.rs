//! The file of `--web.config.file`: TLS, users, response headers and a rate limit, in the schema of Prometheus's exporter-toolkit.
//!
//! Read whole or refused whole, every error told by its key. What rustls cannot do is refused by name rather than left out, so that nobody believes
//! to be safer than they are. A pure reading of text, but for the certificates it names: those are read to see that they are good.

mod contents;
mod headers;
mod names;
mod pem;
mod rate;
mod tls;
mod tree;
mod users;

use std::path::{Path, PathBuf};

use http::HeaderMap;

pub(super) use contents::Contents;
pub(super) use pem::Pem;
pub(super) use rate::RateLimit;
pub(super) use tls::{ClientAuth, TlsSettings};
pub(super) use users::UserHashes;

use super::tls::Tls;
use crate::config::one_line;
use crate::files;
use crate::threads::{Worker, WorkerError};
use tree::{Faults, Table};

/// A web configuration, checked, with its certificates read.
#[derive(Debug, Clone)]
pub struct WebFile {
    path: PathBuf,
    sources: Vec<Pem>,
    digest: [u8; 32],
    /// TLS, if it is on.
    pub(super) tls: Option<Tls>,
    /// Headers of every answer.
    pub(super) headers: HeaderMap,
    /// Who may read; everybody if there are none.
    pub(super) users: UserHashes,
    /// How often may be asked.
    pub(super) rate: Option<RateLimit>,
}

/// Why a web configuration was refused: every reason, one a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", path.display(), reasons.join("; "))]
pub struct WebFileError {
    path: PathBuf,
    reasons: Vec<String>,
}

impl WebFileError {
    /// The reasons, each with the key it is about.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// The file, or one that it names, is not read in time.
    pub(super) fn overdue(path: &Path, error: WorkerError) -> Self {
        let reason =
            format!("reading it and the files it names {error}: see whether their disk answers");
        Self {
            path: path.to_owned(),
            reasons: vec![reason],
        }
    }
}

impl WebFile {
    /// Reads a file and everything it names.
    pub fn load(path: &Path) -> Result<Self, WebFileError> {
        Self::from_contents(path, &Contents::default())
    }

    /// The same, on a thread of its own: an error if it does not end in time.
    pub fn load_in_time(path: &Path) -> Result<Self, WebFileError> {
        let own = path.to_owned();
        let loaded = Worker::new("web-config").wait(files::DEADLINE, move || Self::load(&own));
        loaded.unwrap_or_else(|error| Err(WebFileError::overdue(path, error)))
    }

    fn from_contents(path: &Path, contents: &Contents) -> Result<Self, WebFileError> {
        let refused = |reasons: Vec<String>| WebFileError {
            path: path.to_owned(),
            reasons: reasons.iter().map(|reason| one_line(reason)).collect(),
        };
        let text = contents.text(path).map_err(|e| refused(vec![e]))?;
        Self::parse(path, &text, contents).map_err(refused)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether clients must speak TLS.
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Reads the file again if it, or a file it names, is not what it was. TLS cannot be turned on or off under the clients' feet, and the doors
    /// are not opened: a file that is just being written may be empty for a moment.
    pub(super) fn reread(&self) -> Option<Result<Self, WebFileError>> {
        let contents = Contents::default();
        if contents.digest(&self.path, &self.sources) == self.digest {
            return None;
        }
        Some(Self::from_contents(&self.path, &contents).and_then(|new| self.succeeded_by(new)))
    }

    fn succeeded_by(&self, new: Self) -> Result<Self, WebFileError> {
        let mut reasons = Vec::new();
        if new.has_tls() != self.has_tls() {
            reasons.push(
                "tls_server_config: cannot be added or removed while running; restart".into(),
            );
        }
        if new.users.0.is_empty() && !self.users.0.is_empty() {
            reasons.push("basic_auth_users: cannot be emptied while running; restart".into());
        }
        if reasons.is_empty() {
            return Ok(new);
        }
        let path = self.path.clone();
        Err(WebFileError { path, reasons })
    }

    fn parse(path: &Path, text: &str, contents: &Contents) -> Result<Self, Vec<String>> {
        let faults = Faults::default();
        let directory = path.parent().unwrap_or(Path::new(""));
        let mut root = Table::root(text, &KEYS, &faults).map_err(|e| vec![e])?;
        let tls = root
            .table("tls_server_config", &tls::KEYS)
            .and_then(|mut table| TlsSettings::of(&mut table, directory));
        let headers = headers::of(&mut root);
        let users = UserHashes::of(&mut root);
        let rate = RateLimit::of(&mut root);
        faults.into_result()?;
        let sources = tls.as_ref().map(TlsSettings::sources).unwrap_or_default();
        let digest = contents.digest(path, &sources);
        let tls = tls.map(|tls| super::tls::tls(&tls, contents)).transpose();
        Ok(Self {
            path: path.to_owned(),
            digest,
            sources,
            tls: tls.map_err(|e| vec![e])?,
            headers,
            users,
            rate,
        })
    }
}

/// The keys of the whole file.
const KEYS: [&str; 4] = [
    "tls_server_config",
    "http_server_config",
    "basic_auth_users",
    "rate_limit",
];
