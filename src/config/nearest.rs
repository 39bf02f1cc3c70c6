//! The word somebody meant who wrote another.

/// The word of `known` that `written` is a slip of the pen for: at most a third of its letters wrong, missing or too many.
pub(super) fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    /// No word of ours is longer; more is no slip of the pen, and would cost time.
    const LONGEST: usize = 64;
    if written.len() > LONGEST {
        return None;
    }
    let written = written.to_lowercase().replace('-', "_");
    let slips = known.iter().map(|word| (distance(&written, word), *word));
    let (slips, word) = slips.min_by_key(|(slips, _)| *slips)?;
    (slips <= written.chars().count().max(word.len()) / 3).then_some(word)
}

/// Levenshtein's distance.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut left = line + 1;
        let mut diagonal = line;
        for (cell, b) in row.iter_mut().skip(1).zip(to.chars()) {
            let above = *cell;
            let here = (diagonal + usize::from(a != b))
                .min(above + 1)
                .min(left + 1);
            (diagonal, left, *cell) = (above, here, here);
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_wrong_missing_and_surplus_letters() {
        for (from, to, slips) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("interval", "interval", 0),
            ("intervall", "interval", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), slips, "{from} {to}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_understood_and_nonsense_is_not() {
        let known = ["interval", "timeout", "kms_encryption"];
        assert_eq!(nearest("Intervall", &known), Some("interval"));
        assert_eq!(nearest("kms-encrypton", &known), Some("kms_encryption"));
        assert_eq!(nearest("frequency", &known), None);
        assert_eq!(nearest(&"x".repeat(100_000), &known), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
