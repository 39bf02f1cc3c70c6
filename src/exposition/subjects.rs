//! The labels of the accounts or trails that were read, one after the other in one piece of memory.

/// The place of an account's or a trail's labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place(u32);

/// The labels of accounts or trails.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Subjects {
    /// Appends rendered labels. Gives their place.
    pub(super) fn push(&mut self, labels: &str) -> Place {
        let place = u32::try_from(self.ends.len()).unwrap_or(u32::MAX);
        self.text.extend_from_slice(labels.as_bytes());
        self.ends.push(self.text.len());
        Place(place)
    }

    /// The labels at a place.
    pub(super) fn at(&self, Place(place): Place) -> &[u8] {
        let place = place as usize;
        let end = self.ends.get(place).copied().unwrap_or_default();
        let start = place
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let start = start.copied().unwrap_or_default();
        self.text.get(start..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_at_their_place() {
        let mut subjects = Subjects::default();
        let places = ["a=\"1\"", "", "b=\"22\""].map(|labels| (subjects.push(labels), labels));
        for (place, labels) in places {
            assert_eq!(subjects.at(place), labels.as_bytes());
        }
    }
}
