//! The JSON Schema of the configuration is the one generated from the table of keys.

use std::fs;

use serde_json::Value;

#[path = "../../examples/generate_docs/schema.rs"]
mod generated;

#[test]
fn the_schema_is_up_to_date() {
    let path = format!("deploy/{}", generated::FILE);
    let written: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let schema = generated::of_configuration();
    assert!(
        written == schema,
        "{path} is out of date: run `make generate`"
    );
}

#[test]
fn the_chart_has_the_same_schema() {
    let path = "deploy/helm/cloudtrail-exporter/values.schema.json";
    let chart: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut schema = generated::of_configuration();
    schema.as_object_mut().unwrap().remove("$schema");
    let of_chart = chart.pointer("/properties/config").unwrap();
    assert!(
        *of_chart == schema,
        "{path} is out of date: run `make generate`"
    );
}
