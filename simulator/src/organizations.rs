//! Organizations: the three lists of accounts and units, in pages.

use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::call::{Call, Service};
use crate::names::AccountId;
use crate::organization::{Organization, StateField, Unit};
use crate::reply::{AwsError, Payload};
use crate::world::World;

/// When every simulated account joined: 2024-01-01.
const JOINED: f64 = 1_704_067_200.0;
const NO_PERMISSION: &str = "You don't have permissions to access this resource.";

/// One of the lists.
pub(crate) fn answer(world: &World, asking: AccountId, call: &Call) -> Result<Payload, AwsError> {
    let organization = organization(world, asking)?;
    let entry = |(id, account)| describe(world, organization, id, account);
    match call.operation.as_str() {
        "ListAccounts" => {
            let all = world.members(organization);
            page(organization, call, "Accounts", all, entry)
        }
        "ListAccountsForParent" => {
            let parent = parent(organization, call)?;
            let is_in = |account: &Account| {
                account.parent.as_deref().unwrap_or(&organization.root) == parent
            };
            let below = world
                .members(organization)
                .filter(|(_, account)| is_in(account));
            page(organization, call, "Accounts", below, entry)
        }
        "ListOrganizationalUnitsForParent" => {
            let parent = parent(organization, call)?;
            let is_in =
                |unit: &&Unit| unit.parent.as_deref().unwrap_or(&organization.root) == parent;
            let below = organization.units.iter().filter(is_in);
            page(organization, call, "OrganizationalUnits", below, |unit| {
                describe_unit(world, organization, unit)
            })
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

fn describe_unit(world: &World, organization: &Organization, unit: &Unit) -> Value {
    let owner = organization.management_account;
    let partition = world
        .account(owner)
        .map(|account| account.partition)
        .unwrap_or_default();
    let arn = format!(
        "arn:{partition}:organizations::{owner}:ou/{}/{}",
        organization.id, unit.id
    );
    json!({"Id": unit.id, "Arn": arn, "Name": unit.name})
}

/// One page; only its own entries are described. The token tells where the next page starts, and whether the empty page before it was given already.
fn page<T>(
    organization: &Organization,
    call: &Call,
    field: &str,
    all: impl Iterator<Item = T>,
    describe: impl Fn(T) -> Value,
) -> Result<Payload, AwsError> {
    let size = organization.page(call.number("MaxResults"));
    let token = call
        .text("NextToken")
        .map(Token::read)
        .transpose()?
        .unwrap_or_default();
    if organization.empty_pages && !token.after_empty {
        let next = Token {
            after_empty: true,
            ..token
        };
        return Ok(Payload::Json(json!({field: [], "NextToken": next.write()})));
    }
    let mut rest = all.skip(token.start);
    let entries: Vec<Value> = rest.by_ref().take(size).map(describe).collect();
    let mut body = Map::from_iter([(field.to_owned(), entries.into())]);
    if rest.next().is_some() {
        let next = Token {
            start: token.start + size,
            after_empty: false,
        };
        body.insert("NextToken".to_owned(), next.write().into());
    }
    Ok(Payload::Json(Value::Object(body)))
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    use crate::probe::Probe;

    const WORLD: &str = r#"
organization:
  management_account: "100000000000"
  delegated_administrators: ["100000000001"]
  root: r-root
  units: [{ id: ou-one, name: One }, { id: ou-two, name: Two, parent: ou-one }]
  page_size: 2
fleets: [{ accounts: 5, first_id: "100000000000", name: "member-{n}", like: { trails: [] } }]
accounts:
  - { id: "100000000003", name: gone, state: SUSPENDED, parent: ou-two }
  - { id: "200000000000", name: outside, standalone: true }
"#;

    fn pages(probe: &mut Probe, operation: &str, input: &Value, field: &str) -> Vec<Vec<String>> {
        let (mut input, mut pages) = (input.clone(), Vec::new());
        loop {
            let answer = probe.organizations(operation, &input);
            let entries = answer[field]
                .as_array()
                .unwrap_or_else(|| panic!("{answer}"));
            pages.push(
                entries
                    .iter()
                    .map(|entry| entry["Name"].as_str().unwrap().to_owned())
                    .collect(),
            );
            match answer.get("NextToken") {
                Some(token) => input["NextToken"] = token.clone(),
                None => return pages,
            }
        }
    }

    #[test]
    fn every_member_is_listed_once_over_the_pages_and_no_outsider() {
        let mut probe = Probe::new(WORLD);
        let all = pages(&mut probe, "ListAccounts", &json!({}), "Accounts");
        assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        let mut names = all.concat();
        names.sort();
        assert_eq!(
            names,
            ["gone", "member-0", "member-1", "member-2", "member-4"]
        );
    }

    #[test]
    fn an_empty_page_may_come_before_each_real_one() {
        let mut probe =
            Probe::new(&WORLD.replace("page_size: 2", "page_size: 3\n  empty_pages: true"));
        let lengths: Vec<_> = pages(&mut probe, "ListAccounts", &json!({}), "Accounts")
            .iter()
            .map(Vec::len)
            .collect();
        assert_eq!(lengths, [0, 3, 0, 2]);
    }

    #[test]
    fn parents_list_their_own_accounts_and_units() {
        let mut probe = Probe::new(WORLD);
        assert_eq!(
            pages(
                &mut probe,
                "ListAccountsForParent",
                &json!({"ParentId": "ou-two"}),
                "Accounts"
            ),
            [["gone"]]
        );
        let units = pages(
            &mut probe,
            "ListOrganizationalUnitsForParent",
            &json!({"ParentId": "r-root"}),
            "OrganizationalUnits",
        );
        assert_eq!(units, [["One"]]);
        let answer = probe.organizations("ListAccountsForParent", &json!({"ParentId": "ou-none"}));
        assert_eq!(answer["__type"], "ParentNotFoundException");
    }

    #[test]
    fn the_state_stands_in_the_new_field_the_old_or_both() {
        for (told, new, old) in [
            ("state", true, false),
            ("status", false, true),
            ("both", true, true),
        ] {
            let mut probe =
                Probe::new(&WORLD.replace("page_size: 2", &format!("state_field: {told}")));
            let account = probe.organizations("ListAccounts", &json!({}))["Accounts"][0].clone();
            assert_eq!(
                (
                    account.get("State").is_some(),
                    account.get("Status").is_some()
                ),
                (new, old),
                "{told}"
            );
        }
    }

    #[test]
    fn only_the_management_account_and_its_delegates_may_list() {
        let mut probe = Probe::new(WORLD);
        let mut code = |account: &str| {
            probe
                .enter(account)
                .organizations("ListAccounts", &json!({}))["__type"]
                .clone()
        };
        assert_eq!(code("100000000001"), Value::Null);
        assert_eq!(code("100000000002"), "AccessDeniedException");
        assert_eq!(code("200000000000"), "AWSOrganizationsNotInUseException");
    }

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
