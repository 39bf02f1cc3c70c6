//! The IAM documents, and the files of `deploy/iam` that are held equal to them.

use std::fs;
use std::path::Path;

use cloudtrail_exporter::config::{Config, Variables};
use cloudtrail_exporter::iam::{Document, Platform, READ_ACTIONS, documents};
use serde_json::{Value, json};

/// The documents of a configuration that may run anywhere but on a platform of AWS's.
fn of(text: &str) -> Vec<Document> {
    on(text, &[])
}

fn on(text: &str, platforms: &[Platform]) -> Vec<Document> {
    let config = Config::parse(
        text.as_bytes(),
        Path::new("iam.yaml"),
        &Variables::default(),
    );
    documents(&config.expect("a configuration"), platforms)
}

fn titles(documents: &[Document]) -> Vec<&str> {
    documents
        .iter()
        .map(|document| document.title.as_str())
        .collect()
}

fn statements(document: &Document) -> Vec<Value> {
    let policy: Value = serde_json::from_str(&document.json).expect("JSON");
    assert_eq!(policy["Version"], "2012-10-17");
    policy["Statement"].as_array().expect("a list").clone()
}

const DISCOVERY: &str = "discovery: { organizations: { enabled: true } }";
/// What the files of `deploy/iam/policies` are printed from: discovery by a role, the exporter's own
/// account by its own credentials, and an external ID.
const ORGANIZATION: &str = r#"
defaults: { external_id: any-text }
aws: { region: REGION }
accounts: [{ name: here, ambient: true }]
discovery:
  organizations:
    enabled: true
    role_arn: "arn:PARTITION:iam::012345678901:role/cloudtrail-exporter-discovery"
"#;
const PARTITIONS: [(&str, &str); 3] = [
    ("aws", "us-east-1"),
    ("aws-us-gov", "us-gov-west-1"),
    ("aws-cn", "cn-north-1"),
];
/// The files in the order of the documents.
const FILES: [&str; 9] = [
    "hub-permissions",
    "hub-trust-eks-irsa",
    "hub-trust-eks-pod-identity",
    "hub-trust-ecs",
    "hub-trust-ec2",
    "member-permissions",
    "member-trust",
    "discovery-permissions",
    "discovery-trust",
];

fn organization(partition: &str, region: &str) -> Vec<Document> {
    let text = ORGANIZATION.replace("PARTITION", partition);
    on(&text.replace("REGION", region), &Platform::ALL)
}

/// `UPDATE=1 cargo test` writes them anew.
#[test]
fn the_ready_documents_are_those_of_an_organization_in_each_partition() {
    for (partition, region) in PARTITIONS {
        let documents = organization(partition, region);
        assert_eq!(documents.len(), FILES.len(), "{:?}", titles(&documents));
        for (file, document) in FILES.iter().zip(&documents) {
            let path = format!("deploy/iam/policies/{partition}/{file}.json");
            let wanted = format!("{}\n", document.json);
            if std::env::var_os("UPDATE").is_some() {
                fs::write(&path, &wanted).expect("a file");
            }
            let ready = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(ready, wanted, "{path}: {}", document.title);
        }
    }
}

#[test]
fn no_document_names_another_partition() {
    for (partition, region) in PARTITIONS {
        for document in organization(partition, region) {
            let arns = document
                .json
                .split('"')
                .filter(|text| text.starts_with("arn:"));
            for arn in arns {
                let own = format!("arn:{partition}:");
                assert!(arn.starts_with(&own), "{arn} in {}", document.title);
            }
        }
    }
}

#[test]
fn discovery_lists_the_organization_and_assumes_the_default_role_inside_it_alone() {
    let documents = of(DISCOVERY);
    let hub = statements(&documents[0]);
    assert_eq!(hub[0]["Action"][0], "organizations:ListAccounts");
    assert_eq!(hub[1]["Action"], json!(["sts:AssumeRole"]));
    assert_eq!(
        hub[1]["Resource"],
        json!(["arn:aws:iam::*:role/cloudtrail-exporter-read"])
    );
    assert_eq!(
        hub[1]["Condition"],
        json!({ "StringEquals": { "aws:ResourceOrgID": "${aws:PrincipalOrgID}" } })
    );
    assert_eq!(statements(&documents[1])[0]["Action"], json!(READ_ACTIONS));
    let trust = &statements(&documents[2])[0];
    assert_eq!(
        trust["Condition"],
        json!({ "StringEquals": { "aws:PrincipalOrgID": "ORGANIZATION-ID" } })
    );
}

#[test]
fn no_pattern_of_roles_stands_without_the_organization() {
    for (partition, region) in PARTITIONS {
        for document in organization(partition, region) {
            for statement in statements(&document) {
                let pattern = statement["Resource"].to_string().contains("iam::*");
                let inside =
                    statement["Condition"]["StringEquals"]["aws:ResourceOrgID"].is_string();
                assert_eq!(pattern, inside, "{}", document.json);
            }
        }
    }
}

#[test]
fn configured_accounts_beside_discovery_keep_their_roles_inside_the_organization_or_not() {
    let documents = of(&format!(
        "{DISCOVERY}\naccounts: [{{ id: '210987654321' }}]"
    ));
    let hub = statements(&documents[0]);
    let named = "arn:aws:iam::210987654321:role/cloudtrail-exporter-read";
    assert_eq!(hub[2]["Resource"], json!([named]));
    assert_eq!(hub[2].get("Condition"), None);
    let wanted = [
        "Trust policy of the role in each configured account read from the exporter's own credentials (partition aws)",
        "Trust policy of the role in each account of the organization read from the exporter's own credentials (partition aws)",
    ];
    assert_eq!(titles(&documents[2..]), wanted);
}

#[test]
fn the_exporters_own_role_is_for_one_service_account_cluster_or_account() {
    let trust = |platform| {
        let documents = on("accounts: [{ name: here, ambient: true }]", &[platform]);
        assert_eq!(documents.len(), 2, "{:?}", titles(&documents));
        statements(&documents[1]).remove(0)
    };
    let irsa = trust(Platform::EksIrsa);
    assert_eq!(irsa["Action"], json!(["sts:AssumeRoleWithWebIdentity"]));
    let wanted = json!({ "StringEquals": {
        "OIDC-PROVIDER:aud": "sts.amazonaws.com",
        "OIDC-PROVIDER:sub": "system:serviceaccount:NAMESPACE:SERVICE-ACCOUNT",
    } });
    assert_eq!(irsa["Condition"], wanted);
    let pods = trust(Platform::EksPodIdentity);
    let cluster = "arn:aws:eks:REGION:HUB-ACCOUNT-ID:cluster/CLUSTER-NAME";
    assert_eq!(pods["Condition"]["ArnLike"]["aws:SourceArn"], cluster);
    let ecs = trust(Platform::Ecs);
    let tasks = "arn:aws:ecs:REGION:HUB-ACCOUNT-ID:*";
    assert_eq!(ecs["Condition"]["ArnLike"]["aws:SourceArn"], tasks);
    for service in [pods, ecs] {
        let account = &service["Condition"]["StringEquals"]["aws:SourceAccount"];
        assert_eq!(account, "HUB-ACCOUNT-ID");
    }
    let ec2 = trust(Platform::Ec2);
    assert_eq!(ec2["Principal"], json!({ "Service": "ec2.amazonaws.com" }));
}

#[test]
fn credentials_of_a_profile_have_no_role_of_ours_to_trust() {
    let text = "accounts: [{ id: '210987654322', profile: base }]";
    let documents = on(text, &Platform::ALL);
    assert!(
        !titles(&documents).iter().any(|title| title.contains("EKS")),
        "{:?}",
        titles(&documents)
    );
}

#[test]
fn configured_accounts_need_exactly_their_roles() {
    let documents = of(r#"
defaults: { role_name: path/audit }
accounts:
  - { id: "210987654321" }
  - { id: "012345678901", role_arn: "arn:aws:iam::012345678901:role/other" }
"#);
    let hub = statements(&documents[0]);
    let roles = [
        "arn:aws:iam::012345678901:role/other",
        "arn:aws:iam::210987654321:role/path/audit",
    ];
    assert_eq!(hub.len(), 1);
    assert_eq!(hub[0]["Resource"], json!(roles));
}

#[test]
fn each_partition_has_its_own_hub_and_its_own_arns() {
    let documents = of(r#"
accounts:
  - { id: "210987654321" }
  - { id: "210987654322", region: us-gov-west-1, profile: gov, role_name: audit }
"#);
    let wanted = [
        "Permissions policy of the exporter's own credentials (partition aws)",
        "Permissions policy of the credentials of profile gov (partition aws-us-gov)",
        "Permissions policy of the role in each account",
        "Trust policy of the role in each configured account read from the exporter's own credentials (partition aws)",
        "Trust policy of the role in each configured account read from the credentials of profile gov (partition aws-us-gov)",
    ];
    assert_eq!(titles(&documents), wanted);
    assert!(
        documents[1]
            .json
            .contains("arn:aws-us-gov:iam::210987654322:role/audit")
    );
    assert!(
        documents[4]
            .json
            .contains("arn:aws-us-gov:iam::HUB-ACCOUNT-ID:role/HUB-ROLE-NAME")
    );
}

#[test]
fn an_external_id_is_asked_for_and_never_shown() {
    let documents = of("defaults: { external_id: hunter2 }\naccounts: [{ id: '210987654321' }]");
    let trust = statements(documents.last().expect("a document"));
    assert_eq!(
        trust[0]["Condition"]["StringEquals"]["sts:ExternalId"],
        "EXTERNAL-ID"
    );
    for document in &documents {
        assert!(!document.json.contains("hunter2"), "{}", document.json);
    }
}

#[test]
fn what_is_read_with_its_own_credentials_needs_no_role() {
    let documents = of("accounts: [{ name: here, ambient: true }]");
    assert_eq!(documents.len(), 1);
    assert_eq!(statements(&documents[0])[0]["Action"], json!(READ_ACTIONS));
}

#[test]
fn a_role_for_discovery_lists_instead_of_the_hub() {
    let documents = of(
        "discovery: { organizations: { enabled: true, role_arn: 'arn:aws:iam::012345678901:role/list' } }",
    );
    let hub = statements(&documents[0]);
    assert_eq!(hub.len(), 2);
    assert_eq!(hub[0]["Sid"], "AssumeDiscoveredRoles");
    assert_eq!(
        hub[1]["Resource"],
        json!(["arn:aws:iam::012345678901:role/list"])
    );
    let [.., permissions, trust] = documents.as_slice() else {
        panic!("{:?}", titles(&documents));
    };
    assert_eq!(
        permissions.title,
        "Permissions policy of arn:aws:iam::012345678901:role/list"
    );
    assert_eq!(
        statements(permissions)[0]["Action"][0],
        "organizations:ListAccounts"
    );
    let condition = &statements(trust)[0]["Condition"]["StringEquals"];
    assert_eq!(
        condition,
        &json!({ "aws:PrincipalOrgID": "ORGANIZATION-ID" })
    );
}

#[test]
fn the_role_for_discovery_asks_for_its_external_id_or_that_of_defaults() {
    for ids in [
        "discovery: { organizations: { enabled: true, role_arn: ARN, external_id: hunter2 } }",
        "defaults: { external_id: hunter2 }\ndiscovery: { organizations: { enabled: true, role_arn: ARN } }",
    ] {
        let documents = of(&ids.replace("ARN", "'arn:aws:iam::012345678901:role/list'"));
        let trust = documents.last().expect("a document");
        let asked = &statements(trust)[0]["Condition"]["StringEquals"]["sts:ExternalId"];
        assert_eq!(asked, "EXTERNAL-ID", "{ids}");
        assert!(!trust.json.contains("hunter2"));
    }
}

#[test]
fn no_document_is_longer_than_iam_takes() {
    let accounts = (0..1000).map(|id| format!("  - {{ id: '{id:012}' }}\n"));
    let documents = of(&format!(
        "accounts:\n  - {{ name: here, ambient: true }}\n{}",
        accounts.collect::<String>()
    ));
    let mut roles = 0;
    for document in &documents {
        let length = document.json.chars().filter(|c| !c.is_whitespace()).count();
        assert!(length <= 6144, "{}: {length}", document.title);
        roles += document
            .json
            .matches(":role/cloudtrail-exporter-read")
            .count();
    }
    assert_eq!(roles, 1000);
    assert!(
        documents[0].title.ends_with(", 1 of 11"),
        "{}",
        documents[0].title
    );
}
