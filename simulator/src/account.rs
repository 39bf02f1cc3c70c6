//! An account: who it is, where it stands, which roles let somebody in, and which trails it owns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::{AccountId, Partition};
use crate::trail::Trail;

/// The role an account has when it names none.
pub const DEFAULT_ROLE: &str = "cloudtrail-exporter-read";

/// An account. Every key but `id` has a default: an active member with one role and no trail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Account {
    /// 12 digits.
    pub id: AccountId,
    /// The name in Organizations.
    pub name: String,
    /// The partition.
    pub partition: Partition,
    /// The organizational unit (or root) it is in; the root when absent.
    pub parent: Option<String>,
    /// The state in Organizations: `ACTIVE`, `SUSPENDED`, `PENDING_CLOSURE`, `CLOSED`, ...
    pub state: String,
    /// Outside the organization.
    pub standalone: bool,
    /// The enabled Regions; the partition's usual ones when absent.
    pub regions: Option<Vec<String>>,
    /// Opt-in Regions enabled besides those.
    pub opt_in_regions: Vec<String>,
    /// The roles that may be assumed.
    pub roles: Vec<Role>,
    /// The trails it owns.
    pub trails: Vec<Trail>,
    /// Literal answers, by operation, instead of true ones.
    pub answers: BTreeMap<String, Literal>,
    /// What an auditor should say of it; the simulator itself makes nothing of this.
    pub expect: Option<Expectation>,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            id: AccountId::default(),
            name: String::new(),
            partition: Partition::default(),
            parent: None,
            state: "ACTIVE".to_owned(),
            standalone: false,
            regions: None,
            opt_in_regions: Vec::new(),
            roles: vec![Role {
                name: DEFAULT_ROLE.to_owned(),
                external_id: None,
                max_session: None,
            }],
            trails: Vec::new(),
            answers: BTreeMap::new(),
            expect: None,
        }
    }
}

/// A role that may be assumed from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name, with its path if it has one (`audit/reader`).
    pub name: String,
    /// The external ID its trust policy demands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// The longest session it gives; one hour when absent.
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_session: Option<std::time::Duration>,
}

/// A literal answer: what goes on the wire whatever the world says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Literal {
    /// The HTTP status.
    pub status: u16,
    /// The content type; the protocol's own when absent.
    pub content_type: Option<String>,
    /// The body: a string goes out as it stands, anything else as JSON.
    pub body: Value,
}

impl Default for Literal {
    fn default() -> Self {
        Self {
            status: 200,
            content_type: None,
            body: Value::String(String::new()),
        }
    }
}

impl Literal {
    /// The bytes of the body.
    pub(crate) fn text(&self) -> String {
        match &self.body {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// What an auditor should say of an account when it asks in the account's first Region, before any change of the timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// `compliant`, `non_compliant` or `unknown`, when a multi-Region trail that logs is all that is required.
    pub state: String,
    /// Why.
    pub reason: String,
    /// The same when delivery and complete management events are required too; as above when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<StrictExpectation>,
}

/// What an auditor should say of an account when delivery and complete management events are required too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrictExpectation {
    /// `compliant`, `non_compliant` or `unknown`.
    pub state: String,
    /// Why.
    pub reason: String,
}

impl Account {
    /// Whether the Region is enabled here.
    pub fn has_region(&self, region: &str) -> bool {
        let listed = |list: &[String]| list.iter().any(|enabled| enabled == region);
        let usual = || self.partition.default_regions().contains(&region);
        listed(&self.opt_in_regions) || self.regions.as_deref().map_or_else(usual, listed)
    }

    /// The trail with this name, to change it.
    pub fn trail_mut(&mut self, name: &str) -> Option<&mut Trail> {
        self.trails.iter_mut().find(|trail| trail.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_names_no_region_has_those_of_its_partition() {
        let gov = Account {
            partition: Partition::AwsUsGov,
            ..Account::default()
        };
        assert!(gov.has_region("us-gov-west-1") && !gov.has_region("us-east-1"));
    }

    #[test]
    fn named_regions_are_the_only_enabled_ones() {
        let account = Account {
            regions: Some(vec!["eu-west-1".to_owned()]),
            ..Account::default()
        };
        assert!(account.has_region("eu-west-1") && !account.has_region("us-east-1"));
    }
}
