//! The pages of AWS's lists, and the bounds of one listing.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::misshapen;
use crate::aws::fault::Failed;

/// The most pages of one listing, without those of its units: a page holds 20 accounts, so that
/// 50,000 accounts are 2,500 pages, and as many may be empty.
const MAX_PAGES: usize = 5_000;
/// The most empty pages in a row.
const MAX_EMPTY_PAGES: usize = 100;
/// The most organizational units visited: twice AWS's quota for one organization.
const MAX_UNITS: usize = 4_000;
/// The pages that each unit adds: the last ones of its accounts and of its units may be short.
const PAGES_PER_UNIT: usize = 2;
/// The most accounts taken in: twice as many as an organization may have.
const MAX_ACCOUNTS: usize = 100_000;

/// Where a list of pages is. A page may be empty and not the last.
pub(super) struct Pages {
    pub(super) more: bool,
    token: Option<String>,
    /// Hashes of the tokens seen: a token may be long.
    seen: HashSet<u64>,
    hasher: RandomState,
    /// Empty pages since the last that was not.
    empty: usize,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self {
            more: true,
            token: None,
            seen: HashSet::new(),
            hasher: RandomState::new(),
            empty: 0,
        }
    }

    pub(super) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Goes on from a page of so many entries to the page that `next` names. A name seen before, or
    /// too many pages, are a list without an end.
    pub(super) fn turn(
        &mut self,
        next: Option<String>,
        entries: usize,
        bounds: &mut Bounds,
    ) -> Result<(), Failed> {
        let next = next.filter(|token| !token.is_empty());
        self.more = next.is_some();
        if let Some(token) = &next {
            self.empty = if entries == 0 { self.empty + 1 } else { 0 };
            let again = !self.seen.insert(self.hasher.hash_one(token));
            if again || self.empty > MAX_EMPTY_PAGES {
                return Err(misshapen("there is no end of pages"));
            }
        }
        self.token = next;
        bounds.turn_page()
    }
}

/// What is left of the bounds of one listing, all its lists together.
pub(super) struct Bounds {
    pages: usize,
    units: usize,
}

impl Bounds {
    pub(super) fn new() -> Self {
        Self {
            pages: MAX_PAGES,
            units: MAX_UNITS,
        }
    }

    fn turn_page(&mut self) -> Result<(), Failed> {
        let left = self.pages.checked_sub(1);
        self.pages = left.ok_or_else(|| misshapen("there is no end of pages"))?;
        Ok(())
    }

    /// So many more units are visited.
    pub(super) fn add_units(&mut self, units: usize) -> Result<(), Failed> {
        let left = self.units.checked_sub(units);
        self.units = left.ok_or_else(no_end_of_units)?;
        self.pages += PAGES_PER_UNIT * units;
        Ok(())
    }
}

/// So many units are in the list of one.
pub(super) fn check_units(units: usize) -> Result<(), Failed> {
    if units > MAX_UNITS {
        return Err(no_end_of_units());
    }
    Ok(())
}

/// So many accounts were found.
pub(super) fn check_accounts(accounts: usize) -> Result<(), Failed> {
    if accounts > MAX_ACCOUNTS {
        return Err(misshapen("there is no end of accounts"));
    }
    Ok(())
}

fn no_end_of_units() -> Failed {
    misshapen("there is no end of organizational units")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pages turned before a list is left; all that there are, at most `most`.
    fn turned(most: usize, page: impl Fn(usize) -> (Option<String>, usize)) -> usize {
        let (mut pages, mut bounds) = (Pages::new(), Bounds::new());
        let mut turn = |nth| {
            let (next, entries) = page(nth);
            pages.turn(next, entries, &mut bounds)
        };
        (0..most).take_while(|nth| turn(*nth).is_ok()).count()
    }

    #[test]
    fn an_empty_token_is_the_last_page() {
        let (mut pages, mut bounds) = (Pages::new(), Bounds::new());
        assert_eq!(pages.turn(Some("a".to_owned()), 1, &mut bounds), Ok(()));
        assert!(pages.more);
        assert_eq!(pages.token().as_deref(), Some("a"));
        assert_eq!(pages.turn(Some(String::new()), 1, &mut bounds), Ok(()));
        assert!(!pages.more);
    }

    #[test]
    fn a_token_seen_before_ends_the_list_wherever_it_was_seen() {
        for circle in [1, 2, 3, 1_000] {
            let turned = turned(MAX_PAGES, |nth| (Some((nth % circle).to_string()), 20));
            assert_eq!(turned, circle);
        }
    }

    #[test]
    fn fresh_tokens_end_at_the_bound_and_empty_pages_much_sooner() {
        let fresh = |entries| turned(3 * MAX_PAGES, |nth| (Some(nth.to_string()), entries));
        assert_eq!(fresh(20), MAX_PAGES);
        assert_eq!(fresh(0), MAX_EMPTY_PAGES);
    }

    #[test]
    fn fifty_thousand_accounts_with_an_empty_page_before_each_are_listed() {
        let pages = 2 * 50_000 / 20;
        let page = |nth: usize| {
            let last = nth + 1 == pages;
            ((!last).then(|| nth.to_string()), 20 * (nth % 2))
        };
        assert_eq!(turned(pages, page), pages);
    }

    #[test]
    fn the_largest_organization_is_walked_and_units_without_end_are_not() {
        let mut bounds = Bounds::new();
        assert_eq!(bounds.add_units(MAX_UNITS), Ok(()));
        assert!(bounds.add_units(1).is_err());
        let pages = 2 * 2_000 + 2_500;
        assert!((0..pages).all(|_| bounds.turn_page().is_ok()));
        assert!(check_units(MAX_UNITS).is_ok() && check_units(MAX_UNITS + 1).is_err());
        assert!(check_accounts(50_000).is_ok() && check_accounts(1_000_000).is_err());
    }
}
