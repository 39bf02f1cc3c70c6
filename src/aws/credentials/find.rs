//! Looks for credentials: the exporter's own, in the order of every AWS SDK, or those of a profile.
//!
//! The SDK's providers are used where they speak to a metadata service. What asks STS or IAM Identity
//! Center is asked here, with the clients that everything else is asked with: so the endpoints, the
//! proxy and the certificates of the settings, the variables and the profile hold for it, too.

use std::fmt::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::sso::SsoTokenProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::token::ProvideToken as _;
use aws_credential_types::provider::{ProvideCredentials, Result as Provided};

use super::chain::{BaseRole, Chain, IdentityCenter, Start, Unresolved, resolve};
use super::process;
use super::usable::{Names, check, usable};
use crate::account::Region;
use crate::aws::fault::{Failed, root_cause};
use crate::aws::setup::{Reach, sdk_region};
use crate::aws::sts::Sts;
use crate::config::{AwsService, Secret};
use crate::facts::Failure;
use crate::files;
use crate::shared_config::SharedConfig;
use crate::threads::Queue;

const TOKEN_FILE: &str = "AWS_WEB_IDENTITY_TOKEN_FILE";
const ROLE: &str = "AWS_ROLE_ARN";
const CONTAINER_TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";
const CONTAINER_TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
/// A token is of a few kilobytes.
const MAX_TOKEN: u64 = 64 * 1024;

/// Reads files of credentials, off the runtime's thread: a file system may hang. A few at once, since
/// each profile is looked for on its own; at the start all are.
static FILES: LazyLock<Queue> = LazyLock::new(|| Queue::new("credential-files", 8));

/// Finds the credentials of a profile, or the exporter's own if `None`.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Finder {
    pub(in crate::aws) profile: Option<Arc<str>>,
    /// Where STS is asked.
    pub(in crate::aws) region: Region,
    pub(in crate::aws) reach: Arc<Reach>,
}

/// Nothing was found, and why not.
type Problem = Failed;

impl Finder {
    /// Looks once. Files are read anew each time.
    pub(super) async fn find(&self) -> Result<Credentials, Failed> {
        let found = match &self.profile {
            Some(name) => self.of_profile(name).await,
            None => self.own().await,
        };
        found.map_err(|problem| self.failed(&problem))
    }

    /// Why there are no credentials; where they are those of a role, what STS said of it.
    pub(super) fn failed(&self, problem: &Problem) -> Failed {
        let failure = match problem.failure {
            // It is not the accounts that refuse.
            Failure::AccessDenied if self.profile.is_none() => Failure::Credentials,
            failure => failure,
        };
        Failed::new(failure, format!("no credentials{self}: {}", problem.detail))
    }

    async fn of_profile(&self, name: &str) -> Result<Credentials, Problem> {
        let shared = shared_config().await?;
        self.check_settings(&shared)?;
        match resolve(&shared, name) {
            Ok(chain) => Box::pin(self.follow(chain)).await,
            Err(Unresolved::Without) => Err(problem(format!("{} has none", shared.files()))),
            Err(Unresolved::Wrong(why)) => Err(problem(why)),
        }
    }

    async fn own(&self) -> Result<Credentials, Problem> {
        if let Some(found) = of_environment()? {
            return Ok(found);
        }
        if let Some(found) = self.of_selected_profile().await? {
            return Ok(found);
        }
        if let (Some(file), Some(role)) = (variable(TOKEN_FILE), variable(ROLE)) {
            let session = variable("AWS_ROLE_SESSION_NAME");
            let what = format!("the web identity token file {file} ({TOKEN_FILE})");
            return self.by_web_identity(&file, &what, &role, session).await;
        }
        if let Some(found) = self.of_container().await? {
            return Ok(found);
        }
        let found = self.of_instance().await?;
        found.ok_or_else(|| problem(none_found()))
    }

    /// `AWS_PROFILE` must exist; the profile `default` need not, and need not hold credentials.
    async fn of_selected_profile(&self) -> Result<Option<Credentials>, Problem> {
        let shared = shared_config().await?;
        let name = shared.selected();
        if !shared.is_named() && shared.profile(name).is_none() {
            return Ok(None);
        }
        self.check_settings(&shared)?;
        match resolve(&shared, name) {
            Ok(chain) => Box::pin(self.follow(chain)).await.map(Some),
            Err(Unresolved::Without) => Ok(None),
            Err(Unresolved::Wrong(why)) => Err(problem(why)),
        }
    }

    /// Endpoints are settled when the configuration is read: a profile that says otherwise now must
    /// not be used at those of then.
    fn check_settings(&self, shared: &SharedConfig) -> Result<(), Problem> {
        if self.reach.is_current(self.profile.as_ref(), shared) {
            return Ok(());
        }
        Err(problem(format!(
            "{} says another Region, FIPS, dual-stack or endpoint_url than when the configuration \
             was read; reload the configuration",
            shared.files()
        )))
    }

    async fn follow(&self, chain: Chain) -> Result<Credentials, Problem> {
        let mut found = self.start(chain.start).await?;
        if !chain.roles.is_empty() {
            let sts = self.sts();
            for role in &chain.roles {
                found = assume(&sts, &found, role).await?;
            }
        }
        Ok(found)
    }

    async fn start(&self, start: Start) -> Result<Credentials, Problem> {
        let missing =
            |what: &str| problem(format!("credential_source names {what}, and it has none"));
        match start {
            Start::Keys(keys) => usable(keys, Names::PROFILE).map_err(problem),
            Start::Environment => of_environment()?.ok_or_else(|| missing("Environment")),
            Start::InstanceMetadata => {
                let found = self.of_instance().await?;
                found.ok_or_else(|| missing("Ec2InstanceMetadata"))
            }
            Start::Container => {
                let found = self.of_container().await?;
                found.ok_or_else(|| missing("EcsContainer"))
            }
            Start::WebIdentity {
                role_arn,
                session_name,
                token_file,
            } => {
                let what = format!("the web identity token file {token_file}");
                self.by_web_identity(&token_file, &what, &role_arn, session_name)
                    .await
            }
            Start::IdentityCenter(role) => self.of_identity_center(&role).await,
            Start::Process(command) => {
                let found = process::run(&command).await.map_err(problem)?;
                usable(found, Names::OTHER).map_err(problem)
            }
        }
    }

    async fn by_web_identity(
        &self,
        file: &str,
        what: &str,
        role: &str,
        session: Option<String>,
    ) -> Result<Credentials, Problem> {
        let token = token(file, what).await?;
        check(what, token.expose()).map_err(problem)?;
        let found = self
            .sts()
            .web_identity(role, session.as_deref(), &token)
            .await?;
        usable(found, Names::OTHER).map_err(problem)
    }

    async fn of_identity_center(&self, role: &IdentityCenter) -> Result<Credentials, Problem> {
        let region: Region = role
            .region
            .parse()
            .map_err(|error| problem(format!("{error}")))?;
        let name = self.profile.as_deref().unwrap_or("default");
        let sdk = self
            .reach
            .sdk(AwsService::SsoOidc, self.profile.as_ref(), &region);
        let session = role.session.as_deref().unwrap_or(&role.start_url);
        let tokens = SsoTokenProvider::builder()
            .configure(&sdk)
            .region(sdk_region(&region))
            .session_name(session)
            .start_url(&role.start_url);
        let token = tokens
            .build()
            .await
            .provide_token()
            .await
            .map_err(|error| {
                let why = root_cause(&error);
                problem(format!(
                    "{why}; sign in with: aws sso login --profile {name}"
                ))
            })?;
        let token = Secret::new(token.token());
        let client = self.reach.sso(self.profile.as_ref(), &region);
        let found = super::identity_center::role(&client, role, &token).await?;
        usable(found, Names::OTHER).map_err(problem)
    }

    /// The credentials of ECS or EKS Pod Identity, if the environment says where they are.
    async fn of_container(&self) -> Result<Option<Credentials>, Problem> {
        let places = [
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        ];
        if !places.into_iter().any(|name| variable(name).is_some()) {
            return Ok(None);
        }
        let _token = container_token().await?;
        let config = self.reach.providers(&self.region);
        let provider = EcsCredentialsProvider::builder().configure(&config).build();
        found(provider.provide_credentials().await)
    }

    async fn of_instance(&self) -> Result<Option<Credentials>, Problem> {
        let config = self.reach.providers(&self.region);
        let provider = ImdsCredentialsProvider::builder()
            .configure(&config)
            .build();
        found(provider.provide_credentials().await)
    }

    fn sts(&self) -> Sts {
        self.reach.sts(self.profile.as_ref(), &self.region)
    }
}

impl fmt::Display for Finder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.profile {
            Some(name) => write!(f, " in the profile {name:?}"),
            None => Ok(()),
        }
    }
}

fn problem(why: impl Into<String>) -> Problem {
    Failed::new(Failure::Credentials, why)
}

async fn assume(sts: &Sts, with: &Credentials, role: &BaseRole) -> Result<Credentials, Problem> {
    let session = role.session_name.as_deref();
    let found = sts
        .base_role(with, &role.arn, role.external_id.as_ref(), session)
        .await?;
    usable(found, Names::OTHER).map_err(problem)
}

/// What a provider of the SDK found. It offers nothing where there is no such service.
fn found(provided: Provided) -> Result<Option<Credentials>, Problem> {
    match provided {
        Ok(found) => usable(found, Names::OTHER).map(Some).map_err(problem),
        Err(CredentialsError::CredentialsNotLoaded(_)) => Ok(None),
        Err(error) => {
            let cause = root_cause(&error);
            // The SDK writes a service's words as a literal; what follows an escaped line break in
            // them may quote a token.
            Err(problem(cause.split("\\n").next().unwrap_or_default()))
        }
    }
}

/// A variable; one that is empty is as good as unset, and one that is no text as good as a bad one.
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
    Some(value.to_string_lossy().into_owned())
}

fn of_environment() -> Result<Option<Credentials>, Problem> {
    let (id, secret) = (
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
    );
    let (Some(id), Some(secret)) = (id, secret) else {
        return Ok(None);
    };
    let token = variable("AWS_SESSION_TOKEN");
    let found = Credentials::new(id, secret, token, None, "environment");
    usable(found, Names::ENVIRONMENT).map(Some).map_err(problem)
}

async fn shared_config() -> Result<SharedConfig, Problem> {
    let read = FILES
        .run(files::DEADLINE, || SharedConfig::read(&variable))
        .await;
    let read = read.map_err(|error| problem(format!("reading the shared AWS files {error}")))?;
    read.map_err(|error| problem(error.to_string()))
}

async fn token(file: &str, what: &str) -> Result<Secret, Problem> {
    let path = file.to_owned();
    let read = FILES.run(files::DEADLINE, move || {
        files::read(Path::new(&path), MAX_TOKEN)
    });
    let read = read
        .await
        .map_err(|error| problem(format!("reading {what} {error}")))?;
    let bytes = read.map_err(|error| problem(format!("cannot read {what}: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| problem(format!("{what} is no text")))?;
    match text.trim_end() {
        "" => Err(problem(format!("{what} is empty"))),
        text => Ok(Secret::new(text)),
    }
}

/// The token that a container sends with its question, checked and known as a secret meanwhile.
async fn container_token() -> Result<Option<Secret>, Problem> {
    let Some(file) = variable(CONTAINER_TOKEN_FILE) else {
        let Some(text) = variable(CONTAINER_TOKEN) else {
            return Ok(None);
        };
        check(CONTAINER_TOKEN, &text).map_err(problem)?;
        return Ok(Some(Secret::new(&text)));
    };
    let what = format!("the token file {file} ({CONTAINER_TOKEN_FILE})");
    let token = token(&file, &what).await?;
    check(&what, token.expose()).map_err(problem)?;
    Ok(Some(token))
}

/// What half of a setting explains.
fn none_found() -> String {
    let mut text =
        "none in the environment, the shared AWS configuration or a metadata service".to_owned();
    for (set, unset) in [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
        (TOKEN_FILE, ROLE),
        (ROLE, TOKEN_FILE),
    ] {
        if variable(set).is_some() && variable(unset).is_none() {
            // Writing to a String cannot fail.
            let _ = write!(text, "; {set} is set, {unset} is not");
        }
    }
    text
}
