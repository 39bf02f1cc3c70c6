//! `discovery.organizations:`

use std::time::Duration;

use crate::account::{Region, RoleArn};

use super::errors::Read;
use super::external_id::{self, Surroundings};
use super::field::{Field, Table};
use super::forms::{account_id, role_arn, shown, unit};
use super::{Defaults, OrganizationsSettings, Secret};

/// Listing an organization of ten thousand takes hundreds of calls: not more often than this.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_mins(1);

/// `discovery.organizations:`; the outer `Option` is whether it is enabled.
pub(super) fn organizations(
    root: &Table<'_>,
    home: Read<&Region>,
    defaults: Read<&Defaults>,
    around: Surroundings<'_>,
) -> Read<Option<OrganizationsSettings>> {
    let table = root
        .field("discovery")
        .table()?
        .field("organizations")
        .table()?;
    let enabled = table.field("enabled").bool();
    let role = organizations_role(&table.field("role_arn"), home);
    let external_id = own_external_id(&table, around);
    let refresh_interval = refresh_interval(&table.field("refresh_interval"));
    let include_ous = table.field("include_ous").each(unit);
    let exclude_accounts = table.field("exclude_accounts").each(account_id);
    let role = role?;
    let settings = OrganizationsSettings {
        external_id: effective_external_id(role.as_ref(), external_id?, defaults?),
        role,
        refresh_interval: refresh_interval?,
        include_ous: include_ous?,
        exclude_accounts: exclude_accounts?,
    };
    Ok(enabled?.then_some(settings))
}

/// The external ID written here. Only a role asks for one.
fn own_external_id(table: &Table<'_>, around: Surroundings<'_>) -> Read<Option<Secret>> {
    let external_id = external_id::read(table, around)?;
    match external_id::fields(table).first() {
        Some(field) if !table.field("role_arn").is_said() => {
            Err(field.wrong("needs role_arn, the role that asks for it; write it, or remove this"))
        }
        _ => Ok(external_id),
    }
}

/// What is sent with the role: as for an account, that of `defaults` if it has none of its own.
fn effective_external_id(
    role: Option<&RoleArn>,
    own: Option<Secret>,
    defaults: &Defaults,
) -> Option<Secret> {
    role.and_then(|_| own.or_else(|| defaults.external_id.clone()))
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
