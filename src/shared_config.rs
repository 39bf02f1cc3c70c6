//! The configuration and credentials files that all AWS tools share: profiles, read whole or refused
//! with file, line and problem.
//!
//! The grammar is the SDK's own parser's. What it would leave out in silence (a file that cannot be
//! read or is no text) is an error here, since an account would be asked with other credentials or at
//! another endpoint than written.

mod file;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use aws_runtime::env_config::property::PropertiesKey;
use aws_runtime::env_config::section::{EnvConfigSections, Profile as Section};

/// A look-up in the environment; an empty variable is as good as unset.
pub type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The profile of whoever names none.
const DEFAULT_PROFILE: &str = "default";

/// Profiles and sessions of both files.
#[derive(Debug, Clone)]
pub struct SharedConfig {
    sections: EnvConfigSections,
    files: Files,
    /// What `AWS_PROFILE` says.
    named: Option<String>,
}

/// Where the two files are expected.
#[derive(Debug, Clone)]
pub struct Files {
    config: Option<PathBuf>,
    credentials: Option<PathBuf>,
}

/// A shared file cannot be used. Says which one, where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SharedConfigError(String);

/// What a profile says beside its credentials, as far as it decides whom calls go to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileSettings(BTreeMap<String, String>);

/// The keys of these settings.
const SETTINGS: [&str; 5] = [
    "region",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "endpoint_url",
    "ignore_configured_endpoint_urls",
];

/// One profile.
#[derive(Clone, Copy)]
pub struct Profile<'a> {
    section: &'a Section,
    of: &'a SharedConfig,
}

impl SharedConfig {
    /// Reads both files.
    pub fn read(variable: Variable<'_>) -> Result<Self, SharedConfigError> {
        let files = Files::of(variable);
        Ok(Self {
            sections: file::sections(&files)?,
            files,
            named: variable("AWS_PROFILE"),
        })
    }

    /// Files without any profile.
    pub fn empty() -> Self {
        Self {
            sections: EnvConfigSections::default(),
            files: Files {
                config: None,
                credentials: None,
            },
            named: None,
        }
    }

    /// A profile by its name.
    pub fn profile(&self, name: &str) -> Option<Profile<'_>> {
        let section = self.sections.get_profile(name)?;
        Some(Profile { section, of: self })
    }

    /// The settings of a profile; none if there is no such profile.
    pub fn settings(&self, name: &str, services: &[&str]) -> ProfileSettings {
        let profile = self.profile(name);
        let keys = SETTINGS
            .into_iter()
            .filter_map(|key| Some((key, profile?.get(key)?)));
        let urls = services
            .iter()
            .filter_map(|service| Some((*service, profile?.service_endpoint_url(service)?)));
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        ProfileSettings(keys.chain(urls).map(owned).collect())
    }

    /// The name of the profile that applies where none is written: that of `AWS_PROFILE`.
    pub fn selected(&self) -> &str {
        self.named.as_deref().unwrap_or(DEFAULT_PROFILE)
    }

    /// Whether `AWS_PROFILE` names it, so that it must exist.
    pub fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// What to say of a profile that does not exist.
    pub fn missing(&self, name: &str) -> String {
        self.files.missing(name)
    }

    /// Whether there is a section `[sso-session NAME]`.
    pub fn has_sso_session(&self, name: &str) -> bool {
        self.sections.sso_session(name).is_some()
    }

    /// A property of the section `[sso-session NAME]`.
    pub fn sso_property(&self, session: &str, key: &str) -> Option<&str> {
        let value = self.sections.sso_session(session)?.get(key)?;
        Some(value).filter(|value| !value.is_empty())
    }

    /// The files, as errors name them.
    pub fn files(&self) -> &Files {
        &self.files
    }
}

impl<'a> Profile<'a> {
    /// Its name.
    pub fn name(self) -> &'a str {
        self.section.name()
    }

    /// The value of a key; one without a value is as good as not written.
    pub fn get(self, key: &str) -> Option<&'a str> {
        self.section.get(key).filter(|value| !value.is_empty())
    }

    /// The endpoint of one service, of the `[services NAME]` section that the profile names.
    pub fn service_endpoint_url(self, service: &str) -> Option<&'a str> {
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(self.get("services")?)
            .property_name(service)
            .sub_property_name("endpoint_url")
            .build();
        let found = self.of.sections.other_sections().get(&key.ok()?);
        found.map(String::as_str).filter(|url| !url.is_empty())
    }
}

impl Files {
    /// Where the environment says that they are.
    pub fn of(variable: Variable<'_>) -> Self {
        let home = variable("HOME").map(PathBuf::from);
        let path = |name: &str, usual: &str| match variable(name) {
            Some(path) => Some(expanded(&path, home.as_deref())),
            None => home.as_deref().map(|home| home.join(usual)),
        };
        Self {
            config: path("AWS_CONFIG_FILE", ".aws/config"),
            credentials: path("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
        }
    }

    fn missing(&self, name: &str) -> String {
        let problem = format!("no profile {name} in {self}");
        let unprefixed = format!("[{name}]");
        let config = self.config.as_deref();
        match config.and_then(|path| file::line_of(path, &unprefixed)) {
            Some(line) if name != DEFAULT_PROFILE => {
                let path = config.unwrap_or(Path::new("")).display();
                format!("{problem}: {path}:{line} says {unprefixed}; write [profile {name}]")
            }
            _ => problem,
        }
    }
}

/// `~/` is the home directory, as every AWS tool reads it.
fn expanded(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [&self.config, &self.credentials];
        let mut paths = all.into_iter().flatten().peekable();
        if paths.peek().is_none() {
            return f.write_str("any file (HOME is not set)");
        }
        for (n, path) in paths.enumerate() {
            let before = if n == 0 { "" } else { " or " };
            write!(f, "{before}{}", path.display())?;
            if !path.exists() {
                f.write_str(" (which does not exist)")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
