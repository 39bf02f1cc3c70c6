//! What is written about the configuration, held equal to it.

use std::fs;
use std::path::Path;

use cloudtrail_exporter::config::{Config, Form, KEYS, Key, Variables};

fn parse(text: &str) -> Config {
    let config = Config::parse(
        text.as_bytes(),
        Path::new("docs.yaml"),
        &Variables::default(),
    );
    config.unwrap_or_else(|errors| panic!("{errors}\n{text}"))
}

fn docs() -> String {
    fs::read_to_string("docs/configuration.md").expect("the documentation")
}

#[test]
fn the_documentation_has_every_key_with_its_type_and_default_and_no_other() {
    let docs = docs();
    let start = docs.find("## Keys").expect("the table");
    let rows = table(&docs[start..]);
    let default = |key: &Key| match key.path {
        "aws.use_fips" => "false",
        _ => key.default.unwrap_or(""),
    };
    let code = KEYS
        .iter()
        .map(|key| [key.path, key.form.as_str(), default(key)]);
    let of_docs = rows.iter().map(|row| [row[0], row[1], row[2]]);
    assert_eq!(of_docs.collect::<Vec<_>>(), code.collect::<Vec<_>>());
    for row in rows {
        assert!(row[3].len() > 8, "{} has no meaning", row[0]);
    }
}

/// Every row of the first table.
fn table(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().skip_while(|line| !line.starts_with("| `"));
    let rows = rows.take_while(|line| line.starts_with("| `"));
    rows.map(cells).collect()
}

fn cells(row: &str) -> Vec<&str> {
    let cells = row.trim_matches('|').splitn(4, '|');
    cells.map(|cell| cell.trim().trim_matches('`')).collect()
}

#[test]
fn every_example_of_the_documentation_is_a_good_file() {
    let docs = docs();
    let examples = docs
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    assert_eq!(examples.map(parse).count(), 3);
}

#[test]
fn the_example_file_is_good_and_has_every_table() {
    let text = fs::read_to_string("deploy/cloudtrail-exporter.example.yaml").expect("the example");
    assert_eq!(parse(&text).accounts.len(), 4);
    for key in KEYS
        .iter()
        .filter(|key| matches!(key.form, Form::Table | Form::Tables))
    {
        let name = key.path.rsplit('.').next().expect("a name");
        assert!(text.contains(&format!("{name}:\n")), "{}", key.path);
    }
}

#[test]
fn writing_a_default_changes_nothing() {
    let accounts = "accounts: [{ id: '210987654321' }]\n";
    let silent = parse(accounts);
    for key in KEYS.iter().filter(|key| key.path != "accounts[].ambient") {
        let Some(default) = key.default else {
            continue;
        };
        let value = if key.form == Form::List {
            format!("[{default}]")
        } else {
            default.to_owned()
        };
        let nested = key.path.replace('.', ": { ");
        let closed = " }".repeat(key.path.matches('.').count());
        let mut said = parse(&format!("{accounts}{nested}: {value}{closed}\n"));
        said.sha256.clone_from(&silent.sha256);
        assert_eq!(said, silent, "{}", key.path);
    }
}

#[test]
fn fips_endpoints_are_the_default_of_a_fips_build_alone() {
    let config = parse("accounts: [{ id: '210987654321' }]");
    assert_eq!(config.aws.use_fips, cloudtrail_exporter::FIPS);
    assert_eq!(
        cloudtrail_exporter::VERSION.ends_with("+fips"),
        cloudtrail_exporter::FIPS
    );
    let told = parse("aws: { use_fips: false }\naccounts: [{ id: '210987654321' }]");
    assert!(!told.aws.use_fips);
}

#[test]
fn every_example_of_the_first_page_is_good_as_it_stands() {
    let page = fs::read_to_string("README.md").expect("the first page");
    let examples = page
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    assert_eq!(examples.map(parse).count(), 2);
}

#[test]
fn the_first_page_names_every_page_that_installs() {
    let page = fs::read_to_string("README.md").expect("the first page");
    for entry in fs::read_dir("docs/install").expect("the pages") {
        let name = entry.expect("a page").file_name();
        let link = format!("docs/install/{}", name.to_string_lossy());
        assert!(page.contains(&link), "{link}");
    }
}
