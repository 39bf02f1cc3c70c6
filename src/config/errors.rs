//! What is wrong with a configuration: every error at once, each with its place, its key and the mend. No secret is ever part of one.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;

/// The most errors shown of one configuration: a page of them is read, ten thousand are not.
const SHOWN: usize = 100;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    line: Option<usize>,
    place: String,
    key: String,
    problem: String,
}

impl ConfigError {
    /// The line in the file, where it can be had.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The key, such as `accounts[3].role_arn`; empty where the whole file is meant.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Everything that is wrong with a configuration, in the order of its lines; at least one error. Shown one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// One error about a file as a whole.
    pub(super) fn of_file(path: &Path, problem: &str) -> Self {
        let faults = Faults::of(&path.display().to_string());
        faults.tell(None, "", problem);
        Self(faults.told.into_inner())
    }

    /// How many.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().take(SHOWN).enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{error}")?;
        }
        match self.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more errors"),
        }
    }
}

impl std::error::Error for ConfigErrors {}

/// A text of one line: what a file's author wrote into a key or a path breaks no log.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(char::is_control, "\u{FFFD}")
}

/// A text as errors quote it, cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    /// Enough to recognize what was written.
    const QUOTED: usize = 80;
    let mut start: String = text.chars().take(QUOTED).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    format!("{start:?}")
}

/// Where errors are gathered while a configuration is read.
#[derive(Debug)]
pub(super) struct Faults {
    file: String,
    told: RefCell<Vec<ConfigError>>,
}

/// The mark of a value that cannot be had because its error is told already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told(());

/// A value, or the mark that says why there is none was told.
pub(super) type Read<T> = Result<T, Told>;

impl Faults {
    /// None yet, in the file of that name.
    pub(super) fn of(file: &str) -> Self {
        let told = RefCell::default();
        Self {
            file: file.to_owned(),
            told,
        }
    }

    /// Tells one. `origin` is what [`config::Value::origin`] says: a line number for what the file says, otherwise a description.
    pub(super) fn tell(&self, origin: Option<&str>, key: &str, problem: impl fmt::Display) -> Told {
        let line = origin.and_then(|o| o.parse().ok());
        let elsewhere = origin.filter(|_| line.is_none());
        self.told.borrow_mut().push(ConfigError {
            line,
            place: elsewhere.unwrap_or(&self.file).to_owned(),
            key: one_line(key),
            problem: one_line(&problem.to_string()),
        });
        Told(())
    }

    /// The value that was read, or every error in the order of the lines.
    pub(super) fn finish<T>(self, read: Read<T>) -> Result<T, ConfigErrors> {
        let mut told = self.told.into_inner();
        told.sort_by_key(|error| error.line.unwrap_or(usize::MAX));
        match read {
            Ok(value) if told.is_empty() => Ok(value),
            _ => Err(ConfigErrors(told)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_come_in_the_order_of_lines_with_those_of_no_line_last() {
        let faults = Faults::of("x.yaml");
        faults.tell(Some("VARIABLE"), "a", "third; mend");
        faults.tell(Some("10"), "b", "second; mend");
        let told = faults.tell(Some("9"), "", "first; mend");
        let errors = faults.finish::<()>(Err(told)).expect_err("errors");
        let shown = "x.yaml:9: first; mend\nx.yaml:10: b: second; mend\nVARIABLE: a: third; mend";
        assert_eq!(errors.to_string(), shown);
        let lines: Vec<_> = errors.iter().map(|e| (e.line(), e.key())).collect();
        assert_eq!(lines, [(Some(9), ""), (Some(10), "b"), (None, "a")]);
    }

    #[test]
    fn a_value_does_not_outweigh_an_error() {
        let faults = Faults::of("x.yaml");
        faults.tell(None, "", "wrong; mend");
        assert!(faults.finish(Ok(1)).is_err());
        assert_eq!(Faults::of("x.yaml").finish(Ok(1)), Ok(1));
    }

    #[test]
    fn what_is_quoted_is_cut_and_what_is_told_stays_on_its_line() {
        assert_eq!(quoted("a\"b"), "\"a\\\"b\"");
        assert_eq!(quoted(&"x".repeat(81)).chars().count(), 83);
        let faults = Faults::of("x.yaml");
        let told = faults.tell(None, "a\nb", "c\r\nd");
        let errors = faults.finish::<()>(Err(told)).expect_err("errors");
        assert_eq!(errors.to_string().lines().count(), 1);
    }
}
