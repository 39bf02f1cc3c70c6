//! Organizations: the three lists of accounts and units, in pages.

use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::call::{Call, Service};
use crate::names::AccountId;
use crate::organization::{Organization, StateField};
use crate::reply::{AwsError, Payload};
use crate::world::World;

/// When every simulated account joined: 2024-01-01.
const JOINED: f64 = 1_704_067_200.0;
const NO_PERMISSION: &str = "You don't have permissions to access this resource.";

/// One of the lists.
pub(crate) fn answer(world: &World, asking: AccountId, call: &Call) -> Result<Payload, AwsError> {
    let organization = organization(world, asking)?;
    match call.operation.as_str() {
        "ListAccounts" => page(
            organization,
            call,
            "Accounts",
            accounts(world, organization, None),
        ),
        "ListAccountsForParent" => {
            let parent = parent(organization, call)?;
            page(
                organization,
                call,
                "Accounts",
                accounts(world, organization, Some(parent)),
            )
        }
        "ListOrganizationalUnitsForParent" => {
            let parent = parent(organization, call)?;
            page(
                organization,
                call,
                "OrganizationalUnits",
                units(world, organization, parent),
            )
        }
        other => Err(AwsError::unknown_operation(Service::Organizations, other)),
    }
}

fn organization(world: &World, asking: AccountId) -> Result<&Organization, AwsError> {
    let account = world.account(asking);
    let organization = account.and_then(|account| world.organization_of(account));
    let organization = organization.ok_or_else(|| {
        AwsError::new(
            "AWSOrganizationsNotInUseException",
            "Your account is not a member of an organization.",
        )
    })?;
    let may = organization.may_list(asking);
    may.then_some(organization)
        .ok_or_else(|| AwsError::access_denied(Service::Organizations, NO_PERMISSION))
}

fn parent<'a>(organization: &Organization, call: &'a Call) -> Result<&'a str, AwsError> {
    let parent = call.text("ParentId").ok_or_else(|| {
        AwsError::new(
            "InvalidInputException",
            "You must provide a value for ParentId.",
        )
    })?;
    let known = organization.has_parent(parent);
    let unknown = || {
        AwsError::new(
            "ParentNotFoundException",
            "You provided parent that does not exist in your organization.",
        )
    };
    known.then_some(parent).ok_or_else(unknown)
}

fn accounts<'a>(
    world: &'a World,
    organization: &'a Organization,
    parent: Option<&'a str>,
) -> impl Iterator<Item = Value> + 'a {
    let is_in = move |account: &Account| match parent {
        Some(parent) => account.parent.as_deref().unwrap_or(&organization.root) == parent,
        None => true,
    };
    let members = world
        .all()
        .filter(move |(_, account)| is_in(account) && world.organization_of(account).is_some());
    members.map(move |(id, account)| describe(world, organization, id, account))
}

fn describe(world: &World, organization: &Organization, id: AccountId, account: &Account) -> Value {
    let (owner, partition) = (organization.management_account, account.partition);
    let mut value = json!({
        "Id": id,
        "Arn": format!("arn:{partition}:organizations::{owner}:account/{}/{id}", organization.id),
        "Email": format!("aws+{id}@example.com"),
        "Name": world.name_of(id),
        "JoinedMethod": if id == owner { "INVITED" } else { "CREATED" },
        "JoinedTimestamp": JOINED,
    });
    let fields = match organization.state_field {
        StateField::State => &["State"][..],
        StateField::Status => &["Status"],
        StateField::Both => &["State", "Status"],
    };
    let told: Map<String, Value> = fields
        .iter()
        .map(|&field| (field.to_owned(), account.state.clone().into()))
        .collect();
    crate::timeline::merge(&mut value, &told);
    value
}

fn units<'a>(
    world: &'a World,
    organization: &'a Organization,
    parent: &'a str,
) -> impl Iterator<Item = Value> + 'a {
    let partition = world
        .account(organization.management_account)
        .map(|account| account.partition)
        .unwrap_or_default();
    let below = organization
        .units
        .iter()
        .filter(move |unit| unit.parent.as_deref().unwrap_or(&organization.root) == parent);
    below.map(move |unit| {
        let arn = format!(
            "arn:{partition}:organizations::{}:ou/{}/{}",
            organization.management_account, organization.id, unit.id
        );
        json!({"Id": unit.id, "Arn": arn, "Name": unit.name})
    })
}

/// One page. The token tells where the next page starts, and whether the empty page before it was given already.
fn page(
    organization: &Organization,
    call: &Call,
    field: &str,
    all: impl Iterator<Item = Value>,
) -> Result<Payload, AwsError> {
    let size = organization.page(call.number("MaxResults"));
    let token = call
        .text("NextToken")
        .map(Token::read)
        .transpose()?
        .unwrap_or(Token {
            start: 0,
            after_empty: false,
        });
    if organization.empty_pages && !token.after_empty {
        let next = Token {
            after_empty: true,
            ..token
        };
        return Ok(Payload::Json(json!({field: [], "NextToken": next.write()})));
    }
    let mut rest = all.skip(token.start);
    let entries: Vec<Value> = rest.by_ref().take(size).collect();
    let next = rest.next().map(|_| {
        Token {
            start: token.start + size,
            after_empty: false,
        }
        .write()
    });
    let mut body = json!({field: entries});
    if let Some(next) = next {
        crate::timeline::merge(
            &mut body,
            &Map::from_iter([("NextToken".to_owned(), next.into())]),
        );
    }
    Ok(Payload::Json(body))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Token {
    start: usize,
    after_empty: bool,
}

impl Token {
    fn write(self) -> String {
        format!(
            "AAAAsim{}{}",
            if self.after_empty { 'e' } else { 'p' },
            self.start
        )
    }

    fn read(text: &str) -> Result<Self, AwsError> {
        let rest = text.strip_prefix("AAAAsim");
        let after_empty = rest.is_some_and(|rest| rest.starts_with('e'));
        let start = rest.and_then(|rest| rest.get(1..)?.parse().ok());
        let invalid = || {
            AwsError::new(
                "InvalidInputException",
                "You specified an invalid NextToken.",
            )
        };
        start
            .map(|start| Self { start, after_empty })
            .ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_a_made_up_one_is_refused() {
        let token = Token {
            start: 40,
            after_empty: true,
        };
        assert_eq!(Token::read(&token.write()), Ok(token));
        for text in ["", "AAAAsimp", "AAAAsimx-1", "40"] {
            assert_eq!(
                Token::read(text).unwrap_err().code,
                "InvalidInputException",
                "{text}"
            );
        }
    }
}
