//! What is asked for behind the `?` of the pages and the JSON.

use crate::compliance::State;

/// Accounts on one page: readable, and less than 200 kB.
pub(super) const PAGE: usize = 200;
/// A longer search is nobody's.
const MAX_SEARCH: usize = 100;

/// Which accounts, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// Only those in this state.
    pub(super) state: Option<State>,
    /// A state was asked for that there is not.
    pub(super) unknown_state: bool,
    /// Only those in which this text stands; in lower case.
    pub(super) search: String,
    /// By what they are sorted.
    pub(super) sort: Sort,
    /// The other way round.
    pub(super) descending: bool,
    /// The page, from 1.
    pub(super) page: usize,
}

/// What accounts are sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// Worst first.
    #[default]
    State,
    /// By name.
    Account,
    /// By the time of the last delivery.
    Delivery,
    /// By the time of the last success.
    Success,
}

impl Sort {
    /// The columns that can be sorted by.
    pub(super) const ALL: [Self; 4] = [Self::Account, Self::State, Self::Delivery, Self::Success];

    /// The name in an address.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Account => "account",
            Self::Delivery => "delivery",
            Self::Success => "success",
        }
    }
}

impl Query {
    /// Reads what stands behind the `?`. What is not known is left out.
    pub(super) fn parse(text: Option<&str>) -> Self {
        let mut query = Self {
            page: 1,
            ..Self::default()
        };
        for pair in text.unwrap_or_default().split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.set(name, decoded(value).trim());
        }
        query
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "state" => {
                self.state = State::ALL.into_iter().find(|s| s.as_str() == value);
                self.unknown_state = self.state.is_none() && !value.is_empty();
            }
            "q" => {
                let search: String = value.chars().take(MAX_SEARCH).collect();
                self.search = search.to_lowercase();
            }
            "sort" => {
                let sort = Sort::ALL.into_iter().find(|s| s.as_str() == value);
                self.sort = sort.unwrap_or_default();
            }
            "order" => self.descending = value == "desc",
            "page" => self.page = value.parse().unwrap_or(1).max(1),
            _ => {}
        }
    }

    /// The address of the same with a state, from the first page.
    pub(super) fn with_state(&self, state: Option<State>) -> String {
        let same = Self {
            state,
            page: 1,
            ..self.clone()
        };
        same.to_string()
    }

    /// The address of the same sorted by a column; the other way round if it is already.
    pub(super) fn with_sort(&self, sort: Sort) -> String {
        let same = Self {
            sort,
            descending: self.sort == sort && !self.descending,
            page: 1,
            ..self.clone()
        };
        same.to_string()
    }

    /// The address of another page.
    pub(super) fn with_page(&self, page: usize) -> String {
        let same = Self {
            page,
            ..self.clone()
        };
        same.to_string()
    }
}

impl std::fmt::Display for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("?")?;
        if let Some(state) = self.state {
            write!(f, "state={}&", state.as_str())?;
        }
        if !self.search.is_empty() {
            write!(f, "q={}&", encoded(&self.search))?;
        }
        if self.sort != Sort::default() || self.descending {
            write!(f, "sort={}&", self.sort.as_str())?;
        }
        if self.descending {
            f.write_str("order=desc&")?;
        }
        write!(f, "page={}", self.page)
    }
}

/// A text as it stands in an address.
pub(super) fn encoded(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    let byte = |b| {
        if is_plain(b) {
            return String::from(char::from(b));
        }
        format!("%{b:02X}")
    };
    text.bytes().map(byte).collect()
}

/// The text that stands in an address; what is not UTF-8 is replaced.
pub(super) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let ahead = rest.clone();
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => match hex(ahead) {
                Some(decoded) => {
                    rest.nth(1);
                    bytes.push(decoded);
                }
                None => bytes.push(byte),
            },
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(mut digits: std::str::Bytes<'_>) -> Option<u8> {
    let mut digit = || char::from(digits.next()?).to_digit(16);
    let byte = digit()? * 16 + digit()?;
    u8::try_from(byte).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_can_be_asked_for_again() {
        for text in [
            "?page=1",
            "?state=non_compliant&page=3",
            "?q=a%20b%26c%3Dd%25&page=1",
            "?sort=delivery&order=desc&page=2",
            "?sort=state&order=desc&page=1",
        ] {
            let query = Query::parse(text.strip_prefix('?'));
            assert_eq!(query.to_string(), text);
        }
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for text in [
            "", "page=0", "page=-1", "page=x", "sort=x", "x=y&&=", "order=up",
        ] {
            assert_eq!(Query::parse(Some(text)).to_string(), "?page=1", "{text}");
        }
        assert!(Query::parse(Some("state=bad")).unknown_state);
        assert!(!Query::parse(Some("state=")).unknown_state);
    }

    #[test]
    fn a_search_is_decoded_and_cut() {
        let search = |text| Query::parse(Some(text)).search;
        assert_eq!(search("q=+Caf%C3%A9+%zz%2"), "café %zz%2");
        assert_eq!(search("q=%FF"), "\u{fffd}");
        assert_eq!(search(&format!("q={}", "x".repeat(500))).len(), MAX_SEARCH);
    }

    #[test]
    fn a_column_is_turned_round_when_it_is_asked_for_again() {
        let query = Query::parse(Some("sort=account&page=4"));
        assert_eq!(
            query.with_sort(Sort::Account),
            "?sort=account&order=desc&page=1"
        );
        assert_eq!(query.with_sort(Sort::Delivery), "?sort=delivery&page=1");
    }
}
