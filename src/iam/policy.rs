//! The grammar of IAM policies, as far as it is needed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ORGANIZATIONS_ACTIONS, READ_ACTIONS};
use crate::account::Partition;

/// The version of the policy language: a constant of IAM's, not a date of ours.
const VERSION: &str = "2012-10-17";
/// What stands in for the ARN's end of the exporter's own role.
const HUB: &str = "HUB-ACCOUNT-ID:role/HUB-ROLE-NAME";
/// What stands in for an external ID, which is a secret.
const EXTERNAL_ID: &str = "EXTERNAL-ID";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

impl Policy {
    pub(super) fn new(statement: Vec<Statement>) -> Self {
        let version = VERSION;
        Self { version, statement }
    }

    pub(super) fn to_json(&self) -> String {
        // Texts in structs and maps keyed by texts: there is nothing that could fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

type Pairs = BTreeMap<&'static str, String>;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Statement {
    sid: &'static str,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Pairs>,
    action: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<BTreeMap<&'static str, Pairs>>,
}

impl Statement {
    fn allow(sid: &'static str, action: &[&'static str], resource: Vec<String>) -> Self {
        Self {
            sid,
            effect: "Allow",
            principal: None,
            action: action.to_vec(),
            resource,
            condition: None,
        }
    }

    /// The calls made in an account. On every resource: the trails are not known before, and an organization trail carries another account's ARN.
    pub(super) fn read() -> Self {
        Self::allow("ReadTrails", &READ_ACTIONS, vec!["*".to_owned()])
    }

    /// The calls of discovery, which know no resource.
    pub(super) fn list() -> Self {
        Self::allow("ListAccounts", &ORGANIZATIONS_ACTIONS, vec!["*".to_owned()])
    }

    /// Assume exactly these roles.
    pub(super) fn assume(roles: Vec<String>) -> Self {
        Self::allow("AssumeReadingRoles", &["sts:AssumeRole"], roles)
    }

    /// The hub may assume the role this stands on.
    pub(super) fn trust(partition: Partition, external_id: bool) -> Self {
        let hub = format!("arn:{partition}:iam::{HUB}");
        let asked = || Pairs::from([("sts:ExternalId", EXTERNAL_ID.to_owned())]);
        Self {
            principal: Some(Pairs::from([("AWS", hub)])),
            condition: external_id.then(|| BTreeMap::from([("StringEquals", asked())])),
            ..Self::allow("TrustTheExporter", &["sts:AssumeRole"], Vec::new())
        }
    }
}
