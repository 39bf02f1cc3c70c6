//! The layers of a configuration, laid over each other by the `config` crate: what AWS's own variables say, the file, and
//! `CLOUDTRAIL_EXPORTER__TABLE__KEY` variables over it.

use std::collections::BTreeMap;
use std::fmt;

use ::config::{
    Config as Layers, ConfigError as LayerError, Environment, Map, Source, Value, ValueKind,
};

use super::errors::{Faults, Read};
use super::keys::{self, Form, KEYS};

/// What the name of a variable that sets a key begins with. Two underscores, since Kubernetes sets variables with one for a Service of our name.
const PREFIX: &str = "CLOUDTRAIL_EXPORTER";
/// What stands between the parts of such a name.
const SEPARATOR: &str = "__";
/// Where AWS tools take the Region from, the first that is set.
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Environment variables, as a value: read once, so that the same text and the same variables always make the same configuration.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process; what is not UTF-8 is not seen.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The variables that set keys, by the key they set; those that set none are told.
    fn overrides(&self, faults: &Faults) -> Map<String, String> {
        let prefix = format!("{PREFIX}{SEPARATOR}");
        let ours = self
            .0
            .iter()
            .filter_map(|(name, value)| Some((name, name.strip_prefix(&prefix)?, value)));
        let mut overrides = Map::new();
        for (name, rest, value) in ours {
            let path = rest.to_lowercase().replace(SEPARATOR, ".");
            if keys::find(&path).is_some_and(|key| key.form.is_scalar()) {
                overrides.insert(name.clone(), value.clone());
            } else {
                faults.tell(Some(ENVIRONMENT), name, not_a_key(&path));
            }
        }
        overrides
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// The names alone: a value may be a secret.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// How errors call the place of a value that a variable set; the `config` crate's own words.
const ENVIRONMENT: &str = "the environment";

fn not_a_key(path: &str) -> String {
    let scalars = KEYS.iter().filter(|key| key.form.is_scalar());
    let known: Vec<&str> = scalars
        .map(|key| key.path)
        .filter(|path| !path.contains('['))
        .collect();
    match keys::find(path) {
        Some(key) if key.form != Form::Table => {
            "a variable holds no list; write it in the file".to_owned()
        }
        _ => match super::nearest::nearest(path, &known) {
            Some(near) => format!("sets no key; did you mean {}?", variable(near)),
            None => format!(
                "sets no key; remove it, or name one such as {}",
                variable("poll.interval")
            ),
        },
    }
}

/// The variable that sets the key at `path`.
fn variable(path: &str) -> String {
    let name = path.replace('.', SEPARATOR).to_uppercase();
    format!("{PREFIX}{SEPARATOR}{name}")
}

/// The file's tree as a source of the `config` crate.
#[derive(Clone)]
struct File(Map<String, Value>);

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("File(..)")
    }
}

impl Source for File {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, LayerError> {
        Ok(self.0.clone())
    }
}

/// One tree of all layers. Of the file's tree only the keys that exist are laid in: the crate reads a name such as `a[9]` as a path.
pub(super) fn merge(tree: Value, variables: &Variables, faults: &Faults) -> Read<Value> {
    keys::refuse_unknown(&tree, faults);
    let mut layers = Layers::builder().add_source(File(file_layer(tree, faults)?));
    if let Some((name, region)) = aws_region(variables) {
        let value = Value::new(Some(&name.to_owned()), region.to_owned());
        layers = layers
            .set_default("aws.region", value)
            .map_err(|e| faults.tell(None, "", e))?;
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .source(Some(variables.overrides(faults)));
    let merged = layers.add_source(environment).build();
    merged
        .map(|layers| layers.cache)
        .map_err(|e| faults.tell(None, "", e))
}

fn aws_region(variables: &Variables) -> Option<(&'static str, &str)> {
    let set = REGION_VARIABLES.map(|name| variables.get(name).map(|region| (name, region)));
    set.into_iter()
        .flatten()
        .find(|(_, region)| !region.is_empty())
}

fn file_layer(tree: Value, faults: &Faults) -> Read<Map<String, Value>> {
    let Value {
        kind: ValueKind::Table(map),
        ..
    } = said(tree)
    else {
        return Err(faults.tell(
            None,
            "",
            "is no table of keys; write poll:, aws:, accounts: and so on at its left edge",
        ));
    };
    let exists = |(name, _): &(String, Value)| keys::find(name).is_some();
    Ok(map.into_iter().filter(exists).collect())
}

/// A tree without the keys whose value is nothing: they are as if not written.
fn said(mut tree: Value) -> Value {
    if let ValueKind::Table(map) = tree.kind {
        let written = map
            .into_iter()
            .filter(|(_, value)| value.kind != ValueKind::Nil);
        tree.kind = ValueKind::Table(written.map(|(name, value)| (name, said(value))).collect());
    }
    tree
}
