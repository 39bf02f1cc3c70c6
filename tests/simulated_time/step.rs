//! What can happen, and sequences of it.

use std::fmt;

use cloudtrail_exporter::facts::{Failure, Operation};

/// The accounts of the world, by their place in it.
pub(crate) const ACCOUNTS: usize = 4;
/// Has trails of its own, and is asked in two Regions.
pub(crate) const ALONE: usize = 0;
/// Sees the organization's trail.
pub(crate) const MEMBER: usize = 1;
/// Owns the organization's trail, and is asked seldom.
pub(crate) const OWNER: usize = 2;
/// Is configured by a name; its credentials may be one of two accounts'.
pub(crate) const NAMED: usize = 3;

const NAMES: [&str; ACCOUNTS] = ["alone", "member", "owner", "named"];

/// How a kind of call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Fails(Failure),
    /// Never answers.
    Hangs,
    /// Every entry of the answer is malformed.
    Partial,
    /// The session is another account's.
    WrongAccount,
}

/// A change of what is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// The account's own trail is made or deleted.
    Exists,
    /// It begins or ceases to span all Regions.
    MultiRegion,
    /// It is started or stopped.
    Logging,
}

/// What the clocks do in the middle of a poll, while a call is outstanding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Jump {
    /// The process or the host stands still.
    Sleep(u32),
    /// The wall clock is set.
    Wall(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// An account is polled; a clock may jump during its call of this kind.
    Poll(usize, Option<(Operation, Jump)>),
    Change(usize, Change),
    Fault(usize, Operation, Fault),
    /// An account's calls succeed again.
    Heal(usize),
    /// Time goes by, and the exporter runs.
    Wait(u32),
    /// The host sleeps.
    Sleep(u32),
    /// The wall clock is set.
    SetWall(i64),
    /// `logging` is required from now on, or no more.
    Policy,
    /// An account joins or leaves.
    Membership(usize),
    /// The named account's credentials are the other account's.
    Identity,
}

const FAILURES: [Failure; 12] = [
    Failure::AccessDenied,
    Failure::RegionDisabled,
    Failure::Credentials,
    Failure::ClockSkew,
    Failure::Throttled,
    Failure::Timeout,
    Failure::Network,
    Failure::Tls,
    Failure::Malformed,
    Failure::ServerError,
    Failure::NotFound,
    Failure::Other,
];

const OPERATIONS: [Operation; 4] = [
    Operation::AssumeRole,
    Operation::DescribeTrails,
    Operation::GetTrailStatus,
    Operation::GetEventSelectors,
];

/// Around the life of a proof, 15 minutes, and of the owner's, three hours.
const SPANS: [u32; 10] = [1, 20, 60, 290, 610, 880, 930, 4_000, 10_500, 12_000];

struct Dice(fastrand::Rng);

impl Dice {
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.usize(..of.len())]
    }

    fn account(&mut self) -> usize {
        self.0.usize(..ACCOUNTS)
    }

    fn operation(&mut self) -> Operation {
        self.pick(&OPERATIONS)
    }

    fn set_wall(&mut self) -> i64 {
        let by = i64::from(self.pick(&SPANS)) * if self.0.u8(..8) == 0 { 30 } else { 1 };
        if self.0.bool() { by } else { -by }
    }

    fn jump(&mut self) -> Option<(Operation, Jump)> {
        let jump = match self.0.u8(..10) {
            0 => Jump::Sleep(self.pick(&SPANS)),
            1 => Jump::Wall(self.set_wall()),
            _ => return None,
        };
        Some((self.operation(), jump))
    }

    fn fault(&mut self, operation: Operation) -> Fault {
        match (operation, self.0.u8(..10)) {
            (_, 0) => Fault::Hangs,
            (Operation::DescribeTrails, 1..=3) => Fault::Partial,
            (Operation::AssumeRole, 1..=3) => Fault::WrongAccount,
            _ => Fault::Fails(self.pick(&FAILURES)),
        }
    }

    fn change(&mut self) -> Change {
        self.pick(&[
            Change::Exists,
            Change::MultiRegion,
            Change::Logging,
            Change::Logging,
        ])
    }

    fn step(&mut self) -> Step {
        match self.0.u8(..100) {
            0..40 => Step::Poll(self.account(), self.jump()),
            40..52 => Step::Change(self.account(), self.change()),
            52..66 => {
                let operation = self.operation();
                Step::Fault(self.account(), operation, self.fault(operation))
            }
            66..74 => Step::Heal(self.account()),
            74..83 => Step::Wait(self.pick(&SPANS)),
            83..86 => Step::Sleep(self.pick(&SPANS)),
            86..92 => Step::SetWall(self.set_wall()),
            92..94 => Step::Policy,
            94..97 => Step::Membership(self.account()),
            _ => Step::Identity,
        }
    }
}

/// The sequence of a seed.
pub(crate) fn sequence(seed: u64) -> Vec<Step> {
    let mut dice = Dice(fastrand::Rng::with_seed(seed));
    let length = dice.0.usize(3..20);
    (0..length).map(|_| dice.step()).collect()
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poll(account, None) => write!(f, "poll {}", NAMES[*account]),
            Self::Poll(account, Some((operation, jump))) => {
                let (name, operation) = (NAMES[*account], operation.as_str());
                match jump {
                    Jump::Sleep(s) => {
                        write!(f, "poll {name}; the host sleeps {s} s in {operation}")
                    }
                    Jump::Wall(s) => write!(
                        f,
                        "poll {name}; the wall clock jumps {s:+} s in {operation}"
                    ),
                }
            }
            Self::Change(account, change) => {
                write!(f, "{}'s trail: {change:?} is toggled", NAMES[*account])
            }
            Self::Fault(account, operation, fault) => {
                write!(
                    f,
                    "{}'s {} from now on: {fault:?}",
                    NAMES[*account],
                    operation.as_str()
                )
            }
            Self::Heal(account) => write!(f, "{}'s calls succeed again", NAMES[*account]),
            Self::Wait(s) => write!(f, "{s} s go by"),
            Self::Sleep(s) => write!(f, "the host sleeps {s} s"),
            Self::SetWall(s) => write!(f, "the wall clock is set {s:+} s"),
            Self::Policy => f.write_str("the policy is reloaded: logging is required, or no more"),
            Self::Membership(account) => write!(f, "{} joins or leaves", NAMES[*account]),
            Self::Identity => f.write_str("named's credentials are the other account's"),
        }
    }
}
