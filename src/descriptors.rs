//! The file descriptors of the process, divided once so that no part can starve another.
//!
//! Connections to AWS, name look-ups, clients of the web server and files share one limit. Without a
//! division, enough accounts on a small limit would leave none to accept a scrape with.

use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// What the process holds from its start to its end: standard streams, the event loop, signals,
/// listening sockets, and a few to spare.
const FIXED: usize = 16;
/// The limit assumed where the system does not tell: what most systems give at least.
const USUAL_LIMIT: usize = 1_024;
/// A name look-up opens a file or a socket, or both.
const PER_LOOKUP: usize = 2;
/// More look-ups at once than this help nobody: each is of another host.
const MOST_LOOKUPS: usize = 16;
/// More clients at once than this are not served, whatever the limit.
const MOST_CLIENTS: usize = 512;
/// More connections to AWS than this are not of use, whatever the limit.
const MOST_CONNECTIONS: usize = 65_536;
/// Below this, idle connections are not kept: they would take the place of those that are needed.
const FEW_CONNECTIONS: usize = 256;
/// Hosts that idle connections are kept to: AWS has some 35 Regions, asked for `CloudTrail` and STS.
const HOSTS: usize = 40;

/// How many descriptors each part may use. Their sum is within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Connections to AWS in use at once.
    pub connections: usize,
    /// Connections to each host of AWS that are kept for the next call.
    pub idle_per_host: usize,
    /// Names looked up at once.
    pub lookups: usize,
    /// Connections of clients of the web server, those that wait for a place among them.
    pub clients: usize,
    /// Files read at once: configuration, credentials, certificates, child processes.
    pub files: usize,
}

impl Budget {
    /// The budget within a limit of descriptors.
    pub fn of(limit: usize) -> Self {
        let free = limit.saturating_sub(FIXED);
        let files = (free / 8).clamp(4, 64);
        let clients = (free * 3 / 8).clamp(4, MOST_CLIENTS);
        let lookups = (free / 32).clamp(1, MOST_LOOKUPS);
        let rest = free.saturating_sub(files + clients + PER_LOOKUP * lookups);
        let (connections, idle_per_host) = to_aws(rest.min(MOST_CONNECTIONS));
        Self {
            connections,
            idle_per_host,
            lookups,
            clients,
            files,
        }
    }
}

/// Connections to AWS in use, and kept for each host. The pool may open one connection while it waits
/// for another, so a third each is for those in use, those being opened and those kept.
fn to_aws(descriptors: usize) -> (usize, usize) {
    if descriptors < FEW_CONNECTIONS {
        return (descriptors.max(1), 0);
    }
    let third = descriptors / 3;
    (third, third / HOSTS)
}

/// The budget of this process, under a limit that was raised as far as the system allows.
pub fn budget() -> Budget {
    static BUDGET: OnceLock<Budget> = OnceLock::new();
    *BUDGET.get_or_init(|| Budget::of(raised_limit()))
}

/// Raises the soft limit to the hard one, as Go's runtime does: a process that does not use
/// `select` has no reason to stay below. The limit that holds afterwards.
fn raised_limit() -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return USUAL_LIMIT;
    };
    let raised = soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok();
    let limit = if raised { hard } else { soft };
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(budget: Budget) -> usize {
        let kept = if budget.idle_per_host == 0 {
            budget.connections
        } else {
            2 * budget.connections + HOSTS * budget.idle_per_host
        };
        FIXED + budget.files + budget.clients + PER_LOOKUP * budget.lookups + kept
    }

    #[test]
    fn the_parts_are_within_the_limit() {
        for limit in (32..20_000).chain([65_536, 524_288, 1_048_576, usize::MAX / 4]) {
            let budget = Budget::of(limit);
            assert!(used(budget) <= limit, "{limit}: {budget:?}");
        }
    }

    #[test]
    fn every_part_has_something_whatever_the_limit() {
        for limit in 0..=64 {
            let budget = Budget::of(limit);
            assert!(budget.connections >= 1 && budget.lookups >= 1, "{budget:?}");
            assert!(budget.clients >= 4 && budget.files >= 4, "{budget:?}");
        }
    }

    #[test]
    fn more_descriptors_are_no_less_for_anyone() {
        let budgets: Vec<_> = (0..10_000).map(Budget::of).collect();
        for pair in budgets.windows(2) {
            assert!(pair[0].clients <= pair[1].clients, "{pair:?}");
            assert!(pair[0].lookups <= pair[1].lookups, "{pair:?}");
            assert!(pair[0].files <= pair[1].files, "{pair:?}");
        }
    }

    #[test]
    fn the_usual_limits_give_what_a_usual_process_needs() {
        let small = Budget::of(1_024);
        assert!(
            small.connections >= 128 && small.idle_per_host >= 4,
            "{small:?}"
        );
        let raised = Budget::of(1_048_576);
        assert!(
            raised.connections >= 10_000 && raised.idle_per_host >= 256,
            "{raised:?}"
        );
        assert_eq!(
            (raised.lookups, raised.clients),
            (MOST_LOOKUPS, MOST_CLIENTS)
        );
    }

    #[test]
    fn the_limit_of_this_process_is_raised_to_the_hard_one() {
        let limit = raised_limit();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("limits");
        assert_eq!(soft, hard);
        assert_eq!(usize::try_from(soft).unwrap_or(usize::MAX), limit);
        assert_eq!(budget(), budget());
    }
}
