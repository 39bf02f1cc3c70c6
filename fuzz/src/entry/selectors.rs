//! The union of selectors over trails: the judge says what the oracle of `tests/judgement` says,
//! which counts event by event in all worlds that fit.

use cloudtrail_exporter::compliance::{Check, Truth, evaluate};
use cloudtrail_exporter::facts::{
    AdvancedSelector, BasicSelector, EventSelectors, Failure, FieldSelector, ReadWrite,
    RegionAnswer,
};

use crate::fixtures::{HOME, Sketch, asked, now, requiring, trail};
use crate::oracle::agreed;

/// Those that the oracle tells apart.
const SOURCES: [&str; 2] = ["kms.amazonaws.com", "rdsdata.amazonaws.com"];
const FIELDS: [(&str, &[&str]); 5] = [
    ("eventCategory", &["Management", "Data"]),
    ("readOnly", &["true", "false"]),
    ("eventSource", &SOURCES),
    ("eventName", &["CreateTrail"]),
    ("unknown", &["Management", "true"]),
];
const NAMES: [&str; 3] = ["a", "b", "c"];

/// Bytes are choices; when they end, every choice is the first.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn of<const N: usize, T: Copy>(&mut self, all: [T; N]) -> T {
        all[self.below(N)]
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % end
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    fn some(&mut self, values: &[&str]) -> Vec<std::sync::Arc<str>> {
        let chosen = values.iter().filter(|_| self.yes());
        chosen.map(|value| (*value).into()).collect()
    }

    fn list<T>(&mut self, most: usize, one: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| one(self)).collect()
    }

    fn condition(&mut self) -> FieldSelector {
        let (field, values) = self.of(FIELDS);
        FieldSelector {
            field: field.into(),
            equals: self.some(values),
            not_equals: self.some(values),
            other_operators: self.below(8) == 1,
        }
    }

    fn basic(&mut self) -> BasicSelector {
        BasicSelector {
            management_events: !self.yes(),
            read_write: self.of([ReadWrite::All, ReadWrite::ReadOnly, ReadWrite::WriteOnly]),
            excluded_sources: self.some(&SOURCES),
        }
    }

    fn selectors(&mut self) -> Result<EventSelectors, Failure> {
        Ok(match self.below(4) {
            0 => EventSelectors::Advanced(self.list(3, |choices| AdvancedSelector {
                fields: choices.list(4, Self::condition),
            })),
            1 => EventSelectors::Basic(self.list(3, Self::basic)),
            2 => EventSelectors::Default,
            _ => return Err(Failure::Timeout),
        })
    }
}

pub fn run(data: &[u8]) {
    let mut choices = Choices(data.iter());
    let count = 1 + choices.below(NAMES.len());
    let trails = NAMES.iter().take(count).map(|name| {
        let mut heard = trail(name);
        heard.selectors = choices.selectors();
        match choices.below(5) {
            1 => heard.stopped(),
            2 => heard.single_region(),
            3 => heard.status_failed(Failure::Throttled),
            _ => heard,
        }
    });
    let trails: Vec<_> = trails.collect();
    let answer = choices.of([RegionAnswer::Whole, RegionAnswer::Partial]);
    let facts = asked([(HOME, answer)], trails);
    let policy = requiring(&[Check::ManagementEvents]);
    let found = evaluate(&facts, &policy, now());
    let (checks, verdict) = agreed(&facts, &policy, now());
    assert_eq!(found.checks.map(Truth::known), checks, "{facts:#?}");
    let place = Check::ManagementEvents as usize;
    assert_eq!(found.checks[place].known(), verdict, "{facts:#?}");
}
