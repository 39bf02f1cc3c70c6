//! What follows the labels of a sample's subject. A family has few endings, so each is put together once.

use super::piece::Piece;
use crate::labels::escaped;

/// The most words of closed lists that a sample has.
const MOST_WORDS: usize = 2;

/// The endings of one family that were met so far.
#[derive(Debug)]
pub(super) struct Endings {
    /// What stands before the value of each further label, the end of the one before included.
    between: Vec<String>,
    met: Vec<Ending>,
}

/// Further labels whose values are words of closed lists, the closing brace, and the value if it is one of a few.
#[derive(Debug)]
struct Ending {
    words: [&'static str; MOST_WORDS],
    value: &'static str,
    text: Piece,
}

impl Endings {
    /// Of a family with these labels after those of its subject.
    pub(super) fn new(extra: &[&str]) -> Self {
        let between = |(at, name): (usize, &&str)| {
            let close = if at == 0 { "" } else { "\"" };
            format!("{close},{name}=\"")
        };
        Self {
            between: extra.iter().enumerate().map(between).collect(),
            met: Vec::new(),
        }
    }

    /// The place of the ending with these words, which need no cleaning, and this value.
    pub(super) fn place<const N: usize>(
        &mut self,
        words: [&'static str; N],
        value: &'static str,
    ) -> u16 {
        const { assert!(N <= MOST_WORDS) };
        let met = self.met.iter().position(|met| met.is(&words, value));
        let place = met.unwrap_or_else(|| {
            self.met.push(self.ending(words, value));
            self.met.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    /// Appends the ending at a place.
    pub(super) fn push(&self, place: u16, out: &mut Vec<u8>) {
        if let Some(ending) = self.met.get(usize::from(place)) {
            ending.text.push(out);
        }
    }

    /// Appends an ending with texts that may be anything.
    pub(super) fn push_texts<const N: usize>(
        &self,
        texts: [&str; N],
        value: &str,
        out: &mut Vec<u8>,
    ) {
        for (between, text) in self.between.iter().zip(texts) {
            out.extend_from_slice(between.as_bytes());
            out.extend_from_slice(escaped(text).as_bytes());
        }
        out.extend_from_slice(b"\"} ");
        out.extend_from_slice(value.as_bytes());
    }

    fn ending<const N: usize>(&self, words: [&'static str; N], value: &'static str) -> Ending {
        let mut text = String::new();
        let mut held = [""; MOST_WORDS];
        for ((between, word), held) in self.between.iter().zip(words).zip(&mut held) {
            text.push_str(between);
            text.push_str(word);
            *held = word;
        }
        text.push_str(if N == 0 { "} " } else { "\"} " });
        text.push_str(value);
        Ending {
            words: held,
            value,
            text: Piece::new(text),
        }
    }
}

impl Ending {
    /// Whether it is this one. Words are told apart by where they lie: one that lies at two places is put together twice.
    fn is(&self, words: &[&'static str], value: &'static str) -> bool {
        let mut pairs = self.words.iter().zip(words);
        std::ptr::eq(self.value, value) && pairs.all(|(held, word)| std::ptr::eq(*held, *word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(endings: &Endings, place: u16) -> String {
        let mut out = Vec::new();
        endings.push(place, &mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn an_ending_has_its_words_in_the_order_of_the_labels() {
        let mut endings = Endings::new(&["destination", "code"]);
        let place = endings.place(["s3", "NoSuchBucket"], "1\n");
        let expected = ",destination=\"s3\",code=\"NoSuchBucket\"} 1\n";
        assert_eq!(text(&endings, place), expected);
    }

    #[test]
    fn without_further_labels_the_brace_is_closed() {
        let mut endings = Endings::new(&[]);
        let place = endings.place([], "");
        assert_eq!(text(&endings, place), "} ");
    }

    #[test]
    fn an_ending_is_put_together_once_and_others_are_others() {
        let mut endings = Endings::new(&["check"]);
        let (yes, no) = ("1\n", "0\n");
        let places = [("logging", yes), ("logging", no), ("delivery", yes)];
        let places = places.map(|(word, value)| endings.place([word], value));
        assert_eq!(places, [0, 1, 2]);
        assert_eq!(endings.place(["logging"], yes), 0);
        assert_eq!(endings.met.len(), 3);
    }

    #[test]
    fn texts_are_escaped() {
        let mut out = Vec::new();
        let endings = Endings::new(&["unit", "source"]);
        endings.push_texts(["a\"b", "config"], "1\n", &mut out);
        assert_eq!(out, b",unit=\"a\\\"b\",source=\"config\"} 1\n");
    }
}
