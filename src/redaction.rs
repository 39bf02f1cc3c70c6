//! Texts without the secrets that this process holds.
//!
//! One register for the whole process: whoever comes to hold a secret registers it for as long as it
//! does, and whatever leaves in a log, an error, a page or JSON passes through [`redact`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// What stands for a secret.
const MARK: &str = "[redacted]";
/// A shorter secret is not looked for: it would be found in words that have nothing to do with it.
const SHORTEST: usize = 4;
/// A secret of at least this length is looked for inside of words, too.
const UNMISTAKABLE: usize = 8;

static HELD: LazyLock<RwLock<Held>> = LazyLock::new(RwLock::default);

/// Secrets by their first bytes, each with how often it is registered.
#[derive(Default)]
struct Held(HashMap<[u8; SHORTEST], Vec<(Arc<str>, usize)>>);

/// Secrets stay registered until this is dropped.
#[derive(Default)]
pub struct Registered(Vec<Arc<str>>);

/// Registers secrets, as they are and as a URL or form holds them.
pub fn register<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Registered {
    let mut texts = Vec::new();
    let mut held = HELD.write().unwrap_or_else(PoisonError::into_inner);
    for secret in secrets.into_iter().flat_map(parts) {
        texts.extend(held.add(secret));
        let encoded = percent_encoded(secret);
        if encoded != secret {
            texts.extend(held.add(&encoded));
        }
    }
    Registered(texts)
}

/// The lines of a secret: other texts are looked at line by line. The frame of a PEM key is none.
fn parts(secret: &str) -> impl Iterator<Item = &str> {
    secret.lines().filter(|line| !line.starts_with("-----"))
}

/// The text without any registered secret.
pub fn redact(text: &str) -> Cow<'_, str> {
    let held = HELD.read().unwrap_or_else(PoisonError::into_inner);
    held.redact(text)
}

/// The text without these secrets, and without any registered one. A short one is replaced where it
/// stands alone, as an answer quotes it.
pub fn redact_also<'a>(text: &str, secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = text.to_owned();
    for secret in secrets.into_iter().filter(|secret| secret.len() > 1) {
        if text.contains(secret) {
            text = without(&text, secret);
        }
    }
    redact(&text).into_owned()
}

fn without(text: &str, secret: &str) -> String {
    let mut clean = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(secret) {
        clean.push_str(before);
        let alone = !is_word(clean.chars().next_back()) && !is_word(after.chars().next());
        let is_it = secret.len() >= UNMISTAKABLE || alone;
        clean.push_str(if is_it { MARK } else { secret });
        rest = after;
    }
    clean.push_str(rest);
    clean
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut held = HELD.write().unwrap_or_else(PoisonError::into_inner);
        for text in self.0.drain(..) {
            held.remove(&text);
        }
    }
}

impl Held {
    fn add(&mut self, secret: &str) -> Option<Arc<str>> {
        let same_start = self.0.entry(start(secret.as_bytes())?).or_default();
        if let Some((text, times)) = same_start.iter_mut().find(|(text, _)| **text == *secret) {
            *times += 1;
            return Some(Arc::clone(text));
        }
        let text: Arc<str> = secret.into();
        same_start.push((Arc::clone(&text), 1));
        Some(text)
    }

    fn remove(&mut self, secret: &str) {
        let Some(key) = start(secret.as_bytes()) else {
            return;
        };
        let Some(same_start) = self.0.get_mut(&key) else {
            return;
        };
        for (_, times) in same_start.iter_mut().filter(|(text, _)| **text == *secret) {
            *times -= 1;
        }
        same_start.retain(|(_, times)| *times > 0);
        if same_start.is_empty() {
            self.0.remove(&key);
        }
    }

    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let (mut clean, mut copied, mut at) = (String::new(), 0, 0);
        while let Some(rest) = text.get(at..) {
            if rest.len() < SHORTEST {
                break;
            }
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            match self.longest(before, rest) {
                Some(length) => {
                    clean.push_str(text.get(copied..at).unwrap_or_default());
                    clean.push_str(MARK);
                    at += length;
                    copied = at;
                }
                None => at += rest.chars().next().map_or(1, char::len_utf8),
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        clean.push_str(text.get(copied..).unwrap_or_default());
        Cow::Owned(clean)
    }

    /// The length of the longest secret that a text begins with, or of the text where it ends inside
    /// of one. `before` is the character in front of it.
    fn longest(&self, before: Option<char>, text: &str) -> Option<usize> {
        let secrets = self.0.get(&start(text.as_bytes())?)?;
        let lengths = secrets.iter().filter_map(|(secret, _)| {
            if let Some(after) = text.strip_prefix(&**secret) {
                let alone = !is_word(before) && !is_word(after.chars().next());
                return (secret.len() >= UNMISTAKABLE || alone).then_some(secret.len());
            }
            let is_cut = text.len() >= UNMISTAKABLE && secret.starts_with(text);
            is_cut.then_some(text.len())
        });
        lengths.max()
    }
}

fn start(bytes: &[u8]) -> Option<[u8; SHORTEST]> {
    bytes.first_chunk().copied()
}

fn is_word(neighbour: Option<char>) -> bool {
    neighbour.is_some_and(char::is_alphanumeric)
}

/// As forms and query strings hold it.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            encoded.push('%');
            encoded.extend([byte >> 4, byte & 15].map(hex));
        }
    }
    encoded
}

fn hex(digit: u8) -> char {
    char::from_digit(digit.into(), 16).map_or('0', |c| c.to_ascii_uppercase())
}

/// Writes lines without secrets. Each write must be a whole line.
#[derive(Debug)]
pub struct Redacting<W>(pub W);

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(line).map(redact) {
            Ok(Cow::Owned(clean)) => self.0.write_all(clean.as_bytes())?,
            _ => self.0.write_all(line)?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(secrets: &[&str]) -> Held {
        let mut held = Held::default();
        for secret in secrets {
            held.add(secret);
        }
        held
    }

    #[test]
    fn every_occurrence_of_a_held_secret_is_replaced() {
        let held = held(&["wJalrXUtnFEMI/K7MDENG", "IQoJb3JpZ2luX2Vj"]);
        assert_eq!(
            held.redact("key wJalrXUtnFEMI/K7MDENG, token=IQoJb3JpZ2luX2Vj; xIQoJb3JpZ2luX2Vjx"),
            "key [redacted], token=[redacted]; x[redacted]x"
        );
        assert!(matches!(held.redact("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_longest_of_two_secrets_with_one_start_is_replaced() {
        let held = held(&["abcdefgh", "abcdefgh12345678"]);
        assert_eq!(
            held.redact("abcdefgh12345678 abcdefgh"),
            "[redacted] [redacted]"
        );
    }

    #[test]
    fn a_short_secret_is_replaced_only_where_it_stands_alone() {
        let held = held(&["prod", "a", "abc"]);
        assert_eq!(
            held.redact("a product of prod, in abc: 'prod' prod1"),
            "a product of [redacted], in abc: '[redacted]' prod1"
        );
    }

    #[test]
    fn a_secret_that_the_end_of_the_text_cuts_is_replaced() {
        let held = held(&["IQoJb3JpZ2luX2VjEXAMPLE"]);
        assert_eq!(held.redact("token IQoJb3JpZ2lu"), "token [redacted]");
        assert_eq!(held.redact("token IQoJb"), "token IQoJb");
    }

    #[test]
    fn characters_of_several_bytes_stay_whole() {
        let held = held(&["gehëimnis-wort"]);
        assert_eq!(held.redact("é🦀 gehëimnis-wort 🦀"), "é🦀 [redacted] 🦀");
    }

    #[test]
    fn a_secret_is_known_until_its_last_holder_is_gone() {
        let secret = "only-in-this-test/1+2=";
        let (one, two) = (register([secret]), register([secret]));
        drop(one);
        assert_eq!(redact(secret), MARK);
        assert_eq!(
            redact("x=only-in-this-test%2F1%2B2%3D&y"),
            format!("x={MARK}&y")
        );
        drop(two);
        assert_eq!(redact(secret), secret);
    }

    #[test]
    fn a_secret_at_hand_is_replaced_though_it_is_short() {
        let text = "Value 'x1' at x12 of ax1: x1";
        assert_eq!(
            redact_also(text, ["x1", "", "a"]),
            "Value '[redacted]' at x12 of ax1: [redacted]"
        );
        assert_eq!(
            redact_also("xlong-enoughx", ["long-enough"]),
            "x[redacted]x"
        );
    }

    #[test]
    fn lines_are_written_without_secrets() {
        let _held = register(["line-secret-of-a-test"]);
        let mut written = Redacting(Vec::new());
        let line = b"{\"error\":\"line-secret-of-a-test\"}\n";
        assert_eq!(written.write(line).ok(), Some(line.len()));
        assert_eq!(written.0, b"{\"error\":\"[redacted]\"}\n");
    }
}
