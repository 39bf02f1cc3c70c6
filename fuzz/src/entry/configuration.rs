//! The configuration: any bytes are a whole configuration or a list of errors, the same each time.

use std::path::Path;

use cloudtrail_exporter::config::{Config, Variables};
use cloudtrail_exporter::iam;

pub fn run(data: &[u8]) {
    if super::names_a_device(data) {
        return;
    }
    let read = || {
        let path = Path::new("/nonexistent/exporter.yaml");
        Config::parse(data, path, &Variables::default())
    };
    match (read(), read()) {
        (Ok(config), Ok(again)) => {
            assert_eq!(config.sha256, again.sha256);
            for document in iam::documents(&config, &iam::Platform::ALL) {
                let json = serde_json::from_str::<serde_json::Value>(&document.json);
                assert!(json.is_ok_and(|json| json.is_object()), "{}", document.json);
            }
        }
        (Err(errors), Err(again)) => {
            let text = errors.to_string();
            assert_eq!(text, again.to_string());
            let named = |line: &str| line.starts_with("/nonexistent/exporter.yaml");
            assert!(!text.is_empty() && text.lines().all(named), "{text:?}");
            assert!(
                !text.contains(|c: char| c.is_control() && c != '\n'),
                "{text:?}"
            );
        }
        _ => panic!("the same text is not always the same"),
    }
}
