//! The organization: its management account, its units, and how its lists are told (page size, empty pages, old or new state field).

use serde::{Deserialize, Serialize};

use crate::names::AccountId;

/// The most accounts AWS puts on a page.
const LARGEST_PAGE: usize = 20;

/// An organization of accounts of one partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Organization {
    /// `o-...`.
    pub id: String,
    /// The account that owns organization trails.
    pub management_account: AccountId,
    /// Members that may read the organization too.
    pub delegated_administrators: Vec<AccountId>,
    /// `r-...`.
    pub root: String,
    /// The units below the root.
    pub units: Vec<Unit>,
    /// Entries on a page, at most 20.
    pub page_size: usize,
    /// Puts an empty page with a token before every real one, as AWS may.
    pub empty_pages: bool,
    /// Which field tells an account's state.
    pub state_field: StateField,
}

impl Default for Organization {
    fn default() -> Self {
        Self {
            id: "o-a1b2c3d4e5".to_owned(),
            management_account: AccountId::default(),
            delegated_administrators: Vec::new(),
            root: "r-a1b2".to_owned(),
            units: Vec::new(),
            page_size: LARGEST_PAGE,
            empty_pages: false,
            state_field: StateField::default(),
        }
    }
}

/// An organizational unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// `ou-...`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The unit or root above it; the root when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// How `ListAccounts` tells the state of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateField {
    /// `State` alone: AWS since September 2026.
    #[default]
    State,
    /// `Status` alone: AWS before.
    Status,
    /// Both, as in between.
    Both,
}

impl Organization {
    /// Whether this account may list the organization.
    pub fn may_list(&self, account: AccountId) -> bool {
        account == self.management_account || self.delegated_administrators.contains(&account)
    }

    /// Whether a root or unit of this id exists.
    pub fn has_parent(&self, id: &str) -> bool {
        self.root == id || self.units.iter().any(|unit| unit.id == id)
    }

    /// Entries per page when the caller asks for `wanted`.
    pub(crate) fn page(&self, wanted: Option<u64>) -> usize {
        let wanted = wanted
            .and_then(|wanted| usize::try_from(wanted).ok())
            .unwrap_or(LARGEST_PAGE);
        self.page_size.min(wanted).clamp(1, LARGEST_PAGE)
    }
}
