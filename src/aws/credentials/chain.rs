//! Which credentials a profile starts from and which roles it goes through: read from the shared
//! files alone, in the SDK's order. No I/O.

use aws_credential_types::Credentials;

use crate::config::Secret;
use crate::shared_config::{Profile, SharedConfig};

/// What a profile says about its credentials.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) start: Start,
    /// The roles assumed one after the other.
    pub(super) roles: Vec<BaseRole>,
}

/// Where the first credentials come from.
#[derive(Debug)]
pub(super) enum Start {
    Keys(Credentials),
    Environment,
    InstanceMetadata,
    Container,
    WebIdentity {
        role_arn: String,
        session_name: Option<String>,
        token_file: String,
    },
    IdentityCenter(IdentityCenter),
    Process(String),
}

/// A role in IAM Identity Center, and the sign-in that opens it.
#[derive(Debug, Clone)]
pub(super) struct IdentityCenter {
    pub(super) account_id: String,
    pub(super) role_name: String,
    pub(super) start_url: String,
    pub(super) region: String,
    pub(super) session: Option<String>,
}

/// A role that credentials of a profile assume.
#[derive(Debug)]
pub(super) struct BaseRole {
    pub(super) arn: String,
    pub(super) external_id: Option<Secret>,
    pub(super) session_name: Option<String>,
}

/// Why a profile leads to no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// It does not say anything about credentials.
    Without,
    /// What it says cannot be followed.
    Wrong(String),
}

/// Follows `source_profile` to the end.
pub(super) fn resolve(shared: &SharedConfig, name: &str) -> Result<Chain, Unresolved> {
    let (mut roles, mut seen) = (Vec::new(), Vec::new());
    let mut next = name;
    let start = loop {
        let profile = named(shared, next, seen.last())?;
        if seen.contains(&next) {
            return Err(wrong(format!(
                "source_profile leads from {next} back to {next}"
            )));
        }
        seen.push(next);
        // Keys of a source profile come before whatever else it says.
        if seen.len() > 1 && has_keys(profile) {
            break keys(profile);
        }
        let Some(role) = role(profile) else {
            break start(shared, profile);
        };
        roles.push(role);
        match source(profile)? {
            Some(other) => next = other,
            None => break start(shared, profile),
        }
    };
    roles.reverse();
    match start {
        Err(Unresolved::Without) if seen.len() > 1 => Err(wrong(format!(
            "profile {next}, the source_profile, holds no credentials"
        ))),
        start => Ok(Chain {
            start: start?,
            roles,
        }),
    }
}

fn wrong(problem: impl Into<String>) -> Unresolved {
    Unresolved::Wrong(problem.into())
}

fn named<'a>(
    shared: &'a SharedConfig,
    name: &str,
    by: Option<&&str>,
) -> Result<Profile<'a>, Unresolved> {
    shared.profile(name).ok_or_else(|| {
        let by = by.map(|by| format!(", the source_profile of {by}"));
        wrong(format!(
            "{}{}",
            shared.missing(name),
            by.unwrap_or_default()
        ))
    })
}

/// The role that a profile assumes with other credentials. A web identity needs none.
fn role(profile: Profile<'_>) -> Option<BaseRole> {
    if profile.get("web_identity_token_file").is_some() {
        return None;
    }
    Some(BaseRole {
        arn: profile.get("role_arn")?.to_owned(),
        external_id: profile.get("external_id").map(Secret::new),
        session_name: profile.get("role_session_name").map(str::to_owned),
    })
}

/// The profile whose credentials assume the role; none if the profile has them itself.
fn source(profile: Profile<'_>) -> Result<Option<&str>, Unresolved> {
    let name = profile.name();
    match (
        profile.get("source_profile"),
        profile.get("credential_source"),
    ) {
        (Some(_), Some(_)) => Err(wrong(format!(
            "profile {name} has both source_profile and credential_source; remove one of them"
        ))),
        (None, None) => Err(wrong(format!(
            "profile {name} has a role_arn, and nothing that assumes it; write source_profile, \
             credential_source or web_identity_token_file"
        ))),
        (Some(source), None) if source != name => Ok(Some(source)),
        _ => Ok(None),
    }
}

fn start(shared: &SharedConfig, profile: Profile<'_>) -> Result<Start, Unresolved> {
    if let Some(source) = profile.get("credential_source") {
        return named_source(source);
    }
    if let Some(file) = profile.get("web_identity_token_file") {
        return web_identity(profile, file);
    }
    if let Some(start) = identity_center(shared, profile)? {
        return Ok(Start::IdentityCenter(start));
    }
    if profile.get("login_session").is_some() {
        return Err(wrong(login_session(profile.name())));
    }
    match profile.get("credential_process") {
        Some(command) => Ok(Start::Process(command.to_owned())),
        None => keys(profile),
    }
}

fn named_source(source: &str) -> Result<Start, Unresolved> {
    match source.to_ascii_lowercase().as_str() {
        "environment" => Ok(Start::Environment),
        "ec2instancemetadata" => Ok(Start::InstanceMetadata),
        "ecscontainer" => Ok(Start::Container),
        _ => Err(wrong(format!(
            "credential_source {source:?} is unknown; write Environment, Ec2InstanceMetadata or \
             EcsContainer"
        ))),
    }
}

fn web_identity(profile: Profile<'_>, file: &str) -> Result<Start, Unresolved> {
    let Some(role_arn) = profile.get("role_arn") else {
        let name = profile.name();
        return Err(wrong(format!(
            "profile {name} has a web_identity_token_file, and no role_arn; write it"
        )));
    };
    Ok(Start::WebIdentity {
        role_arn: role_arn.to_owned(),
        session_name: profile.get("role_session_name").map(str::to_owned),
        token_file: file.to_owned(),
    })
}

fn login_session(name: &str) -> String {
    format!(
        "login_session is not supported; name a profile instead that says credential_process = \
         aws configure export-credentials --profile {name} --format process"
    )
}

fn identity_center(
    shared: &SharedConfig,
    profile: Profile<'_>,
) -> Result<Option<IdentityCenter>, Unresolved> {
    const KEYS: [&str; 5] = [
        "sso_session",
        "sso_account_id",
        "sso_role_name",
        "sso_start_url",
        "sso_region",
    ];
    if KEYS.iter().all(|key| profile.get(key).is_none()) {
        return Ok(None);
    }
    let session = profile.get("sso_session");
    if let Some(missing) = session.filter(|name| !shared.has_sso_session(name)) {
        return Err(wrong(format!(
            "no sso-session {missing} in {}",
            shared.files()
        )));
    }
    let of_session = |key: &str| match session {
        Some(session) => shared.sso_property(session, key),
        None => profile.get(key),
    };
    let need = |key: &str, value: Option<&str>| {
        let name = profile.name();
        let missing = || {
            wrong(format!(
                "profile {name} signs in by SSO, and has no {key}; write it"
            ))
        };
        value.map(str::to_owned).ok_or_else(missing)
    };
    Ok(Some(IdentityCenter {
        account_id: need("sso_account_id", profile.get("sso_account_id"))?,
        role_name: need("sso_role_name", profile.get("sso_role_name"))?,
        start_url: need("sso_start_url", of_session("sso_start_url"))?,
        region: need("sso_region", of_session("sso_region"))?,
        session: session.map(str::to_owned),
    }))
}

fn has_keys(profile: Profile<'_>) -> bool {
    profile.get("aws_access_key_id").is_some() && profile.get("aws_secret_access_key").is_some()
}

fn keys(profile: Profile<'_>) -> Result<Start, Unresolved> {
    let token = profile.get("aws_session_token").map(str::to_owned);
    let id = profile.get("aws_access_key_id");
    let secret = profile.get("aws_secret_access_key");
    let lacks = |key: &str| {
        let name = profile.name();
        wrong(format!(
            "profile {name} has a part of a key, and no {key}; write it"
        ))
    };
    match (id, secret) {
        (None, None) if token.is_none() => Err(Unresolved::Without),
        (None, _) => Err(lacks("aws_access_key_id")),
        (_, None) => Err(lacks("aws_secret_access_key")),
        (Some(id), Some(secret)) => {
            let keys = Credentials::new(id, secret, token, None, "profile");
            Ok(Start::Keys(keys))
        }
    }
}

#[cfg(test)]
mod tests;
