//! Which endpoints AWS is called at: by the settings, AWS's own variables, and the profile.
//!
//! The one place for these rules. What the SDK would ignore (a spelling of `true` that it does not
//! know) or fail at with each call is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::sync::Arc;

use super::errors::{Faults, Read, Told, quoted};
use super::external_id::Surroundings;
use super::field::{Table, all};
use super::forms::endpoint_url;
use super::{Access, AwsSettings, ConfiguredAccount};
use crate::account::{Partition, Region};
use crate::shared_config::{Profile, ProfileSettings, SharedConfig};

/// AWS's variables that hold `true` or `false`, as far as they concern what we call.
const BOOLEAN_VARIABLES: [&str; 7] = [
    FIPS,
    DUAL_STACK,
    IGNORE_URLS,
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_V1_DISABLED",
    "AWS_DISABLE_CLOCK_SKEW_CORRECTION",
    "AWS_DISABLE_REQUEST_COMPRESSION",
];
const FIPS: &str = "AWS_USE_FIPS_ENDPOINT";
const DUAL_STACK: &str = "AWS_USE_DUALSTACK_ENDPOINT";
const IGNORE_URLS: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
const ANY_URL: &str = "AWS_ENDPOINT_URL";

/// A service that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AwsService {
    /// The Security Token Service.
    Sts,
    /// CloudTrail.
    CloudTrail,
    /// AWS Organizations.
    Organizations,
    /// IAM Identity Center, for credentials of a profile.
    Sso,
    /// The token service of IAM Identity Center.
    SsoOidc,
}

impl AwsService {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Sts,
        Self::CloudTrail,
        Self::Organizations,
        Self::Sso,
        Self::SsoOidc,
    ];

    /// Its name in a `[services]` section; in capitals, the end of its variable.
    fn id(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::CloudTrail => "cloudtrail",
            Self::Organizations => "organizations",
            Self::Sso => "sso",
            Self::SsoOidc => "sso_oidc",
        }
    }

    fn variable(self) -> String {
        format!("{ANY_URL}_{}", self.id().to_uppercase())
    }
}

/// At which endpoints calls are made with the credentials of one profile, or with the exporter's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Endpoints {
    /// FIPS endpoints.
    pub fips: bool,
    /// Endpoints with IPv6.
    pub dual_stack: bool,
    urls: BTreeMap<AwsService, String>,
}

impl Endpoints {
    /// What stands in for a service's own endpoint.
    pub fn url(&self, service: AwsService) -> Option<&str> {
        self.urls.get(&service).map(String::as_str)
    }
}

/// The endpoints of each profile in use; `None` stands for the exporter's own credentials.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndpointsByProfile(BTreeMap<Option<Arc<str>>, Resolved>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Resolved {
    endpoints: Arc<Endpoints>,
    /// What the profile said when they were.
    settings: ProfileSettings,
}

impl AwsSettings {
    /// The endpoints for the credentials of a profile, or for the exporter's own.
    pub fn endpoints(&self, profile: Option<&Arc<str>>) -> Arc<Endpoints> {
        let found = self.by_profile.0.get(&profile.cloned());
        let found = found.map(|resolved| Arc::clone(&resolved.endpoints));
        found.unwrap_or_else(|| Arc::new(self.written()))
    }

    /// Whether the shared files still say of a profile what its endpoints were made of. If not, calls
    /// might go to others than written, until the configuration is read again.
    pub fn is_current(&self, profile: Option<&Arc<str>>, shared: &SharedConfig) -> bool {
        let found = self.by_profile.0.get(&profile.cloned());
        found.is_none_or(|resolved| {
            resolved.settings == settings_of(profile.map(AsRef::as_ref), shared)
        })
    }

    /// What the settings alone say.
    fn written(&self) -> Endpoints {
        let url = |service| Some((service, self.endpoint_url.clone()?));
        Endpoints {
            fips: self.use_fips,
            dual_stack: false,
            urls: AwsService::ALL.into_iter().filter_map(url).collect(),
        }
    }
}

/// Where settings are looked for, and where an error in one is told.
pub(super) struct Sources<'a> {
    pub(super) root: &'a Table<'a>,
    pub(super) settings: &'a AwsSettings,
    pub(super) around: Surroundings<'a>,
    pub(super) faults: &'a Faults,
}

/// The sources with the profile that applies.
struct WithProfile<'a> {
    sources: &'a Sources<'a>,
    profile: Option<Profile<'a>>,
}

/// A value and where it is written.
struct Written<T> {
    value: T,
    place: Place,
}

#[derive(Clone)]
enum Place {
    /// A key of `aws:`.
    Setting(&'static str),
    /// A variable, or a key of a profile.
    Elsewhere(String),
}

impl<'a> Sources<'a> {
    /// The endpoints of every profile in use, with every error in what they are made of. `own` says
    /// whether the exporter's own credentials are in use beside the accounts.
    pub(super) fn endpoints(
        &self,
        accounts: &[ConfiguredAccount],
        own: bool,
    ) -> Read<EndpointsByProfile> {
        self.boolean_variables()?;
        let resolve = |name: Option<Arc<str>>| {
            let with_it = accounts
                .iter()
                .filter(|account| account.access.profile() == name.as_ref());
            let of_accounts = with_it.flat_map(|account| &account.regions);
            let regions = name.is_none().then_some(&self.settings.region).into_iter();
            let endpoints = self
                .with(name.as_deref())
                .endpoints(regions.chain(of_accounts))?;
            let resolved = Resolved {
                endpoints: Arc::new(endpoints),
                settings: settings_of(name.as_deref(), self.around.shared),
            };
            Ok((name, resolved))
        };
        let read = profiles(accounts, own).into_iter().map(resolve).collect();
        Ok(EndpointsByProfile(all(read)?.into_iter().collect()))
    }

    fn with(&'a self, profile: Option<&str>) -> WithProfile<'a> {
        let shared = self.around.shared;
        WithProfile {
            sources: self,
            profile: shared.profile(profile.unwrap_or(shared.selected())),
        }
    }

    fn boolean_variables(&self) -> Read<()> {
        let mut read = Ok(());
        for name in BOOLEAN_VARIABLES {
            let text = self
                .around
                .variables
                .get(name)
                .filter(|text| !text.is_empty());
            if let Some(text) = text.filter(|text| boolean(text).is_none()) {
                read = Err(self.faults.tell(Some(name), "", not_boolean(text)));
            }
        }
        read
    }

    fn wrong(&self, place: &Place, problem: impl Display) -> Told {
        match place {
            Place::Elsewhere(place) => self.faults.tell(Some(place), "", problem),
            Place::Setting(key) => match self.root.field("aws").table() {
                Ok(table) => table.field(key).wrong(problem),
                Err(told) => told,
            },
        }
    }
}

fn settings_of(profile: Option<&str>, shared: &SharedConfig) -> ProfileSettings {
    let name = profile.unwrap_or(shared.selected());
    shared.settings(name, &AwsService::ALL.map(AwsService::id))
}

/// The profiles that accounts name, and none where the exporter's own credentials are used.
fn profiles(accounts: &[ConfiguredAccount], own: bool) -> BTreeSet<Option<Arc<str>>> {
    let named = accounts
        .iter()
        .map(|account| account.access.profile().cloned());
    named.chain(own.then_some(None)).collect()
}

/// As the SDK reads it; whatever else is written, it ignores.
fn boolean(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    is("true").then_some(true).or(is("false").then_some(false))
}

fn not_boolean(text: &str) -> String {
    format!(
        "is {}, which AWS SDKs ignore; write true or false",
        quoted(text)
    )
}

impl WithProfile<'_> {
    fn endpoints<'r>(&self, mut regions: impl Iterator<Item = &'r Region>) -> Read<Endpoints> {
        let fips = self.fips();
        let dual_stack = self.switch(DUAL_STACK, "use_dualstack_endpoint");
        let urls = self.urls();
        let (fips, dual_stack, urls) = (on(fips?), on(dual_stack?), urls?);
        for url in urls.values() {
            self.excludes(url, fips.as_ref(), "FIPS")?;
            self.excludes(url, dual_stack.as_ref(), "dual-stack")?;
        }
        let chinese = |region: &&Region| region.partition() == Partition::AwsCn;
        match (&fips, regions.find(chinese)) {
            (Some(place), Some(region)) => Err(self.sources.wrong(place, no_fips_in(region))),
            _ => Ok(Endpoints {
                fips: fips.is_some(),
                dual_stack: dual_stack.is_some(),
                urls: urls
                    .into_iter()
                    .map(|(service, url)| (service, url.value))
                    .collect(),
            }),
        }
    }

    fn fips(&self) -> Read<Option<Written<bool>>> {
        if self.sources.settings.use_fips {
            let place = Place::Setting("use_fips");
            return Ok(Some(Written { value: true, place }));
        }
        self.switch(FIPS, "use_fips_endpoint")
    }

    /// What a variable says, else what the profile says.
    fn switch(&self, variable: &str, key: &str) -> Read<Option<Written<bool>>> {
        let text = self
            .sources
            .around
            .variables
            .get(variable)
            .unwrap_or_default();
        if let Some(value) = boolean(text) {
            let place = Place::Elsewhere(variable.to_owned());
            return Ok(Some(Written { value, place }));
        }
        let Some((profile, text)) = self.profile.and_then(|it| Some((it, it.get(key)?))) else {
            return Ok(None);
        };
        let place = self.of(profile, key);
        match boolean(text) {
            Some(value) => Ok(Some(Written { value, place })),
            None => Err(self.sources.wrong(&place, not_boolean(text))),
        }
    }

    fn urls(&self) -> Read<BTreeMap<AwsService, Written<String>>> {
        let ignored = on(self.switch(IGNORE_URLS, "ignore_configured_endpoint_urls")?).is_some();
        let mut urls = BTreeMap::new();
        for service in AwsService::ALL {
            let Some(url) = self.url(service, ignored) else {
                continue;
            };
            if let Err(problem) = endpoint_url(&url.value) {
                return Err(self.sources.wrong(&url.place, problem));
            }
            urls.insert(service, url);
        }
        Ok(urls)
    }

    /// The settings come first, then variables, then the profile; in each of these the service's own
    /// before that of all services.
    fn url(&self, service: AwsService, ignored: bool) -> Option<Written<String>> {
        if let Some(value) = self.sources.settings.endpoint_url.clone() {
            let place = Place::Setting("endpoint_url");
            return Some(Written { value, place });
        }
        if ignored {
            return None;
        }
        self.variable(service.variable())
            .or_else(|| self.variable(ANY_URL.to_owned()))
            .or_else(|| self.profile_url(service))
    }

    fn variable(&self, name: String) -> Option<Written<String>> {
        let text = self.sources.around.variables.get(&name);
        let value = text.filter(|text| !text.is_empty())?.to_owned();
        let place = Place::Elsewhere(name);
        Some(Written { value, place })
    }

    fn profile_url(&self, service: AwsService) -> Option<Written<String>> {
        let profile = self.profile?;
        let (url, key) = match profile.service_endpoint_url(service.id()) {
            Some(url) => (url, format!("services: {}.endpoint_url", service.id())),
            None => (profile.get("endpoint_url")?, "endpoint_url".to_owned()),
        };
        Some(Written {
            value: url.to_owned(),
            place: self.of(profile, &key),
        })
    }

    fn of(&self, profile: Profile<'_>, key: &str) -> Place {
        let files = self.sources.around.shared.files();
        Place::Elsewhere(format!("profile {} in {files}: {key}", profile.name()))
    }

    fn excludes(&self, url: &Written<String>, switch: Option<&Place>, what: &str) -> Read<()> {
        let Some(switch) = switch else {
            return Ok(());
        };
        Err(self.sources.wrong(&url.place, excludes(what, switch)))
    }
}

/// What is wrong with an endpoint beside such a switch.
pub(super) fn excludes(what: &str, switch: impl Display) -> String {
    format!("excludes {what} endpoints ({switch}); remove one of them")
}

/// Where a switch that is on is written.
fn on(switch: Option<Written<bool>>) -> Option<Place> {
    switch
        .filter(|switch| switch.value)
        .map(|switch| switch.place)
}

/// AWS has none; the SDK would make host names up.
fn no_fips_in(region: &Region) -> String {
    format!(
        "there are no FIPS endpoints in China ({region}); remove it, or poll China from a process \
         of its own"
    )
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(key) => write!(f, "aws.{key}"),
            Self::Elsewhere(place) => f.write_str(place),
        }
    }
}

impl Access {
    /// The profile whose credentials and endpoints are used; the exporter's own if `None`.
    pub fn profile(&self) -> Option<&Arc<str>> {
        match self {
            Self::Role { base_profile, .. } => base_profile.as_ref(),
            Self::Profile(profile) => Some(profile),
            Self::Ambient => None,
        }
    }
}

#[cfg(test)]
mod tests;
