//! The samples of one family: read from the accounts first, written when it is the family's turn.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use super::ending::Endings;
use super::number;
use super::piece::Piece;
use super::subjects::{Place, Subjects};

/// The samples of one family that were read and are not written yet, in little memory.
#[derive(Debug)]
pub struct Column {
    /// The name and the opening brace.
    head: Piece,
    endings: Endings,
    /// What is read is about this account or trail.
    subject: Place,
    samples: VecDeque<Sample>,
    /// The numbers of samples that end with one, and the lengths of texts, in the order of the samples.
    numbers: VecDeque<u64>,
    texts: Vec<u8>,
    /// Where the texts begin that are not written yet.
    text: usize,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    subject: Place,
    end: End,
}

/// What follows the labels of the subject.
#[derive(Debug, Clone, Copy)]
enum End {
    /// One of the family's endings.
    Ending(u16),
    /// One of the family's endings, and a number of thousandths.
    Number(u16),
    /// A text of its own.
    Text,
}

/// Reading.
impl Column {
    /// Of the family with this name and these labels after those of its subject.
    pub(super) fn new(name: &str, extra: &[&str]) -> Self {
        Self {
            head: Piece::new(format!("{name}{{")),
            endings: Endings::new(extra),
            subject: Place::default(),
            samples: VecDeque::new(),
            numbers: VecDeque::new(),
            texts: Vec::new(),
            text: 0,
        }
    }

    /// What is read from now on is about this account or trail.
    pub(super) fn about(&mut self, subject: Place) {
        self.subject = subject;
    }

    /// 1 or 0, with words of closed lists.
    pub(super) fn flag<const N: usize>(&mut self, words: [&'static str; N], on: bool) {
        let ending = self.endings.place(words, if on { "1\n" } else { "0\n" });
        self.sample(End::Ending(ending));
    }

    /// 1 or 0, with texts that may be anything.
    pub(super) fn flag_of<const N: usize>(&mut self, texts: [&str; N], on: bool) {
        let before = self.texts.len();
        let value = if on { "1\n" } else { "0\n" };
        self.endings.push_texts(texts, value, &mut self.texts);
        self.numbers.push_back((self.texts.len() - before) as u64);
        self.sample(End::Text);
    }

    /// A number of things.
    pub(super) fn count(&mut self, n: usize) {
        self.number([], (n as u64).saturating_mul(THOUSAND));
    }

    /// Seconds, to the millisecond.
    pub(super) fn seconds<const N: usize>(&mut self, words: [&'static str; N], span: Duration) {
        let millis = span.as_secs().saturating_mul(THOUSAND);
        self.number(words, millis.saturating_add(span.subsec_millis().into()));
    }

    /// A time as seconds since the UNIX epoch; nothing for a time before it.
    pub(super) fn time<const N: usize>(&mut self, words: [&'static str; N], at: SystemTime) {
        if let Ok(since_epoch) = at.duration_since(SystemTime::UNIX_EPOCH) {
            self.seconds(words, since_epoch);
        }
    }

    fn number<const N: usize>(&mut self, words: [&'static str; N], thousandths: u64) {
        let ending = self.endings.place(words, "");
        self.numbers.push_back(thousandths);
        self.sample(End::Number(ending));
    }

    fn sample(&mut self, end: End) {
        let subject = self.subject;
        self.samples.push_back(Sample { subject, end });
    }
}

const THOUSAND: u64 = 1_000;

/// Writing.
impl Column {
    /// Writes samples, each once, until none is left or `out` is as long as `most`.
    pub(super) fn write(&mut self, subjects: &Subjects, out: &mut Vec<u8>, most: usize) {
        while out.len() < most {
            let Some(sample) = self.samples.pop_front() else {
                self.texts.clear();
                self.text = 0;
                return;
            };
            self.head.push(out);
            out.extend_from_slice(subjects.at(sample.subject));
            self.end(sample.end, out);
        }
    }

    fn end(&mut self, end: End, out: &mut Vec<u8>) {
        match end {
            End::Ending(place) => self.endings.push(place, out),
            End::Number(place) => {
                self.endings.push(place, out);
                let thousandths = self.numbers.pop_front().unwrap_or_default();
                number::push_thousandths(out, thousandths);
                out.push(b'\n');
            }
            End::Text => {
                let length = self.numbers.pop_front().unwrap_or_default();
                let end = self.text + usize::try_from(length).unwrap_or_default();
                out.extend_from_slice(self.texts.get(self.text..end).unwrap_or_default());
                self.text = end;
            }
        }
    }
}
