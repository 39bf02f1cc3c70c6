//! The tables beside `accounts:`, read from the merged tree.

use std::time::Duration;

use crate::account::Region;
use crate::compliance::Check;

use super::endpoints::excludes;
use super::errors::{Read, quoted};
use super::external_id::{self, Surroundings};
use super::field::{Field, Table};
use super::forms::{check, endpoint_url, region, role_name, shown};
use super::{
    AwsSettings, ComplianceSettings, Defaults, EndpointsByProfile, Limits, OrganizationTrailStatus,
    PollSettings,
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
/// `poll:`
pub(super) fn poll(root: &Table<'_>) -> Read<PollSettings> {
    let table = root.field("poll").table()?;
    let field = table.field("timeout");
    let timeout = field.needed(field.duration());
    let interval = interval(&table.field("interval"), timeout);
    let concurrency = table.field("concurrency").number(1, MAX_CONCURRENCY);
    let stale_after = stale_after(&table.field("stale_after"), interval, timeout);
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

/// A proof must last until the next poll has ended, or the account would be unknown between the two.
fn stale_after(
    field: &Field<'_>,
    interval: Read<Duration>,
    timeout: Read<Duration>,
) -> Read<Option<Duration>> {
    let stale_after = field.duration()?;
    if let Some(stale_after) = stale_after {
        let next = interval.and_then(|interval| Ok(interval + timeout?));
        let name = "poll.interval and poll.timeout together";
        not_under(field, stale_after, next, name)?;
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

/// `aws:`
pub(super) fn aws(root: &Table<'_>) -> Read<AwsSettings> {
    let table = root.field("aws").table()?;
    let field = table.field("region");
    let region = field.needed(field.parsed(region));
    let endpoint = table.field("endpoint_url");
    let endpoint_url = endpoint.parsed(endpoint_url);
    let use_fips = table.field("use_fips").bool();
    let max_attempts = table.field("max_attempts").number(1, MAX_ATTEMPTS);
    // Without a Region nothing more is made of these two, and this error would wait for another's end.
    if region.is_err() && endpoint.is_said() && use_fips == Ok(true) {
        endpoint.wrong(excludes("FIPS", "aws.use_fips"));
    }
    Ok(AwsSettings {
        region: region?,
        endpoint_url: endpoint_url?,
        use_fips: use_fips?,
        max_attempts: max_attempts?,
        by_profile: EndpointsByProfile::default(),
    })
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

/// A list of Regions, all of the partition of `first`, each once.
pub(super) fn regions(field: &Field<'_>, first: Read<&Region>, name: &str) -> Read<Vec<Region>> {
    let first = first.ok();
    let listed = field.each(|text| {
        let further = region(text)?;
        match first {
            Some(first) if first.partition() != further.partition() => Err(format!(
                "{further} is of partition {}, {name} {first} of {}; keep to one partition",
                further.partition(),
                first.partition()
            )),
            _ => Ok(further),
        }
    })?;
    Ok(distinct(listed))
}

/// The same Regions in the same order, each once.
pub(super) fn distinct(listed: impl IntoIterator<Item = Region>) -> Vec<Region> {
    let mut regions = Vec::new();
    for region in listed {
        if !regions.contains(&region) {
            regions.push(region);
        }
    }
    regions
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
            "{} is neither member nor owner; write one of them",
            quoted(text)
        )),
    });
    field.needed(status)
}
