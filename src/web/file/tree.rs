//! A look at YAML, key by key, that gathers what is wrong. It never shows a value: it may be a secret.

use std::cell::RefCell;

use ::config::{File, FileFormat, Map, Source, Value, ValueKind};

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<String>>);

impl Faults {
    pub(super) fn tell(&self, key: &str, problem: &str) {
        self.0.borrow_mut().push(format!("{key}: {problem}"));
    }

    pub(super) fn into_result(self) -> Result<(), Vec<String>> {
        let faults = self.0.into_inner();
        if faults.is_empty() {
            return Ok(());
        }
        Err(faults)
    }
}

/// A table of the file, of which keys are taken one after the other.
pub(super) struct Table<'a> {
    path: String,
    entries: Map<String, Value>,
    faults: &'a Faults,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn root(text: &str, known: &[&str], faults: &'a Faults) -> Result<Self, String> {
        let source = File::from_str(text, FileFormat::Yaml);
        // The parser's own words may quote the text.
        let not_yaml = "is not YAML with keys at its top; see docs/web.md for what it may say";
        let entries = source.collect().map_err(|_| not_yaml.to_owned())?;
        Ok(Self::new(String::new(), entries, known, faults))
    }

    fn new(path: String, entries: Map<String, Value>, known: &[&str], faults: &'a Faults) -> Self {
        let table = Self {
            path,
            entries,
            faults,
        };
        let mut unknown: Vec<_> = table
            .entries
            .keys()
            .filter(|k| !known.contains(&k.as_str()))
            .collect();
        unknown.sort_unstable();
        for key in unknown {
            let problem = format!("is not a key here; there are {}", known.join(", "));
            table.tell(key, &problem);
        }
        table
    }

    /// Something is wrong with a key.
    pub(super) fn tell(&self, key: &str, problem: &str) {
        self.faults.tell(&self.name(key), problem);
    }

    /// A table below this one; all of `known` are its keys.
    pub(super) fn table(&mut self, key: &str, known: &[&str]) -> Option<Table<'a>> {
        let entries = self.entries(key)?;
        Some(Table::new(self.name(key), entries, known, self.faults))
    }

    /// A table whose keys are the operator's, in order. A key with nothing behind it has an empty text: what that means is the caller's to say.
    pub(super) fn texts(&mut self, key: &str) -> Vec<(String, String)> {
        let entries = self.entries(key).unwrap_or_default();
        let mut inner = Table {
            path: self.name(key),
            entries,
            faults: self.faults,
        };
        let mut keys: Vec<_> = inner.entries.keys().cloned().collect();
        keys.sort_unstable();
        let pair = |key: String| Some((key.clone(), inner.written(&key)?));
        keys.into_iter().filter_map(pair).collect()
    }

    /// A text; an empty one counts as none.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.written(key).filter(|text| !text.is_empty())
    }

    /// A text, empty if nothing is written behind its key.
    fn written(&mut self, key: &str) -> Option<String> {
        match self.entries.remove(key)?.kind {
            ValueKind::String(text) => Some(text),
            ValueKind::Nil => Some(String::new()),
            _ => {
                self.tell(
                    key,
                    "write a text; quote it if it looks like something else",
                );
                None
            }
        }
    }

    /// A list of texts.
    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        let items = match self.entries.remove(key).map(|v| v.kind) {
            Some(ValueKind::Array(items)) => items,
            None | Some(ValueKind::Nil) => return Vec::new(),
            Some(_) => return self.refuse_list(key),
        };
        let mut texts = Vec::new();
        for item in items {
            let ValueKind::String(text) = item.kind else {
                return self.refuse_list(key);
            };
            texts.push(text);
        }
        texts
    }

    fn refuse_list(&self, key: &str) -> Vec<String> {
        self.tell(
            key,
            "write a list of texts; quote what looks like something else",
        );
        Vec::new()
    }

    /// True or false, in the words of YAML 1.1 too.
    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        let kind = self.entries.remove(key)?.kind;
        match &kind {
            ValueKind::Nil => return None,
            ValueKind::Boolean(flag) => return Some(*flag),
            ValueKind::String(text) => match text.to_ascii_lowercase().as_str() {
                "yes" | "on" => return Some(true),
                "no" | "off" => return Some(false),
                _ => {}
            },
            _ => {}
        }
        self.tell(key, "write true or false");
        None
    }

    /// A whole number from 0.
    pub(super) fn number(&mut self, key: &str) -> Option<u32> {
        let number = match self.entries.remove(key)?.kind {
            ValueKind::Nil => return None,
            ValueKind::I64(number) => u32::try_from(number).ok(),
            _ => None,
        };
        if number.is_none() {
            self.tell(key, "write a whole number from 0");
        }
        number
    }

    /// A duration; a bare 0 is one.
    pub(super) fn duration(&mut self, key: &str) -> Option<std::time::Duration> {
        let duration = match self.entries.remove(key)?.kind {
            ValueKind::Nil => return None,
            ValueKind::I64(0) => Some(std::time::Duration::ZERO),
            ValueKind::String(text) => humantime::parse_duration(&text).ok(),
            _ => None,
        };
        if duration.is_none() {
            self.tell(key, "write a duration such as 1s or 100ms");
        }
        duration
    }

    fn entries(&mut self, key: &str) -> Option<Map<String, Value>> {
        match self.entries.remove(key)?.kind {
            ValueKind::Table(entries) => Some(entries),
            ValueKind::Nil => None,
            _ => {
                self.tell(key, "write keys below it");
                None
            }
        }
    }

    fn name(&self, key: &str) -> String {
        if self.path.is_empty() {
            return key.to_owned();
        }
        format!("{}.{key}", self.path)
    }
}
