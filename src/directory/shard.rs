//! Shards: each process takes its part of the directory without asking anybody.
//!
//! Rendezvous hashing: every shard has a weight for every account, and the heaviest takes it. One shard more takes its share from all the others and
//! moves nothing else.

use super::AccountKey;

/// Which part of the directory this process is responsible for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    ordinal: usize,
    total: usize,
}

/// A shard that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// The ordinal is not below the total.
    #[error("shard {ordinal} of {total}: the first shard is 0, so the last of {total} is {}", total.saturating_sub(1))]
    OutOfRange {
        /// The shard asked for.
        ordinal: usize,
        /// How many there are.
        total: usize,
    },
    /// The host name does not end as a `StatefulSet` names its pods.
    #[error(
        "host name {0:?} does not end in a hyphen and the number of the shard, such as exporter-3"
    )]
    HostName(String),
}

impl Shard {
    /// The whole directory.
    pub const ALL: Self = Self {
        ordinal: 0,
        total: 1,
    };

    /// Shard `ordinal`, counted from 0, of `total`.
    pub fn new(ordinal: usize, total: usize) -> Result<Self, ShardError> {
        if ordinal < total {
            return Ok(Self { ordinal, total });
        }
        Err(ShardError::OutOfRange { ordinal, total })
    }

    /// The shard of a `StatefulSet`'s pod: the number after the last hyphen of its host name.
    pub fn from_hostname(hostname: &str, total: usize) -> Result<Self, ShardError> {
        let pod = hostname.split('.').next().unwrap_or_default();
        let ordinal = pod.rsplit_once('-').and_then(|(_, number)| {
            let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            if digits { number.parse().ok() } else { None }
        });
        let ordinal = ordinal.ok_or_else(|| ShardError::HostName(hostname.to_owned()))?;
        Self::new(ordinal, total)
    }

    /// This shard, counted from 0.
    pub fn ordinal(self) -> usize {
        self.ordinal
    }

    /// How many shards there are.
    pub fn total(self) -> usize {
        self.total
    }

    /// Whether this shard takes the account.
    pub fn owns(self, key: &AccountKey) -> bool {
        let weight = |shard: &usize| (key.stable_hash(salt(*shard)), *shard);
        self.total <= 1 || (0..self.total).max_by_key(weight) == Some(self.ordinal)
    }
}

/// What sets the weights of one shard apart from another's; never 0, which the poller's phases use.
fn salt(shard: usize) -> u64 {
    u64::try_from(shard).unwrap_or(u64::MAX - 1) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: u64 = 20_000;

    fn account(number: u64) -> AccountKey {
        AccountKey::Id(format!("{number:012}").parse().expect("12 digits"))
    }

    fn shard_of(key: &AccountKey, total: usize) -> usize {
        let shards = (0..total).map(|n| Shard::new(n, total).expect("in range"));
        let owners: Vec<Shard> = shards.filter(|shard| shard.owns(key)).collect();
        assert_eq!(owners.len(), 1, "{key:?} of {total}");
        owners[0].ordinal()
    }

    #[test]
    fn every_account_has_exactly_one_shard_and_shards_are_even() {
        let mut sizes = [0_u64; 7];
        for n in 0..FLEET {
            sizes[shard_of(&account(n * 7919), 7)] += 1;
        }
        let fair = FLEET / 7;
        assert!(
            sizes.iter().all(|n| n.abs_diff(fair) < fair / 10),
            "{sizes:?}"
        );
    }

    #[test]
    fn one_shard_more_moves_its_own_share_and_nothing_else() {
        for total in [1, 3, 9] {
            let mut moved = 0_u64;
            for n in 0..FLEET {
                let key = account(n * 104_729);
                let (before, after) = (shard_of(&key, total), shard_of(&key, total + 1));
                if before != after {
                    assert_eq!(after, total, "an account may only move to the new shard");
                    moved += 1;
                }
            }
            let share = FLEET / (total as u64 + 1);
            assert!(moved.abs_diff(share) < share / 10, "{moved} of {share}");
        }
    }

    #[test]
    fn the_shard_of_an_account_never_changes_from_version_to_version() {
        let ids = [
            "012345678901",
            "111122223333",
            "210987654321",
            "999999999999",
        ];
        let by_id = ids.map(|id| shard_of(&AccountKey::Id(id.parse().expect("an id")), 10));
        let by_name = ["ambient", "gov"].map(|n| shard_of(&AccountKey::Name(n.into()), 10));
        assert_eq!((by_id, by_name), ([7, 4, 7, 2], [2, 0]));
    }

    #[test]
    fn one_shard_takes_everything() {
        assert!((0..100).all(|n| Shard::ALL.owns(&account(n))));
    }

    #[test]
    fn a_pod_is_the_shard_its_name_ends_with() {
        let shard = |name| Shard::from_hostname(name, 12);
        assert_eq!(shard("exporter-3"), Shard::new(3, 12));
        assert_eq!(shard("my-exporter-11.ns.svc"), Shard::new(11, 12));
        for name in [
            "",
            "exporter",
            "exporter-",
            "exporter-x",
            "exporter-+1",
            "3",
        ] {
            assert_eq!(shard(name), Err(ShardError::HostName(name.to_owned())));
        }
    }

    #[test]
    fn a_shard_beyond_the_last_is_refused() {
        for (ordinal, total) in [(12, 12), (0, 0)] {
            let error = ShardError::OutOfRange { ordinal, total };
            assert_eq!(Shard::new(ordinal, total), Err(error));
        }
    }
}
