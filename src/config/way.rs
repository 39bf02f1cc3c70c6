//! The way into an account: which of its keys say how a session is opened there, and whether credentials can go that way.

use std::sync::Arc;

use crate::account::{AccountId, Partition, Region, RoleArn};

use super::errors::{Read, Told};
use super::external_id;
use super::field::{Field, Table};
use super::forms::{profile, role_arn, role_name};
use super::{Access, Defaults, Secret};

/// What an item of `accounts:` says, before it inherits.
pub(super) enum Way {
    /// A role, with the profile whose credentials assume it.
    Role(RoleArn, Option<Arc<str>>),
    /// The role of that name in the account of that id, or of the default name.
    Named(AccountId, Option<String>, Option<Arc<str>>),
    /// A profile's own credentials.
    Profile(Arc<str>),
    /// The exporter's own.
    Ambient,
}

/// What an item says about its credentials.
struct Said {
    id: Option<AccountId>,
    role_arn: Option<RoleArn>,
    role_name: Option<String>,
    profile: Option<Arc<str>>,
    ambient: bool,
}

/// The way into the account of `table`.
pub(super) fn way(table: &Table<'_>, id: Read<Option<AccountId>>) -> Read<Way> {
    let role_arn = table.field("role_arn").parsed(role_arn);
    let role_name = table.field("role_name").parsed(role_name);
    let profile = table.field("profile").parsed(profile);
    let ambient = table.field("ambient").bool();
    let said = Said {
        id: id?,
        role_arn: role_arn?,
        role_name: role_name?,
        profile: profile?,
        ambient: ambient?,
    };
    said.agree(table)?;
    said.way(table)
}

impl Said {
    /// Refuses keys that contradict each other.
    fn agree(&self, table: &Table<'_>) -> Read<()> {
        let own = ["role_arn", "role_name", "profile"].map(|name| table.field(name));
        let role_name = table.field("role_name");
        if self.ambient {
            return none_of(
                own.into_iter().chain(external_id::fields(table)),
                "ambient: true",
            );
        }
        if self.role_arn.is_some() {
            return none_of([role_name], "role_arn");
        }
        if self.profile.is_some() && self.role_name.is_none() {
            let why = "profile without role_arn or role_name";
            return none_of(external_id::fields(table), why);
        }
        Ok(())
    }

    fn way(self, table: &Table<'_>) -> Read<Way> {
        match (self.role_arn, self.role_name, self.profile, self.id) {
            _ if self.ambient => Ok(Way::Ambient),
            (Some(role), _, base, id) => {
                same_account(&role, id, &table.field("role_arn"))?;
                Ok(Way::Role(role, base))
            }
            (None, None, Some(profile), _) => Ok(Way::Profile(profile)),
            (None, name, base, Some(id)) => Ok(Way::Named(id, name, base)),
            (None, Some(_), _, None) => Err(table
                .field("role_name")
                .wrong("needs the account's id; write id: or role_arn:")),
            (None, None, None, None) => {
                Err(table.wrong("says no way in; write id:, role_arn:, profile: or ambient: true"))
            }
        }
    }
}

fn none_of<'a>(fields: impl IntoIterator<Item = Field<'a>>, other: &str) -> Read<()> {
    match fields.into_iter().find(Field::is_said) {
        Some(field) => Err(field.wrong(format!("excludes {other}; keep one of them"))),
        None => Ok(()),
    }
}

fn same_account(role: &RoleArn, id: Option<AccountId>, field: &Field<'_>) -> Read<()> {
    match id {
        Some(id) if role.account() != id => Err(field.wrong(format!(
            "is a role of account {}, not of {id}; write a role of {id}, or mend the id",
            role.account()
        ))),
        _ => Ok(()),
    }
}

impl Way {
    /// The profile whose credentials are used.
    pub(super) fn profile(&self) -> Option<&str> {
        match self {
            Self::Role(_, base) | Self::Named(_, _, base) => base.as_deref(),
            Self::Profile(profile) => Some(profile),
            Self::Ambient => None,
        }
    }

    /// The account a role ARN names.
    pub(super) fn account(&self) -> Option<AccountId> {
        match self {
            Self::Role(role, _) => Some(role.account()),
            _ => None,
        }
    }

    /// Refuses a way that crosses from one partition to another: credentials do not. `home` is the partition of the exporter's own.
    pub(super) fn may_reach(
        &self,
        table: &Table<'_>,
        region: &Region,
        home: Partition,
    ) -> Read<()> {
        let there = region.partition();
        match self {
            Self::Role(role, _) if role.partition() != there => Err(other_partition(table, role, region)),
            Self::Role(_, None) | Self::Named(_, _, None) if there != home => {
                Err(table.field("region").wrong(format!(
                    "is of partition {there}, where credentials of {home} (aws.region) do not reach; write profile: with credentials of {there}"
                )))
            }
            Self::Ambient if there != home => Err(table.field("region").wrong(format!(
                "is of partition {there}, the exporter's own credentials are of {home} (aws.region); write profile: instead of ambient: true"
            ))),
            _ => Ok(()),
        }
    }

    /// How a session is opened, with what is inherited.
    pub(super) fn access(
        self,
        table: &Table<'_>,
        region: &Region,
        external_id: Option<Secret>,
        defaults: &Defaults,
    ) -> Read<Access> {
        let (role, base_profile) = match self {
            Self::Ambient => return Ok(Access::Ambient),
            Self::Profile(profile) => return Ok(Access::Profile(profile)),
            Self::Role(role, base) => (role, base),
            Self::Named(id, name, base) => {
                let name = name.as_deref().unwrap_or(&defaults.role_name);
                let role = RoleArn::new(region.partition(), id, name);
                (role.map_err(|problem| table.wrong(problem))?, base)
            }
        };
        Ok(Access::Role {
            role,
            external_id: external_id.or_else(|| defaults.external_id.clone()),
            base_profile,
        })
    }
}

fn other_partition(table: &Table<'_>, role: &RoleArn, region: &Region) -> Told {
    let (theirs, ours) = (role.partition(), region.partition());
    table.field("role_arn").wrong(format!(
        "is of partition {theirs}, the account's Region {region} of {ours}; write region: with a Region of {theirs}, or mend the ARN"
    ))
}
