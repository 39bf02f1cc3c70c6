//! The accounts of an organization, page by page.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use cloudtrail_exporter::aws::limits::CallLimits;
use cloudtrail_exporter::config::{OrganizationsSettings, Secret};
use cloudtrail_exporter::facts::Failure;

use crate::lines::{json, refusal, role, sts_refusal, usual};
use crate::stage::{Asked, Reply, Stage};
use crate::{adapter, adapter_with, limits, metrics};

fn settings(units: &[&str]) -> OrganizationsSettings {
    OrganizationsSettings {
        role: Some(role()),
        external_id: Some(Secret::new("the-listing-id")),
        refresh_interval: Duration::from_mins(15),
        include_ous: units.iter().map(|unit| (*unit).to_owned()).collect(),
        exclude_accounts: vec![],
    }
}

fn page(accounts: &[(&str, &str)], next: Option<&str>) -> Reply {
    let accounts = accounts.iter().map(|(id, state)| {
        serde_json::json!({ "Id": id, "Name": format!("name of {id}"), "State": state })
    });
    let accounts: Vec<_> = accounts.collect();
    json(&serde_json::json!({ "Accounts": accounts, "NextToken": next }).to_string())
}

async fn listed(
    units: &[&str],
    script: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> (Result<Vec<String>, Failure>, Stage) {
    let stage = Stage::new(move |asked| match asked.operation.as_str() {
        "AssumeRole" => usual(asked),
        _ => script(asked),
    })
    .await;
    let aws = adapter(&stage.url).await;
    let members = aws.list_organization(&settings(units)).await;
    let members = members.map_err(|error| error.failure).map(|members| {
        let shown = members
            .into_iter()
            .map(|member| match member.organizational_unit {
                Some(unit) => format!("{} {} {unit}", member.id, member.name.unwrap_or_default()),
                None => format!("{} {}", member.id, member.name.unwrap_or_default()),
            });
        shown.collect()
    });
    (members, stage)
}

#[tokio::test]
async fn all_pages_are_read_and_an_empty_one_is_not_the_last() {
    let (members, stage) = listed(&[], |asked| match asked.nth {
        0 => page(
            &[("000000000001", "ACTIVE"), ("000000000002", "SUSPENDED")],
            Some("a"),
        ),
        1 => page(&[], Some("b")),
        _ => page(&[("000000000003", "ACTIVE")], None),
    })
    .await;
    let expected = [
        "000000000001 name of 000000000001",
        "000000000003 name of 000000000003",
    ];
    assert_eq!(members, Ok(expected.map(str::to_owned).to_vec()));
    let asked = stage.asked("ListAccounts");
    assert_eq!(asked.len(), 3);
    assert!(
        asked[2].body.contains(r#""NextToken":"b""#),
        "{}",
        asked[2].body
    );
    let role = stage.asked("AssumeRole").remove(0).body;
    assert!(role.contains("organizations%3AListAccounts%22"), "{role}");
}

#[tokio::test]
async fn units_are_listed_with_everything_below_them_and_each_once() {
    let (members, stage) = listed(&["ou-top"], |asked| {
        let top = asked.body.contains("ou-top");
        match (asked.operation.as_str(), top) {
            ("ListAccountsForParent", true) => page(&[("000000000001", "ACTIVE")], None),
            ("ListAccountsForParent", false) => page(&[("000000000002", "ACTIVE")], None),
            (_, true) => json(r#"{"OrganizationalUnits":[{"Id":"ou-low"}]}"#),
            (_, false) => json(r#"{"OrganizationalUnits":[{"Id":"ou-top"}]}"#),
        }
    })
    .await;
    let expected = [
        "000000000001 name of 000000000001 ou-top",
        "000000000002 name of 000000000002 ou-low",
    ];
    assert_eq!(members, Ok(expected.map(str::to_owned).to_vec()));
    assert_eq!(stage.count("ListOrganizationalUnitsForParent"), 2);
}

#[tokio::test]
async fn a_list_without_end_fails() {
    let (members, stage) =
        listed(&[], |_| page(&[("000000000001", "ACTIVE")], Some("again"))).await;
    assert_eq!(members, Err(Failure::Malformed));
    assert_eq!(stage.count("ListAccounts"), 2);
}

#[tokio::test]
async fn tokens_that_alternate_end_the_listing() {
    let (members, stage) = listed(&[], |asked| {
        let token = ["a", "b", "c"][asked.nth % 3];
        page(&[("000000000001", "ACTIVE")], Some(token))
    })
    .await;
    assert_eq!(members, Err(Failure::Malformed));
    assert_eq!(stage.count("ListAccounts"), 4);
}

#[tokio::test]
async fn empty_pages_without_end_end_the_listing_of_units_too() {
    let (members, stage) = listed(&["ou-top"], |asked| match asked.operation.as_str() {
        "ListAccountsForParent" => page(&[], None),
        _ => json(&format!(
            r#"{{"OrganizationalUnits":[],"NextToken":"{}"}}"#,
            asked.nth
        )),
    })
    .await;
    assert_eq!(members, Err(Failure::Malformed));
    assert_eq!(stage.count("ListOrganizationalUnitsForParent"), 101);
    let (members, stage) = listed(&[], |asked| page(&[], Some(&asked.nth.to_string()))).await;
    assert_eq!(members, Err(Failure::Malformed));
    assert_eq!(stage.count("ListAccounts"), 101);
}

#[tokio::test]
async fn a_listing_keeps_the_pace_of_one_account_and_so_do_its_retries() {
    let stage = Stage::new(|asked| match (asked.operation.as_str(), asked.nth) {
        ("AssumeRole", _) => usual(asked),
        (_, 3) => refusal(400, "TooManyRequestsException", "slow down"),
        (_, nth) => page(
            &[("000000000001", "ACTIVE")],
            (nth < 11).then(|| nth.to_string()).as_deref(),
        ),
    })
    .await;
    let pace = CallLimits {
        calls_per_second: NonZeroU32::new(5).expect("not zero"),
        ..limits()
    };
    let aws = adapter_with(&stage.url, pace, metrics()).await;
    let start = Instant::now();
    let members = aws.list_organization(&settings(&[])).await;
    assert_eq!(members.expect("a listing").len(), 1);
    assert_eq!(stage.count("ListAccounts"), 12);
    assert!(
        start.elapsed() >= Duration::from_secs(2),
        "twelve calls, five a second"
    );
}

#[tokio::test]
async fn a_page_with_a_key_twice_fails_the_listing() {
    let (members, _) = listed(&[], |_| {
        json(r#"{"Accounts":[],"NextToken":"a","NextToken":"b"}"#)
    })
    .await;
    assert_eq!(members, Err(Failure::Malformed));
}

#[tokio::test]
async fn one_failed_page_fails_the_listing() {
    let (members, _) = listed(&[], |asked| match asked.nth {
        0 => page(&[("000000000001", "ACTIVE")], Some("a")),
        _ => refusal(400, "AccessDeniedException", "no"),
    })
    .await;
    assert_eq!(members, Err(Failure::AccessDenied));
    let (members, _) = listed(&[], |_| json("{}")).await;
    assert_eq!(members, Err(Failure::Malformed));
}

#[tokio::test]
async fn a_throttled_page_is_asked_for_again() {
    let (members, stage) = listed(&[], |asked| match asked.nth {
        0 | 1 => refusal(400, "TooManyRequestsException", "slow down"),
        _ => page(&[("000000000001", "ACTIVE")], None),
    })
    .await;
    assert_eq!(members.map(|members| members.len()), Ok(1));
    assert_eq!(stage.count("ListAccounts"), 3);
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_fails_the_listing() {
    let stage = Stage::new(|_| sts_refusal(403, "AccessDenied", "no")).await;
    let aws = adapter(&stage.url).await;
    let error = aws.list_organization(&settings(&[])).await;
    let error = error.expect_err("refused");
    assert_eq!(error.failure, Failure::AccessDenied);
    let text = "listing the organization's accounts: access_denied: AccessDenied: no (status 403, request request-1)";
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn the_listing_role_is_assumed_with_its_own_external_id_which_no_error_shows() {
    let stage =
        Stage::new(|_| sts_refusal(403, "AccessDenied", "the-listing-id is not the external ID"))
            .await;
    let aws = adapter(&stage.url).await;
    let error = aws.list_organization(&settings(&[])).await;
    let error = error.expect_err("refused").to_string();
    assert!(!error.contains("the-listing-id"), "{error}");
    let asked = stage.asked("AssumeRole").remove(0);
    assert!(
        asked.body.contains("ExternalId=the-listing-id"),
        "{}",
        asked.body
    );
}
