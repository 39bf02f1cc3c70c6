//! YAML text as a tree of [`Value`]s: every scalar is the text as written, so that `012345678901` keeps its zero and `no` stays a name, and the
//! origin of every value is the number of its line.
//!
//! What a configuration has no use for and what surprises people is refused: aliases, tags, several documents, a key written twice.

use ::config::{Map, Value, ValueKind};
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{Marker, ScanError, TScalarStyle};

use super::errors::{Faults, Read, Told};
use super::keys::join;

/// No configuration of ours nests deeper than four; the bound keeps a hostile text from nesting without end.
const MAX_DEPTH: usize = 16;

/// What an open list or table has so far.
struct Open {
    items: Items,
    line: usize,
}

enum Items {
    List(Vec<Value>),
    Table {
        map: Map<String, Value>,
        key: Option<(String, usize)>,
    },
}

/// The tree of a text. A surplus key or tag is told and left out; what leaves the rest in doubt ends the reading.
pub(super) fn tree(text: &str, faults: &Faults) -> Read<Value> {
    let mut builder = Builder {
        open: Vec::new(),
        root: None,
        faults,
    };
    let mut parser = Parser::new_from_str(text.trim_start_matches('\u{feff}'));
    loop {
        let (event, mark) = parser.next_token().map_err(|e| unreadable(&e, faults))?;
        if event == Event::StreamEnd {
            let nothing = || Value::new(None, ValueKind::Nil);
            return Ok(builder.root.unwrap_or_else(nothing));
        }
        builder.take(event, mark)?;
    }
}

fn unreadable(error: &ScanError, faults: &Faults) -> Told {
    let line = error.marker().line().to_string();
    let mend = match error.info() {
        info if info.contains("tab") => "indent with spaces",
        _ => "mend the YAML here or on the line above",
    };
    let problem = format!("is not YAML ({}); {mend}", error.info());
    faults.tell(Some(&line), "", problem)
}

struct Builder<'a> {
    open: Vec<Open>,
    root: Option<Value>,
    faults: &'a Faults,
}

impl Builder<'_> {
    fn take(&mut self, event: Event, mark: Marker) -> Read<()> {
        let line = mark.line();
        match event {
            Event::DocumentStart if self.root.is_some() => {
                return Err(self.wrong(line, "a second document; write everything in one"));
            }
            Event::Scalar(text, style, _, tag) => {
                self.refuse_tag(tag.is_some(), line);
                self.scalar(text, style, line);
            }
            Event::Alias(_) => {
                return Err(self.wrong(line, "an alias (*name); write the value itself"));
            }
            Event::SequenceStart(_, tag) => {
                self.refuse_tag(tag.is_some(), line);
                self.enter(Items::List(Vec::new()), line)?;
            }
            Event::MappingStart(_, tag) => {
                self.refuse_tag(tag.is_some(), line);
                let (map, key) = (Map::new(), None);
                self.enter(Items::Table { map, key }, line)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            _ => {}
        }
        Ok(())
    }

    /// A scalar is a key where a table waits for one, otherwise a value.
    fn scalar(&mut self, text: String, style: TScalarStyle, line: usize) {
        if self.waits_for_key() {
            self.name(text, line);
        } else if style == TScalarStyle::Plain && is_null(&text) {
            self.put(ValueKind::Nil, line);
        } else {
            self.put(ValueKind::String(text), line);
        }
    }

    fn waits_for_key(&self) -> bool {
        let items = self.open.last().map(|open| &open.items);
        matches!(items, Some(Items::Table { key: None, .. }))
    }

    fn name(&mut self, text: String, line: usize) {
        let Some(Items::Table { map, key }) = self.open.last_mut().map(|o| &mut o.items) else {
            return;
        };
        let before = map.get(&text).and_then(Value::origin).map(str::to_owned);
        *key = Some((text, line));
        if let Some(before) = before {
            self.wrong(line, format!("is already on line {before}; write it once"));
        }
    }

    fn enter(&mut self, items: Items, line: usize) -> Read<()> {
        if self.waits_for_key() {
            return Err(self.wrong(line, "a list or table as a key; write a plain name"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(self.wrong(line, "is nested too deeply; write it flatter"));
        }
        self.open.push(Open { items, line });
        Ok(())
    }

    fn leave(&mut self) {
        match self.open.pop() {
            Some(Open {
                items: Items::List(list),
                line,
            }) => self.put(ValueKind::Array(list), line),
            Some(Open {
                items: Items::Table { map, .. },
                line,
            }) => {
                self.put(ValueKind::Table(map), line);
            }
            None => {}
        }
    }

    /// Puts a value where it belongs: under its key, whose line it then has, at the end of its list, or as the whole.
    fn put(&mut self, kind: ValueKind, line: usize) {
        let at = |line: usize, kind| Value::new(Some(&line.to_string()), kind);
        match self.open.last_mut().map(|open| &mut open.items) {
            Some(Items::List(list)) => list.push(at(line, kind)),
            Some(Items::Table { map, key }) => {
                if let Some((name, line)) = key.take() {
                    map.entry(name).or_insert_with(|| at(line, kind));
                }
            }
            None => self.root = Some(at(line, kind)),
        }
    }

    fn refuse_tag(&self, tagged: bool, line: usize) {
        if tagged {
            self.wrong(line, "a tag (!name); remove it");
        }
    }

    fn wrong(&self, line: usize, problem: impl std::fmt::Display) -> Told {
        self.faults
            .tell(Some(&line.to_string()), &self.path(), problem)
    }

    /// The key being read, as errors name it.
    fn path(&self) -> String {
        self.open
            .iter()
            .fold(String::new(), |path, open| match &open.items {
                Items::List(list) => format!("{path}[{}]", list.len()),
                Items::Table {
                    key: Some((name, _)),
                    ..
                } => join(&path, name),
                Items::Table { key: None, .. } => path,
            })
    }
}

/// YAML's ways to write nothing.
fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}
