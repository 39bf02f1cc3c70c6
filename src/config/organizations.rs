//! `discovery.organizations:`

use std::time::Duration;

use crate::account::{Region, RoleArn};

use super::OrganizationsSettings;
use super::errors::Read;
use super::field::{Field, Table};
use super::forms::{account_id, role_arn, shown, unit};

/// Listing an organization of ten thousand takes hundreds of calls: not more often than this.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_mins(1);

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
