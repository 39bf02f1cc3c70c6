//! Sets of event sources: which services' management events are recorded. There are more sources than anyone can list, so a set names either its
//! members or what is missing from it.

use std::collections::BTreeSet;

/// A set of event sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Coverage<'a> {
    /// All sources but these.
    Excluding(BTreeSet<&'a str>),
    /// These sources alone.
    Only(BTreeSet<&'a str>),
}

use Coverage::{Excluding, Only};

impl Coverage<'_> {
    /// All sources.
    pub(super) const FULL: Self = Excluding(BTreeSet::new());
    /// No source.
    pub(super) const NOTHING: Self = Only(BTreeSet::new());

    /// Whether no source is missing.
    pub(super) fn is_full(&self) -> bool {
        *self == Self::FULL
    }

    /// Whether `source` is in it.
    pub(super) fn contains(&self, source: &str) -> bool {
        match self {
            Excluding(missing) => !missing.contains(source),
            Only(members) => members.contains(source),
        }
    }

    /// The sources in either.
    pub(super) fn union(&self, other: &Self) -> Self {
        match (self, other) {
            (Excluding(a), Excluding(b)) => Excluding(a & b),
            (Excluding(a), Only(b)) | (Only(b), Excluding(a)) => Excluding(a - b),
            (Only(a), Only(b)) => Only(a | b),
        }
    }

    /// The sources in both.
    pub(super) fn intersection(&self, other: &Self) -> Self {
        match (self, other) {
            (Excluding(a), Excluding(b)) => Excluding(a | b),
            (Excluding(a), Only(b)) | (Only(b), Excluding(a)) => Only(b - a),
            (Only(a), Only(b)) => Only(a & b),
        }
    }

    /// Whether this has a source that `other` lacks.
    pub(super) fn adds_to(&self, other: &Self) -> bool {
        self.union(other) != *other
    }

    /// The union of all.
    pub(super) fn of_all(coverages: impl IntoIterator<Item = Self>) -> Self {
        let both = |all: Self, one: Self| all.union(&one);
        coverages.into_iter().fold(Self::NOTHING, both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excluding(sources: &[&'static str]) -> Coverage<'static> {
        Excluding(sources.iter().copied().collect())
    }

    fn only(sources: &[&'static str]) -> Coverage<'static> {
        Only(sources.iter().copied().collect())
    }

    /// Sets over `kms`, `rds` and every other source.
    fn some_sets() -> [Coverage<'static>; 8] {
        [
            Coverage::FULL,
            Coverage::NOTHING,
            excluding(&["kms"]),
            excluding(&["rds"]),
            excluding(&["kms", "rds"]),
            only(&["kms"]),
            only(&["rds"]),
            only(&["kms", "rds"]),
        ]
    }

    #[test]
    fn union_and_intersection_agree_with_every_source() {
        for a in some_sets() {
            for b in some_sets() {
                for source in ["kms", "rds", "s3"] {
                    let (in_a, in_b) = (a.contains(source), b.contains(source));
                    assert_eq!(a.union(&b).contains(source), in_a || in_b, "{a:?} {b:?}");
                    let both = a.intersection(&b);
                    assert_eq!(both.contains(source), in_a && in_b, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn only_a_set_that_lacks_nothing_is_full() {
        for set in some_sets() {
            assert_eq!(set.is_full(), set == Coverage::FULL, "{set:?}");
        }
        assert!(excluding(&["kms"]).union(&only(&["kms"])).is_full());
        assert!(excluding(&["kms"]).union(&excluding(&["rds"])).is_full());
    }

    #[test]
    fn a_set_adds_to_another_what_that_lacks() {
        assert!(only(&["kms"]).adds_to(&excluding(&["kms"])));
        assert!(!only(&["kms"]).adds_to(&excluding(&["rds"])));
        assert!(!Coverage::NOTHING.adds_to(&Coverage::NOTHING));
        assert!(Coverage::FULL.adds_to(&only(&["kms", "rds"])));
    }

    #[test]
    fn the_union_of_none_is_nothing() {
        assert_eq!(Coverage::of_all([]), Coverage::NOTHING);
        let parts = [only(&["kms"]), excluding(&["kms"])];
        assert_eq!(Coverage::of_all(parts), Coverage::FULL);
    }
}
