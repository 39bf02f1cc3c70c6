//! As much of JSON Schema as `docs/api.schema.json` uses. What it does not know, it refuses.

use serde_json::Value;

/// Every way in which `value` is not what the schema says.
pub(crate) fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, schema, value, "", &mut faults);
    faults
}

/// Faults of one definition.
pub(crate) fn faults_of(schema: &Value, definition: &str, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(schema, &schema["$defs"][definition], value, "", &mut faults);
    faults
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let schema_keys = schema.as_object().expect("an object");
    for (key, rule) in schema_keys {
        let holds = match key.as_str() {
            "$ref" => {
                let pointer = rule
                    .as_str()
                    .and_then(|r| r.strip_prefix('#'))
                    .expect("local");
                let target = root.pointer(pointer).expect(pointer);
                check(root, target, value, at, faults);
                true
            }
            "type" => types(rule).iter().any(|name| is_of(value, name)),
            "enum" => rule.as_array().expect("a list").contains(value),
            "minimum" => value.as_f64().is_none_or(|v| Some(v) >= rule.as_f64()),
            "pattern" => value.as_str().is_none_or(|text| matches(rule, text)),
            "required" => names(rule).all(|name| value.get(name).is_some()),
            "additionalProperties" => keys(value).all(|k| schema["properties"].get(k).is_some()),
            "properties" => {
                for (name, inner) in rule.as_object().expect("an object") {
                    if let Some(part) = value.get(name) {
                        check(root, inner, part, &format!("{at}/{name}"), faults);
                    }
                }
                true
            }
            "items" => {
                for (n, part) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, part, &format!("{at}/{n}"), faults);
                }
                true
            }
            "$schema" | "$defs" | "title" | "description" => true,
            other => panic!("unknown keyword {other}"),
        };
        if !holds {
            faults.push(format!("{at}: {key} {rule}: {value}"));
        }
    }
}

fn types(rule: &Value) -> Vec<&str> {
    match rule {
        Value::String(name) => vec![name],
        many => names(many).collect(),
    }
}

fn names(rule: &Value) -> impl Iterator<Item = &str> {
    rule.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn keys(value: &Value) -> impl Iterator<Item = &String> {
    value.as_object().into_iter().flat_map(|map| map.keys())
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("unknown type {other}"),
    }
}

/// The two patterns there are: digits, and a time.
fn matches(pattern: &Value, text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    match pattern.as_str().expect("text") {
        "^[0-9]{12}$" => shape == "000000000000",
        time if time.contains('T') => shape == "0000-00-00T00:00:00Z",
        other => panic!("unknown pattern {other}"),
    }
}
