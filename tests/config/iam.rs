//! The IAM documents, and the files of `deploy/iam` that are held equal to them.

use std::fs;
use std::path::Path;

use cloudtrail_exporter::config::{Config, Variables};
use cloudtrail_exporter::iam::{Document, READ_ACTIONS, documents};
use serde_json::{Value, json};
use yaml_rust2::{Yaml, YamlLoader};

fn of(text: &str) -> Vec<Document> {
    let config = Config::parse(
        text.as_bytes(),
        Path::new("iam.yaml"),
        &Variables::default(),
    );
    documents(&config.expect("a configuration"))
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

#[test]
fn the_ready_documents_are_those_of_plain_discovery() {
    let documents = of(DISCOVERY);
    let files = [
        "hub-permissions.json",
        "member-permissions.json",
        "member-trust.json",
    ];
    assert_eq!(documents.len(), files.len(), "{:?}", titles(&documents));
    for (file, document) in files.iter().zip(&documents) {
        let ready = fs::read_to_string(Path::new("deploy/iam").join(file)).unwrap_or_default();
        assert_eq!(
            ready,
            format!("{}\n", document.json),
            "{file}: {}",
            document.title
        );
    }
}

#[test]
fn discovery_lists_the_organization_and_assumes_the_default_role_everywhere() {
    let documents = of(DISCOVERY);
    let hub = statements(&documents[0]);
    assert_eq!(hub[0]["Action"][0], "organizations:ListAccounts");
    assert_eq!(hub[1]["Action"], json!(["sts:AssumeRole"]));
    assert_eq!(
        hub[1]["Resource"],
        json!(["arn:aws:iam::*:role/cloudtrail-exporter-read"])
    );
    assert_eq!(statements(&documents[1])[0]["Action"], json!(READ_ACTIONS));
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
        "Trust policy of the role in each account read from the exporter's own credentials (partition aws)",
        "Trust policy of the role in each account read from the credentials of profile gov (partition aws-us-gov)",
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
    assert_eq!(hub.len(), 1);
    assert_eq!(hub[0]["Resource"][1], "arn:aws:iam::012345678901:role/list");
    let [.., permissions, _] = documents.as_slice() else {
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

#[test]
fn the_stack_set_makes_the_role_the_documents_describe() {
    let text = fs::read_to_string("deploy/iam/member-role.stackset.yaml").expect("the template");
    let template = YamlLoader::load_from_str(&text).expect("YAML").remove(0);
    let role = &template["Resources"]["Role"]["Properties"];
    let read = &role["Policies"][0]["PolicyDocument"]["Statement"][0];
    let actions = READ_ACTIONS.map(|action| Yaml::String(action.to_owned()));
    assert_eq!(read["Action"], Yaml::Array(actions.to_vec()));
    let wanted = statements(&of(DISCOVERY)[2]);
    let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Sid"].as_str(), wanted[0]["Sid"].as_str());
    assert_eq!(trust["Action"][0].as_str(), wanted[0]["Action"][0].as_str());
    let name = &template["Parameters"]["RoleName"]["Default"];
    assert_eq!(name.as_str(), Some("cloudtrail-exporter-read"));
}
