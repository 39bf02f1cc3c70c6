//! A row of the matrix of faults, and which rows run.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where a fault comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Aws,
    Network,
    Credentials,
    FilesAndSignals,
    TimeAndResources,
}

/// One in so many rows that are not always run is in a sample.
const SAMPLE: u64 = 4;
/// `all` runs every row, a number the sample of that rotation.
const VARIABLE: &str = "FAULTS";

/// Which rows run: all, or a sample that rotates with the days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    All,
    Rotation(u64),
}

impl Selection {
    pub fn from_environment() -> Self {
        match std::env::var(VARIABLE) {
            Ok(value) if value == "all" => Self::All,
            Ok(value) => Self::Rotation(value.parse().expect("FAULTS is `all` or a number")),
            Err(_) => Self::Rotation(today()),
        }
    }

    /// Whether the row at `place` of its table runs. A row named after a fault that was found in
    /// the field always does.
    pub fn has(self, place: usize, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Rotation(day) => {
                is_always_run(name) || (place as u64 + day).is_multiple_of(SAMPLE)
            }
        }
    }

    /// How to run the same rows again.
    pub fn shown(self) -> String {
        match self {
            Self::All => format!("{VARIABLE}=all"),
            Self::Rotation(day) => format!("{VARIABLE}={}", day % SAMPLE),
        }
    }
}

fn today() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("a time after 1970").as_secs() / 86_400
}

/// `A1 ...`, `B12 ...`, `F6-...`
fn is_always_run(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| "ABF".contains(c))
        && letters.next().is_some_and(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_rotation_and_those_from_the_field_in_all() {
        let has = |name, place| {
            let days = 0..SAMPLE;
            days.filter(|day| Selection::Rotation(*day).has(place, name))
                .count() as u64
        };
        assert!((0..10).all(|place| has("throttled", place) == 1));
        assert!((0..10).all(|place| has("A1 stopped in mid-poll", place) == SAMPLE));
        assert!((0..10).all(|place| has("B8 endless pages", place) == SAMPLE));
        assert!((0..10).all(|place| has("A role refused", place) == 1));
        assert!(Selection::All.has(3, "throttled"));
    }
}
