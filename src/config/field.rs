//! A typed look at the merged tree: each read gives a value, nothing, or the mark that its error is told, so that one wrong value hides no other.

use std::fmt::Display;
use std::time::Duration;

use ::config::{Map, Value, ValueKind};

use super::errors::{Faults, Read, Told, quoted};
use super::forms::duration;
use super::keys::{self, Form, join};
use super::layers::ENVIRONMENT;
use super::variables::variable;

/// A table, which may be absent.
#[derive(Clone)]
pub(super) struct Table<'a> {
    map: Option<&'a Map<String, Value>>,
    origin: Option<&'a str>,
    path: String,
    pattern: String,
    faults: &'a Faults,
}

/// The value of one key, which may be absent.
#[derive(Clone)]
pub(super) struct Field<'a> {
    value: Option<&'a Value>,
    above: Option<&'a str>,
    path: String,
    pattern: String,
    faults: &'a Faults,
}

impl<'a> Table<'a> {
    /// The whole tree.
    pub(super) fn root(tree: &'a Value, faults: &'a Faults) -> Read<Self> {
        let (path, pattern) = Default::default();
        let (value, above) = (Some(tree), None);
        let root = Field {
            value,
            above,
            path,
            pattern,
            faults,
        };
        root.table()
    }

    /// The value under a name.
    pub(super) fn field(&self, name: &str) -> Field<'a> {
        let value = self.map.and_then(|map| map.get(name));
        Field {
            value,
            above: self.origin,
            path: join(&self.path, name),
            pattern: join(&self.pattern, name),
            faults: self.faults,
        }
    }

    /// Where it stands, such as `accounts[3] (line 7)`.
    pub(super) fn place(&self) -> String {
        match self.origin {
            Some(line) => format!("{} (line {line})", self.path),
            None => self.path.clone(),
        }
    }

    /// Tells an error of the table as a whole.
    pub(super) fn wrong(&self, problem: impl Display) -> Told {
        self.faults.tell(self.origin, &self.path, problem)
    }
}

impl<'a> Field<'a> {
    /// Whether the key is written at all.
    pub(super) fn is_said(&self) -> bool {
        self.value.is_some_and(|value| value.kind != ValueKind::Nil)
    }

    /// Where it stands.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Tells an error of this value, or of its absence.
    pub(super) fn wrong(&self, problem: impl Display) -> Told {
        let origin = self.value.and_then(Value::origin).or(self.above);
        let variable = (origin == Some(ENVIRONMENT)).then(|| variable(&self.path));
        let place = variable.as_deref().or(origin);
        self.faults.tell(place, &self.path, problem)
    }

    /// Keys of its own.
    pub(super) fn table(&self) -> Read<Table<'a>> {
        let map = match self.value.map(|value| &value.kind) {
            None | Some(ValueKind::Nil) => None,
            Some(ValueKind::Table(map)) => Some(map),
            Some(other) => return Err(self.wrong(not(other, "a table", self.table_mend()))),
        };
        Ok(Table {
            map,
            origin: self.value.and_then(Value::origin),
            path: self.path.clone(),
            pattern: self.pattern.clone(),
            faults: self.faults,
        })
    }

    /// The items of a list; none if it is absent.
    pub(super) fn items(&self) -> Read<Vec<Field<'a>>> {
        let items = match self.value.map(|value| &value.kind) {
            None | Some(ValueKind::Nil) => return Ok(Vec::new()),
            Some(ValueKind::Array(items)) => items,
            Some(other) => return Err(self.wrong(not(other, "a list", self.list_mend()))),
        };
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, value)| self.item(index, value))
            .collect())
    }

    fn table_mend(&self) -> &'static str {
        if self.pattern.ends_with("[]") {
            return "write { id: \"…\", name: … }";
        }
        "write keys below it, further in"
    }

    fn list_mend(&self) -> &'static str {
        match keys::find(&self.pattern).map(|key| key.form) {
            Some(Form::Tables) => "write each item after a hyphen: - { id: \"…\", name: … }",
            _ => "write [first, second]",
        }
    }

    fn item(&self, index: usize, value: &'a Value) -> Field<'a> {
        Field {
            value: Some(value),
            above: self.value.and_then(Value::origin),
            path: format!("{}[{index}]", self.path),
            pattern: format!("{}[]", self.pattern),
            faults: self.faults,
        }
    }

    /// The text as written, or the key's default.
    pub(super) fn text(&self) -> Read<Option<&'a str>> {
        match self.value.map(|value| &value.kind) {
            None | Some(ValueKind::Nil) => Ok(self.default()),
            Some(ValueKind::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(not(other, "one value", "write text"))),
        }
    }

    fn default(&self) -> Option<&'static str> {
        keys::find(&self.pattern).and_then(|key| key.default)
    }

    /// What `parse` makes of the text; its error says what is wrong and what to write instead.
    pub(super) fn parsed<T, E: Display>(
        &self,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Read<Option<T>> {
        let Some(text) = self.text()? else {
            return Ok(None);
        };
        parse(text).map(Some).map_err(|problem| self.wrong(problem))
    }

    /// Every item of a list, or of the default, parsed; every item that is wrong is told.
    pub(super) fn each<T, E: Display>(
        &self,
        parse: impl Fn(&'a str) -> Result<T, E>,
    ) -> Read<Vec<T>> {
        if let (false, Some(items)) = (self.is_said(), self.default()) {
            let parse = |item| parse(item).map_err(|problem| self.wrong(problem));
            return items.split(", ").map(parse).collect();
        }
        let items = self.items()?;
        let read = |item: &Field<'a>| match item.parsed(&parse)? {
            Some(value) => Ok(value),
            None => Err(item.wrong("is empty; remove it")),
        };
        all(items.iter().map(read).collect())
    }

    /// A value that is there: written, or by default.
    pub(super) fn needed<T>(&self, read: Read<Option<T>>) -> Read<T> {
        read?.ok_or_else(|| self.wrong("is missing; write it"))
    }

    /// A duration of a second or more.
    pub(super) fn duration(&self) -> Read<Option<Duration>> {
        self.parsed(duration)
    }

    /// A whole number of a range.
    pub(super) fn number(&self, least: u32, most: u32) -> Read<u32> {
        let number = self.parsed(|text| {
            let number = text.parse().ok().filter(|n| (least..=most).contains(n));
            number.ok_or_else(|| {
                format!(
                    "{} is no whole number from {least} to {most}; write one",
                    quoted(text)
                )
            })
        });
        self.needed(number)
    }

    /// `true` or `false`.
    pub(super) fn bool(&self) -> Read<bool> {
        let read = self.parsed(|text| match text {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            _ => Err(format!(
                "{} is neither true nor false; write one of them",
                quoted(text)
            )),
        });
        self.needed(read)
    }
}

/// All values, or the mark if one is missing.
pub(super) fn all<T>(read: Vec<Read<T>>) -> Read<Vec<T>> {
    read.into_iter().collect()
}

fn not(found: &ValueKind, wanted: &str, mend: &str) -> String {
    let found = match found {
        ValueKind::Table(_) => "a table",
        ValueKind::Array(_) => "a list",
        _ => "one value",
    };
    format!("is {found}, not {wanted}; {mend}")
}
