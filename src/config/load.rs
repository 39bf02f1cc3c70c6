//! From bytes to a [`Config`]: the only file of this room that reads the configuration file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ::config::ValueKind;
use sha2::{Digest, Sha256};

use super::accounts::{self, Inherited};
use super::endpoints::Sources;
use super::errors::{Faults, Read};
use super::external_id::Surroundings;
use super::field::Table;
use super::{AwsSettings, Config, ConfigErrors, Variables, layers, organizations, settings, yaml};
use crate::files::{self, ReadError};
use crate::shared_config::SharedConfig;
use crate::threads::WorkerError;

/// The largest file read: some hundred thousand accounts; whatever is larger is no configuration.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// How much of the SHA-256 tells one text from another in a label.
const SHORT_HEX: usize = 12;
/// What stands in where there is no file.
const AMBIENT: &str = "accounts: [{ name: ambient, ambient: true }]";
/// What errors name where there is none.
const NO_FILE: &str = "no configuration file";
const WHOM: &str = "write accounts:, or enable discovery.organizations; without any file the account of the ambient credentials is polled";

/// Tells one content of a file from another, or one reason why it cannot be read from another.
pub type Fingerprint = [u8; 32];

/// A configuration file, read once: what is hashed is what is parsed.
#[derive(Debug)]
pub struct ConfigFile {
    path: PathBuf,
    content: Result<Vec<u8>, String>,
}

impl ConfigFile {
    /// Reads a file.
    pub fn read(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            content: files::read(path, MAX_BYTES).map_err(|error| problem(&error)),
        }
    }

    /// Of the content, or of why there is none.
    pub fn fingerprint(&self) -> Fingerprint {
        match &self.content {
            Ok(bytes) => Sha256::digest(bytes).into(),
            Err(problem) => Sha256::digest(problem).into(),
        }
    }

    /// The configuration it holds, under the variables of this process, which takes one of so many
    /// shards. Reads the files that it refers to.
    pub fn config(&self, shards: usize) -> Result<Config, ConfigErrors> {
        match &self.content {
            Ok(bytes) => parse(bytes, &self.path, &Variables::of_process(), shards),
            Err(problem) => Err(ConfigErrors::of_file(&self.path, problem)),
        }
    }

    /// The error that reading one did not end in time.
    pub fn overdue(path: &Path, error: WorkerError) -> ConfigErrors {
        let problem = format!("cannot be read: reading it {error}; see whether its disk answers");
        ConfigErrors::of_file(path, &problem)
    }
}

fn problem(error: &ReadError) -> String {
    match error {
        ReadError::TooLarge(limit) => {
            format!("is larger than {limit} bytes; write less, or let discovery find the accounts")
        }
        error => format!("cannot be read ({error}); name a file this process may read"),
    }
}

impl Config {
    /// Reads a file and what it refers to, under the variables of this process, for a process that
    /// takes one of so many shards.
    pub fn read(path: &Path, shards: usize) -> Result<Self, ConfigErrors> {
        ConfigFile::read(path).config(shards)
    }

    /// Makes a configuration of the bytes of the file `path`: errors name it, and paths in it begin in its directory.
    pub fn parse(bytes: &[u8], path: &Path, variables: &Variables) -> Result<Self, ConfigErrors> {
        parse(bytes, path, variables, 1)
    }

    /// The configuration where there is no file, under what the variables set: the one account of the ambient credentials, without a name of its
    /// own; none if discovery is enabled, which will find it.
    pub fn ambient(variables: &Variables, shards: usize) -> Result<Self, ConfigErrors> {
        let mut config = Self::parse(AMBIENT.as_bytes(), Path::new(NO_FILE), variables)?;
        config.accounts.retain(|_| config.organizations.is_none());
        for account in &mut config.accounts {
            account.name = None;
        }
        if shards > 1 && !config.accounts.is_empty() {
            let faults = Faults::of(NO_FILE);
            let problem = format!(
                "the account of the ambient credentials cannot be one of {shards} shards', since only its credentials tell its id; write a file with its id, or enable discovery.organizations"
            );
            let told = faults.tell(None, "", problem);
            return faults.finish(Err(told));
        }
        Ok(config)
    }
}

/// Reads a text with what it refers to: paths in it begin in its directory.
fn parse(
    bytes: &[u8],
    path: &Path,
    variables: &Variables,
    shards: usize,
) -> Result<Config, ConfigErrors> {
    // Files that cannot be read are an error of the credentials that need them, and told with these.
    let shared = SharedConfig::read(&|name| variables.set(name).map(str::to_owned));
    let around = Surroundings {
        directory: path.parent().unwrap_or(Path::new("")),
        variables,
        shards,
        shared: &shared.unwrap_or_else(|_| SharedConfig::empty()),
    };
    let faults = Faults::of(&path.display().to_string());
    let config = from_bytes(bytes, around, &faults);
    faults.finish(config)
}

fn from_bytes(bytes: &[u8], around: Surroundings<'_>, faults: &Faults) -> Read<Config> {
    let text = text(bytes, faults)?;
    let tree = yaml::tree(text, faults)?;
    if tree.kind == ValueKind::Nil {
        return Err(faults.tell(None, "", format!("is empty; {WHOM}")));
    }
    let merged = layers::merge(tree, around.variables, around.shared, faults)?;
    let root = Table::root(&merged, faults)?;
    config(&root, around, faults, short_sha256(bytes))
}

fn text<'a>(bytes: &'a [u8], faults: &Faults) -> Read<&'a str> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(faults.tell(None, "", problem(&ReadError::TooLarge(MAX_BYTES))));
    }
    let wrong = |place: usize, problem: &str| {
        let before = bytes.get(..place).unwrap_or_default();
        let line = before.split(|b| *b == b'\n').count();
        faults.tell(Some(&line.to_string()), "", problem)
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|e| wrong(e.valid_up_to(), "is not UTF-8 here; save the file as UTF-8"))?;
    // The YAML reader takes a NUL for the end and would leave the rest unread.
    match text.find('\0') {
        Some(place) => Err(wrong(place, "has a NUL character here; remove it")),
        None => Ok(text),
    }
}

fn config(
    root: &Table<'_>,
    around: Surroundings<'_>,
    faults: &Faults,
    sha256: String,
) -> Read<Config> {
    let poll = settings::poll(root);
    let aws = settings::aws(root);
    let home = aws.as_ref().map(|aws| &aws.region).map_err(|told| *told);
    let defaults = settings::defaults(root, home, around);
    let organizations = {
        let defaults = defaults.as_ref().map_err(|told| *told);
        organizations::organizations(root, home, defaults, around)
    };
    let compliance = settings::compliance(root);
    let limits = settings::limits(root);
    let organization_trails = settings::organization_trails(root);
    let inherited = Inherited {
        poll: poll.as_ref().map_err(|told| *told),
        aws: aws.as_ref().map_err(|told| *told),
        defaults: defaults.as_ref().map_err(|told| *told),
        around,
    };
    let accounts = accounts::accounts(root, inherited);
    let by_profile = inherited.aws.and_then(|settings| {
        let sources = Sources {
            root,
            settings,
            around,
            faults,
        };
        let discovers = organizations.as_ref().is_ok_and(Option::is_some);
        sources.endpoints(accounts.as_deref().unwrap_or_default(), discovers)
    });
    let config = Config {
        poll: poll?,
        aws: AwsSettings {
            by_profile: by_profile?,
            ..aws?
        },
        defaults: defaults?,
        accounts: accounts?,
        organizations: organizations?,
        compliance: compliance?,
        organization_trails: organization_trails?,
        limits: limits?,
        sha256,
    };
    whole(root, &config)?;
    Ok(config)
}

/// What can only be judged of the whole.
fn whole(root: &Table<'_>, config: &Config) -> Read<()> {
    let accounts = root.field("accounts");
    let (number, most) = (config.accounts.len(), config.limits.max_accounts);
    if number > most {
        let problem = format!(
            "are {number}, more than limits.max_accounts ({most}); raise the limit or remove some"
        );
        return Err(accounts.wrong(problem));
    }
    if number == 0 && config.organizations.is_none() {
        return Err(accounts.wrong(format!("names no account; {WHOM}")));
    }
    Ok(())
}

fn short_sha256(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(bytes).iter().take(SHORT_HEX / 2) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_over_the_limit_is_refused_and_one_at_the_limit_is_read() {
        let faults = Faults::of("x.yaml");
        let mut bytes = vec![b' '; 16 * 1024 * 1024];
        assert!(text(&bytes, &faults).is_ok());
        bytes.push(b' ');
        let told = text(&bytes, &faults);
        let shown = faults.finish(told).expect_err("too large").to_string();
        assert!(
            shown.starts_with("x.yaml: is larger than 16777216 bytes"),
            "{shown}"
        );
    }
}
