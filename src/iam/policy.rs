//! The grammar of IAM policies, as far as it is needed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ORGANIZATIONS_ACTIONS, READ_ACTIONS, Trust};

/// The version of the policy language: a constant of IAM's, not a date of ours.
const VERSION: &str = "2012-10-17";
/// What stands in for the ARN's end of the exporter's own role.
const HUB: &str = "HUB-ACCOUNT-ID:role/HUB-ROLE-NAME";
/// What stands in for the id of the organization.
const ORGANIZATION: &str = "ORGANIZATION-ID";
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
/// The type of a principal and its name.
pub(super) type Principal = (&'static str, String);

/// When a statement holds.
#[derive(Default)]
pub(super) struct Condition<'a> {
    /// Keys and the texts they must equal.
    pub(super) equals: &'a [(&'static str, &'a str)],
    /// What `aws:SourceArn` must be like.
    pub(super) arn_like: Option<String>,
}

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
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    condition: BTreeMap<&'static str, Pairs>,
}

impl Statement {
    fn allow(sid: &'static str, action: &[&'static str], resource: Vec<String>) -> Self {
        Self {
            sid,
            effect: "Allow",
            principal: None,
            action: action.to_vec(),
            resource,
            condition: BTreeMap::new(),
        }
    }

    /// The calls made in an account. On every resource: the trails are not known before, and an
    /// organization trail carries another account's ARN.
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

    /// Assume the roles of a pattern, in accounts of the exporter's own organization alone: anybody
    /// can name a role so in an account of theirs.
    pub(super) fn assume_discovered(pattern: String) -> Self {
        let roles = vec![pattern];
        let inside = [("aws:ResourceOrgID", "${aws:PrincipalOrgID}")];
        Self::allow("AssumeDiscoveredRoles", &["sts:AssumeRole"], roles).only(Condition {
            equals: &inside,
            ..Condition::default()
        })
    }

    /// The hub may assume the role this stands on.
    pub(super) fn trust(trust: Trust) -> Self {
        let hub = ("AWS", format!("arn:{}:iam::{HUB}", trust.partition));
        let asked = [
            (trust.organization, ("aws:PrincipalOrgID", ORGANIZATION)),
            (trust.external_id, ("sts:ExternalId", EXTERNAL_ID)),
        ];
        let asked = asked.into_iter().filter(|(applies, _)| *applies);
        let asked: Vec<_> = asked.map(|(_, pair)| pair).collect();
        Self::trust_in("TrustTheExporter", hub, &["sts:AssumeRole"]).only(Condition {
            equals: &asked,
            ..Condition::default()
        })
    }

    /// A principal may take the role this stands on.
    pub(super) fn trust_in(
        sid: &'static str,
        principal: Principal,
        action: &[&'static str],
    ) -> Self {
        Self {
            principal: Some(Pairs::from([principal])),
            ..Self::allow(sid, action, Vec::new())
        }
    }

    /// The statement under a condition.
    pub(super) fn only(mut self, condition: Condition<'_>) -> Self {
        let equals = condition.equals.iter();
        let equals: Pairs = equals
            .map(|(key, text)| (*key, (*text).to_owned()))
            .collect();
        let source = |arn| Pairs::from([("aws:SourceArn", arn)]);
        let arn_like = condition.arn_like.map(source).unwrap_or_default();
        let operators = [("ArnLike", arn_like), ("StringEquals", equals)];
        let said = operators.into_iter().filter(|(_, pairs)| !pairs.is_empty());
        self.condition.extend(said);
        self
    }
}
