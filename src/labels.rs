//! Label pairs, cleaned, cut and escaped once when an account is published, copied at every scrape.
//!
//! Whatever AWS or an operator names a thing, what is rendered here is valid UTF-8, at most [`MAX_VALUE_BYTES`] long as Prometheus stores it, and
//! cannot end its quotes: no name forges a series.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::account::{AccountId, Region};
use crate::directory::Account;
use crate::facts::Trail;

/// The longest label value, in bytes, as Prometheus stores it (before escaping).
pub const MAX_VALUE_BYTES: usize = 256;

/// Rendered label pairs without braces, such as `account_id="1",account_name="x"`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(Box<str>);

impl Labels {
    /// Renders pairs of names (trusted) and values (anything).
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> Self {
        Self::default().with(pairs)
    }

    /// These labels and more after them.
    #[must_use]
    pub fn with<'a>(&self, more: impl IntoIterator<Item = (&'static str, &'a str)>) -> Self {
        let mut text = self.0.to_string();
        for (name, value) in more {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(name);
            text.push_str("=\"");
            text.push_str(&escaped(value));
            text.push('"');
        }
        Self(text.into())
    }

    /// The labels **A** of an account: its id, empty until known, and its name, for which the id stands in.
    pub fn account(account: &Account, id: Option<AccountId>) -> Self {
        let id = id.map(|id| id.to_string()).unwrap_or_default();
        let name = account.name.as_deref().unwrap_or(&id);
        Self::new([("account_id", id.as_str()), ("account_name", name)])
    }

    /// The labels **T** of a trail, these being the labels **A** of the account that sees it.
    #[must_use]
    pub fn trail(&self, trail: &Trail) -> Self {
        let home = trail.home_region.as_ref().map(Region::as_str);
        self.with([
            ("trail_arn", trail.arn.as_str()),
            ("trail", &trail.name),
            ("home_region", home.unwrap_or_default()),
        ])
    }

    /// The labels of each trail an account sees, in their order. Distinct ARNs whose hostile names read the same after cleaning would be one series
    /// twice: all but the first get no labels, and are not published.
    pub fn trails<'a>(&self, trails: impl IntoIterator<Item = &'a Trail>) -> SmallVec<[Self; 1]> {
        let mut all = SmallVec::<[Self; 1]>::new();
        for trail in trails {
            let labels = self.trail(trail);
            let twin = all.contains(&labels);
            all.push(if twin { Self::default() } else { labels });
        }
        all
    }

    /// No pairs at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rendered text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A label value: cleaned, cut and escaped.
pub fn escaped(value: &str) -> Cow<'_, str> {
    if is_plain(value) {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut room = MAX_VALUE_BYTES;
    for c in value.chars().map(cleaned) {
        let Some(left) = room.checked_sub(c.len_utf8()) else {
            break;
        };
        room = left;
        push_escaped(&mut text, c);
    }
    Cow::Owned(text)
}

/// Whether a value may be copied as it is: short, and printable ASCII without a quote or backslash. Every byte is looked at, with no way out at the
/// first that is not: so compiled, an ARN takes a few instructions.
fn is_plain(value: &str) -> bool {
    let plain = |b: u8| matches!(b, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
    value.len() <= MAX_VALUE_BYTES && value.bytes().fold(true, |all, b| all & plain(b))
}

/// What stands for a character: itself, or U+FFFD for one that could change how the text around it reads.
pub fn cleaned(c: char) -> char {
    let reorders = matches!(
        c,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    if reorders || (c.is_control() && c != '\n') {
        return char::REPLACEMENT_CHARACTER;
    }
    c
}

fn push_escaped(text: &mut String, c: char) {
    match c {
        '\\' => text.push_str(r"\\"),
        '"' => text.push_str("\\\""),
        '\n' => text.push_str(r"\n"),
        other => text.push(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(value: &str) -> String {
        Labels::new([("a", value)]).as_str().to_owned()
    }

    #[test]
    fn pairs_are_joined_by_commas() {
        let labels = Labels::new([("a", "1"), ("b", "")]);
        assert_eq!(labels.as_str(), r#"a="1",b="""#);
        assert_eq!(labels.with([("c", "3")]).as_str(), r#"a="1",b="",c="3""#);
    }

    #[test]
    fn what_would_end_the_quotes_is_escaped() {
        assert_eq!(rendered("} 1\nup 0 \\ \"x\""), r#"a="} 1\nup 0 \\ \"x\"""#);
    }

    #[test]
    fn control_and_reordering_characters_are_replaced() {
        for c in "\0\r\t\u{7f}\u{85}\u{202a}\u{202e}\u{2066}\u{2069}\u{200e}\u{200f}\u{61c}".chars()
        {
            assert_eq!(rendered(&format!("x{c}y")), "a=\"x\u{fffd}y\"", "{c:?}");
        }
    }

    #[test]
    fn other_scripts_stay_as_they_are() {
        assert_eq!(rendered("北京 é 🦀"), "a=\"北京 é 🦀\"");
    }

    #[test]
    fn a_value_is_cut_on_a_character_boundary_before_it_is_escaped() {
        let crabs = "🦀".repeat(100);
        assert_eq!(rendered(&crabs), format!("a=\"{}\"", "🦀".repeat(64)));
        let odd = format!("x{crabs}");
        assert_eq!(rendered(&odd), format!("a=\"x{}\"", "🦀".repeat(63)));
        let quotes = "\"".repeat(300);
        assert_eq!(rendered(&quotes), format!("a=\"{}\"", "\\\"".repeat(256)));
    }

    #[test]
    fn replaced_characters_count_as_long_as_their_stand_in() {
        let stored = rendered(&"\0".repeat(256));
        assert_eq!(stored, format!("a=\"{}\"", "\u{fffd}".repeat(85)));
    }
}
