//! The JSON Schema of the configuration, from the table of its keys: for editors, and for the
//! `config` value of the Helm chart.

use cloudtrail_exporter::config::{Form, KEYS, Key};
use serde_json::{Map, Value, json};

/// The file's name.
pub(crate) const FILE: &str = "cloudtrail-exporter.schema.json";

/// Texts that lose their meaning as numbers: a leading zero, for one.
const ACCOUNT_IDS: [&str; 2] = ["accounts[].id", "discovery.organizations.exclude_accounts"];

/// The schema of a configuration file.
pub(crate) fn of_configuration() -> Value {
    let mut schema = table("");
    if let Some(fields) = schema.as_object_mut() {
        fields.insert(
            "$schema".into(),
            "http://json-schema.org/draft-07/schema#".into(),
        );
        fields.insert(
            "title".into(),
            "Configuration of cloudtrail-exporter".into(),
        );
    }
    schema
}

/// The table at `path`; the empty path is the file itself.
fn table(path: &str) -> Value {
    let keys = KEYS
        .iter()
        .filter_map(|key| Some((name_in(key, path)?, key)));
    let properties: Map<_, _> = keys.map(|(name, key)| (name.into(), value(key))).collect();
    json!({
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": properties,
    })
}

/// The name of a key that stands in the table at `path` itself.
fn name_in(key: &Key, path: &str) -> Option<&'static str> {
    let name = match path {
        "" => key.path,
        _ => key.path.strip_prefix(path)?.strip_prefix('.')?,
    };
    (!name.contains('.')).then_some(name)
}

/// A value may be quoted or not, and `null` is the same as no value.
fn value(key: &Key) -> Value {
    let mut schema = match key.form {
        Form::Table => table(key.path),
        Form::Tables => json!({
            "type": ["array", "null"],
            "items": table(&format!("{}[]", key.path)),
        }),
        Form::List => json!({ "type": ["array", "null"], "items": text(key) }),
        Form::Text => nullable(text(key)),
        Form::Duration => json!({ "type": ["string", "null"], "pattern": "^([0-9]+ *[a-z]+ *)+$" }),
        Form::Number => json!({ "type": ["integer", "string", "null"], "pattern": "^[0-9]+$" }),
        Form::Bool => json!({ "enum": [true, false, "true", "false", null] }),
    };
    if let (Some(default), Some(fields)) = (default_of(key), schema.as_object_mut()) {
        fields.insert("default".into(), default);
    }
    schema
}

fn text(key: &Key) -> Value {
    if ACCOUNT_IDS.contains(&key.path) {
        json!({ "type": "string", "pattern": "^[0-9]{12}$" })
    } else {
        json!({ "type": "string" })
    }
}

fn nullable(mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("type".into(), json!(["string", "null"]));
    }
    schema
}

fn default_of(key: &Key) -> Option<Value> {
    // That of a FIPS build is another one.
    let default = key.default.filter(|_| key.path != "aws.use_fips")?;
    Some(match key.form {
        Form::Number | Form::Bool => default.parse().unwrap_or(Value::Null),
        Form::List => default.split(", ").collect(),
        _ => default.into(),
    })
}
