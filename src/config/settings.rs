//! The tables beside `accounts:`, read from the merged tree.

use std::time::Duration;

use crate::account::{AccountId, Region, RoleArn};
use crate::compliance::Check;

use super::errors::Read;
use super::external_id::{self, Surroundings};
use super::field::{Field, Table};
use super::nearest::nearest;
use super::{
    AwsSettings, ComplianceSettings, Defaults, Limits, OrganizationTrailStatus,
    OrganizationsSettings, PollSettings,
};

/// More accounts at once than this is no concurrency: each costs some 50 KB while it is polled.
const MAX_CONCURRENCY: u32 = 1024;
/// More attempts only hide an outage behind the operation's deadline.
const MAX_ATTEMPTS: u32 = 10;
/// AWS Organizations itself stops far below.
const MAX_ACCOUNTS: u32 = 1_000_000;
/// AWS allows five trails a Region; organization trails come on top.
const MAX_TRAILS: u32 = 10_000;
/// What AWS allows for each of CloudTrail's reading calls in an account and Region.
const MAX_REQUESTS_PER_SECOND: u32 = 10;
/// Listing an organization of ten thousand takes hundreds of calls: not more often than this.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_mins(1);

/// `poll:`
pub(super) fn poll(root: &Table<'_>) -> Read<PollSettings> {
    let table = root.field("poll").table()?;
    let field = table.field("timeout");
    let timeout = field.needed(field.duration());
    let interval = interval(&table.field("interval"), timeout);
    let concurrency = table.field("concurrency").number(1, MAX_CONCURRENCY);
    let stale_after = stale_after(&table.field("stale_after"), interval);
    Ok(PollSettings {
        interval: interval?,
        timeout: timeout?,
        concurrency: concurrency? as usize,
        stale_after: stale_after?,
    })
}

fn interval(field: &Field<'_>, timeout: Read<Duration>) -> Read<Duration> {
    let interval = field.needed(field.duration())?;
    not_under(field, interval, timeout, "poll.timeout")?;
    Ok(interval)
}

fn stale_after(field: &Field<'_>, interval: Read<Duration>) -> Read<Option<Duration>> {
    let stale_after = field.duration()?;
    if let Some(stale_after) = stale_after {
        not_under(field, stale_after, interval, "poll.interval")?;
    }
    Ok(stale_after)
}

/// Refuses a duration shorter than another, once that other could be read.
pub(super) fn not_under(
    field: &Field<'_>,
    duration: Duration,
    least: Read<Duration>,
    name: &str,
) -> Read<()> {
    match least {
        Ok(least) if duration < least => {
            let (duration, least) = (shown(duration), shown(least));
            let problem =
                format!("{duration} is shorter than {name} ({least}); write {least} or more");
            Err(field.wrong(problem))
        }
        _ => Ok(()),
    }
}

/// A duration as a configuration writes it, without a blank.
pub(super) fn shown(duration: Duration) -> String {
    humantime::format_duration(duration)
        .to_string()
        .replace(' ', "")
}

/// `aws:`
pub(super) fn aws(root: &Table<'_>) -> Read<AwsSettings> {
    let table = root.field("aws").table()?;
    let field = table.field("region");
    let region = field.needed(field.parsed(region));
    let endpoint = table.field("endpoint_url");
    let endpoint_url = endpoint.parsed(endpoint_url);
    let use_fips = table.field("use_fips").bool();
    let max_attempts = table.field("max_attempts").number(1, MAX_ATTEMPTS);
    if endpoint.is_said() && use_fips == Ok(true) {
        endpoint
            .wrong("excludes use_fips: true (a FIPS endpoint is AWS's own); remove one of them");
    }
    Ok(AwsSettings {
        region: region?,
        endpoint_url: endpoint_url?,
        use_fips: use_fips?,
        max_attempts: max_attempts?,
    })
}

/// A Region, or what to write instead.
pub(super) fn region(text: &str) -> Result<Region, String> {
    text.parse()
        .map_err(|e| format!("{e}; write the Region's code"))
}

/// The address is not shown: a password may stand in it.
fn endpoint_url(text: &str) -> Result<String, &'static str> {
    const FORM: &str = "is no URL of a server; write http://HOST:PORT or https://HOST";
    let url: http::Uri = text.parse().map_err(|_| FORM)?;
    let scheme = matches!(url.scheme_str(), Some("http" | "https"));
    match url.authority() {
        Some(host) if host.as_str().contains('@') => {
            Err("has a user or password in it; remove them, requests are signed")
        }
        Some(host) if scheme && !host.host().is_empty() && url.query().is_none() => {
            Ok(text.to_owned())
        }
        _ => Err(FORM),
    }
}

/// `defaults:`
pub(super) fn defaults(
    root: &Table<'_>,
    home: Read<&Region>,
    around: Surroundings<'_>,
) -> Read<Defaults> {
    let table = root.field("defaults").table()?;
    let field = table.field("role_name");
    let role_name = field.needed(field.parsed(role_name));
    let external_id = external_id::read(&table, around);
    let regions = regions(&table.field("regions"), home, "aws.region");
    Ok(Defaults {
        role_name: role_name?,
        external_id: external_id?,
        regions: regions?,
    })
}

/// A list of Regions, all of the partition of `first`.
pub(super) fn regions(field: &Field<'_>, first: Read<&Region>, name: &str) -> Read<Vec<Region>> {
    let first = first.ok();
    field.each(|text| {
        let further = region(text)?;
        match first {
            Some(first) if first.partition() != further.partition() => Err(format!(
                "{further} is of partition {}, {name} {first} of {}; keep to one partition",
                further.partition(),
                first.partition()
            )),
            _ => Ok(further),
        }
    })
}

/// The name of a role, with its path.
pub(super) fn role_name(text: &str) -> Result<String, String> {
    if text.starts_with("arn:") {
        return Err(
            "is an ARN; write role_arn: on the account, or only what follows role/ here".to_owned(),
        );
    }
    let stands_in = format!("arn:aws:iam::000000000000:role/{text}").parse::<RoleArn>();
    let named = stands_in.is_ok() && !text.starts_with('/');
    named
        .then(|| text.to_owned())
        .ok_or_else(|| format!("{text:?} is no role name; write what follows role/ in its ARN"))
}

/// A role ARN, or what to write instead.
pub(super) fn role_arn(text: &str) -> Result<RoleArn, String> {
    text.parse().map_err(|e| format!("{e}; copy it from IAM"))
}

/// An account id as written; YAML readers elsewhere drop a leading zero, so the mend says quotes.
pub(super) fn account_id(text: &str) -> Result<AccountId, String> {
    text.parse()
        .map_err(|e| format!("{e}; write all of them in quotes, leading zeros too"))
}

/// `discovery.organizations:`; the outer `Option` is whether it is enabled.
pub(super) fn organizations(
    root: &Table<'_>,
    home: Read<&Region>,
) -> Read<Option<OrganizationsSettings>> {
    let table = root
        .field("discovery")
        .table()?
        .field("organizations")
        .table()?;
    let enabled = table.field("enabled").bool();
    let role = organizations_role(&table.field("role_arn"), home);
    let refresh_interval = refresh_interval(&table.field("refresh_interval"));
    let include_ous = table.field("include_ous").each(unit);
    let exclude_accounts = table.field("exclude_accounts").each(account_id);
    let settings = OrganizationsSettings {
        role: role?,
        refresh_interval: refresh_interval?,
        include_ous: include_ous?,
        exclude_accounts: exclude_accounts?,
    };
    Ok(enabled?.then_some(settings))
}

fn organizations_role(field: &Field<'_>, home: Read<&Region>) -> Read<Option<RoleArn>> {
    let role = field.parsed(role_arn)?;
    match (&role, home) {
        (Some(role), Ok(home)) if role.partition() != home.partition() => {
            let (theirs, ours) = (role.partition(), home.partition());
            Err(field.wrong(format!(
                "is of partition {theirs}, aws.region {home} of {ours}; write a role of {ours}, or set aws.region"
            )))
        }
        _ => Ok(role),
    }
}

fn refresh_interval(field: &Field<'_>) -> Read<Duration> {
    let interval = field.needed(field.duration())?;
    if interval < MIN_REFRESH_INTERVAL {
        let problem = format!("{} is too often; write 1m or more", shown(interval));
        return Err(field.wrong(problem));
    }
    Ok(interval)
}

/// The id of an organizational unit or of a root.
fn unit(text: &str) -> Result<String, String> {
    let word = |w: &str, least| {
        (least..=32).contains(&w.len())
            && w.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let is_unit = match text.split('-').collect::<Vec<_>>().as_slice() {
        ["r", root] => word(root, 4),
        ["ou", root, unit] => word(root, 4) && word(unit, 8),
        _ => false,
    };
    is_unit.then(|| text.to_owned()).ok_or_else(|| {
        format!("{text:?} is no OU or root id; write one such as ou-ab12-cd34ef56 or r-ab12")
    })
}

/// `compliance:`
pub(super) fn compliance(root: &Table<'_>) -> Read<ComplianceSettings> {
    let table = root.field("compliance").table()?;
    let required = required(&table.field("required"));
    let field = table.field("max_delivery_age");
    let max_delivery_age = field.needed(field.duration());
    Ok(ComplianceSettings {
        required: required?,
        max_delivery_age: max_delivery_age?,
    })
}

fn required(field: &Field<'_>) -> Read<Vec<Check>> {
    let mut required = field.each(check)?;
    if required.is_empty() {
        return Err(
            field.wrong("requires nothing; name at least one check, such as multi_region_trail")
        );
    }
    let written = required.len();
    required.sort_unstable();
    required.dedup();
    if required.len() < written {
        return Err(field.wrong("names a check twice; name it once"));
    }
    Ok(required)
}

fn check(text: &str) -> Result<Check, String> {
    let known = Check::ALL.map(Check::as_str);
    let found = Check::ALL.into_iter().find(|check| check.as_str() == text);
    found.ok_or_else(|| match nearest(text, &known) {
        Some(near) => format!("{text:?} is no check; did you mean {near}?"),
        None => format!("{text:?} is no check; write one of {}", known.join(", ")),
    })
}

/// `limits:`
pub(super) fn limits(root: &Table<'_>) -> Read<Limits> {
    let table = root.field("limits").table()?;
    let max_accounts = table.field("max_accounts").number(1, MAX_ACCOUNTS);
    let max_trails = table.field("max_trails_per_account").number(1, MAX_TRAILS);
    let requests = table
        .field("requests_per_second")
        .number(1, MAX_REQUESTS_PER_SECOND);
    Ok(Limits {
        max_accounts: max_accounts? as usize,
        max_trails_per_account: max_trails? as usize,
        requests_per_second: requests?,
    })
}

/// `organization_trails:`
pub(super) fn organization_trails(root: &Table<'_>) -> Read<OrganizationTrailStatus> {
    let table = root.field("organization_trails").table()?;
    let field = table.field("status");
    let status = field.parsed(|text| match text {
        "member" => Ok(OrganizationTrailStatus::Member),
        "owner" => Ok(OrganizationTrailStatus::Owner),
        _ => Err(format!(
            "{text:?} is neither member nor owner; write one of them"
        )),
    });
    field.needed(status)
}
