//! The pages and the JSON, on a made-up fleet in every state.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cloudtrail_exporter::directory::AccountKey;
use cloudtrail_exporter::snapshot::Snapshot;
use serde_json::Value;

use crate::fleet;
use crate::house::{House, Told};
use crate::schema::{faults, faults_of};

fn house(accounts: u64) -> House {
    let house = House::open();
    house.snapshot.send_replace(fleet::many(accounts));
    house
}

fn json(told: &Told) -> Value {
    assert_eq!(told.header("content-type"), Some("application/json"));
    serde_json::from_slice(&told.whole_body()).expect("JSON")
}

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.schema.json");
    let text = std::fs::read_to_string(path).expect("a schema");
    serde_json::from_str(&text).expect("JSON")
}

#[tokio::test]
async fn the_index_shows_the_fleet_worst_first() {
    let told = house(24).get("/").await;
    assert_eq!(told.status(), 200);
    let html = told.text();
    let at = |name: &str| html.find(&format!(">{name}</a>")).expect(name);
    assert!(at("marketing-site") < at("billing") && at("billing") < at("newcomer"));
    assert!(at("newcomer") < at("audit"));
    assert!(html.contains("Of 24 accounts, 6 are not covered as required; of 6 it is not known."));
}

#[tokio::test]
async fn nothing_that_aws_or_an_operator_names_becomes_markup() {
    let house = house(24);
    let hostile = house.get("/accounts/210987654011").await.text();
    for html in [house.get("/").await.text(), hostile] {
        assert!(
            !html.contains("<script>alert") && !html.contains("<img"),
            "{html}"
        );
        assert!(!html.contains('\u{202e}'));
        assert!(html.contains("&#60;script&#62;alert(1)"));
    }
}

#[tokio::test]
async fn a_page_loads_nothing_and_may_do_nothing_else() {
    let told = house(24).get("/").await;
    let policy = told.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
    assert_eq!(told.header("x-frame-options"), Some("DENY"));
    assert_eq!(told.header("referrer-policy"), Some("no-referrer"));
    let html = told.text();
    assert!(!html.contains("style=\"") && !html.contains("onclick") && !html.contains("//cdn"));
    assert!(!html.contains(" src="), "nothing is loaded");
}

#[tokio::test]
async fn the_server_filters_searches_sorts_and_pages() {
    let house = house(1000);
    let rows = |html: &str| html.matches("<tr role=\"row\" data-text").count();
    let page = async |query: &str| house.get(&format!("/{query}")).await.text();
    assert_eq!(rows(&page("").await), 200);
    assert_eq!(rows(&page("?page=5").await), 200);
    assert_eq!(rows(&page("?page=99").await), 200, "the last page there is");
    assert_eq!(rows(&page("?state=non_compliant").await), 6);
    assert_eq!(rows(&page("?q=BILL").await), 1);
    assert_eq!(rows(&page("?q=210987654003").await), 1);
    assert_eq!(rows(&page("?q=nothing-like-it").await), 0);
    assert_eq!(
        rows(&page("?q=IS+STOPPED").await),
        3,
        "what the column says"
    );
    assert_eq!(rows(&page("?q=not_logging").await), 3, "what an alert says");
    assert_eq!(rows(&page("?q=denies").await), 2, "of the last poll, too");
    let by_name = page("?sort=account&order=desc").await;
    assert!(by_name.contains("aria-sort=\"descending\""));
    assert!(by_name.find(">warehouse<") < by_name.find(">two-trails<"));
}

#[tokio::test]
async fn the_script_searches_by_itself_only_where_all_accounts_are_on_the_page() {
    let whole = async |accounts, query: &str| {
        let html = house(accounts).get(&format!("/{query}")).await.text();
        html.contains("data-whole=\"true\"")
    };
    assert!(whole(24, "").await);
    assert!(whole(24, "?state=non_compliant").await);
    assert!(!whole(1000, "").await);
    assert!(
        !whole(1000, "?q=bill").await,
        "what is not found is elsewhere"
    );
}

#[tokio::test]
async fn an_account_has_a_page_with_what_to_do() {
    let house = house(24);
    let html = house.get("/accounts/210987654003").await.text();
    let command = "aws cloudtrail start-logging --name arn:aws:cloudtrail:eu-west-1:210987654003:trail/management-events --region eu-west-1";
    assert!(html.contains(command), "{html}");
    assert!(
        house
            .get("/accounts/210987654000")
            .await
            .text()
            .contains("id=\"evidence\"")
    );
    assert!(
        !house
            .get("/accounts/210987654000")
            .await
            .text()
            .contains("What to do")
    );
    assert_eq!(house.get("/accounts/gov%20audit").await.status(), 200);
    for missing in [
        "/accounts/999999999999",
        "/accounts/%00",
        "/accounts/x/y",
        "/accounts/",
    ] {
        assert_eq!(house.get(missing).await.status(), 404, "{missing}");
    }
}

#[tokio::test]
async fn a_verdict_that_stands_although_the_last_poll_failed_says_so_and_what_lets_it_see_again() {
    let house = house(24);
    let why = "The last poll could not tell: AWS denies access.";
    let html = house.get("/accounts/210987654009").await.text();
    let since = "The verdict was proven 30 min ago and stands until a poll proves otherwise.";
    assert!(html.contains(&format!("{why} {since}")), "{html}");
    assert!(html.contains("aws cloudtrail start-logging"));
    assert!(html.contains("aws sts get-caller-identity"));
    assert_eq!(house.get("/").await.text().matches(why).count(), 1);
    let unheld = house.get("/accounts/210987654003").await.text();
    assert!(!unheld.contains("could not tell"));
}

#[tokio::test]
async fn an_account_may_be_named_as_ids_look() {
    let mut snapshot = (*fleet::many(24)).clone();
    let nameless = AccountKey::Name("gov audit".into());
    let state = snapshot.accounts.remove(&nameless).expect("an account");
    let key = AccountKey::Name("210987654999".into());
    snapshot.accounts.insert(key, state);
    let house = House::open();
    house.snapshot.send_replace(Arc::new(snapshot));
    assert_eq!(house.get("/accounts/210987654999").await.status(), 200);
}

#[tokio::test]
async fn accounts_that_are_missing_are_not_passed_over() {
    let note = "Accounts are missing here";
    let house = house(24);
    assert!(!house.get("/").await.text().contains(note));
    assert!(!house.get("/").await.text().contains("shards"));
    assert_eq!(json(&house.get("/api/v1/accounts").await)["partial"], false);
    let partial = Snapshot {
        partial: true,
        elsewhere: 7500,
        ..(*fleet::many(24)).clone()
    };
    house.snapshot.send_replace(Arc::new(partial));
    assert!(house.get("/").await.text().contains(note));
    assert!(house.get("/").await.text().contains("7,500 more accounts"));
    let list = json(&house.get("/api/v1/accounts").await);
    assert_eq!(
        (&list["partial"], &list["elsewhere"]),
        (&true.into(), &7500.into())
    );
}

#[tokio::test]
async fn ten_thousand_accounts_are_a_page_of_two_hundred() {
    let house = house(10_000);
    let began = Instant::now();
    let told = house.get("/").await;
    let took = began.elapsed();
    let zipped = house.ask("GET / HTTP/1.1\r\naccept-encoding: gzip").await;
    println!(
        "{} bytes, {} zipped, {took:?}",
        told.body.len(),
        zipped.body.len()
    );
    assert!(told.body.len() < 300_000);
    assert!(zipped.body.len() < 30_000);
    assert!(took < Duration::from_secs(5));
}

#[tokio::test]
async fn the_json_is_what_its_schema_says() {
    let house = house(24);
    let list = json(&house.get("/api/v1/accounts").await);
    assert_eq!(faults(&schema(), &list), Vec::<String>::new());
    let accounts = list["accounts"].as_array().expect("a list");
    assert_eq!(accounts.len(), 24);
    for listed in accounts {
        let id = listed["account_id"].as_str();
        let path = format!("/api/v1/accounts/{}", id.unwrap_or("gov%20audit"));
        let one = json(&house.get(&path).await);
        assert_eq!(faults_of(&schema(), "account", &one), Vec::<String>::new());
        assert_eq!(&one, listed);
    }
    assert!(!faults(&schema(), &serde_json::json!({"accounts": [{}]})).is_empty());
}

#[tokio::test]
async fn the_json_names_verdict_reason_and_evidence() {
    let house = house(24);
    let one = |id: &'static str| {
        let house = &house;
        async move { json(&house.get(&format!("/api/v1/accounts/{id}")).await) }
    };
    let good = one("210987654000").await;
    assert_eq!(good["state"], "compliant");
    assert_eq!(
        good["evidence"],
        "arn:aws:cloudtrail:eu-west-1:210987654000:trail/management-events"
    );
    let stopped = one("210987654003").await;
    assert_eq!(stopped["reason"], "not_logging");
    assert_eq!(stopped["trails"][0]["logging"], false);
    let denied = one("210987654007").await;
    assert_eq!(denied["failing_calls"][0]["operation"], "AssumeRole");
    let wrong = one("210987654013").await;
    assert_eq!(wrong["wrong_account"], "210987654999");
    assert!(wrong["trails"].as_array().is_some_and(Vec::is_empty));
}

#[tokio::test]
async fn the_json_is_filtered_and_refuses_what_it_does_not_know() {
    let house = house(24);
    let list = json(&house.get("/api/v1/accounts?state=non_compliant").await);
    assert_eq!(list["accounts"].as_array().map(Vec::len), Some(6));
    assert_eq!(list["summary"]["accounts"], 24);
    for (path, code) in [
        ("/api/v1/accounts?state=bad", 400),
        ("/api/v1/accounts/999999999999", 404),
    ] {
        let told = house.get(path).await;
        assert_eq!(told.status(), code);
        assert!(json(&told)["error"].is_string());
    }
    let empty = House::open();
    let list = json(&empty.get("/api/v1/accounts").await);
    assert_eq!(list["accounts"], serde_json::json!([]));
}

#[test]
fn the_documented_example_is_what_the_schema_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api.md");
    let text = std::fs::read_to_string(path).expect("a page");
    let example = text
        .split("```")
        .find_map(|part| part.strip_prefix("json\n"));
    let example = serde_json::from_str(example.expect("an example")).expect("JSON");
    assert_eq!(faults(&schema(), &example), Vec::<String>::new());
}
