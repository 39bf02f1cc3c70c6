//! What AWS was heard to say, and when it was asked. What may be published is derived from this
//! alone, by a few lines that share nothing with the judgement under test.

use std::time::Duration;

use cloudtrail_exporter::account::TrailArn;
use cloudtrail_exporter::facts::Trail;
use cloudtrail_exporter::timestamp::Timestamp;

use crate::step::OWNER;
use crate::world::{SLOTS, stale_after};

/// One whole or partial answer of `DescribeTrails`.
#[derive(Debug, Clone)]
struct Described {
    at: Timestamp,
    whole: bool,
    trails: Vec<Trail>,
}

/// One answer of `GetTrailStatus`.
#[derive(Debug, Clone)]
struct Status {
    at: Timestamp,
    arn: TrailArn,
    logging: bool,
}

#[derive(Debug, Clone, Default)]
struct Heard {
    described: Vec<Described>,
    statuses: Vec<Status>,
    /// How many of the statuses are of a time before the account left and came back.
    before: usize,
}

/// All answers of a sequence, by account: the named one is one of two.
#[derive(Debug, Clone, Default)]
pub(crate) struct Journal([Heard; SLOTS]);

impl Journal {
    pub(crate) fn described(&mut self, place: usize, at: Timestamp, whole: bool, trails: &[Trail]) {
        let trails = trails.to_vec();
        self.0[place]
            .described
            .push(Described { at, whole, trails });
    }

    pub(crate) fn status(&mut self, place: usize, at: Timestamp, arn: &TrailArn, logging: bool) {
        let arn = arn.clone();
        self.0[place].statuses.push(Status { at, arn, logging });
    }

    /// An account that leaves and comes back starts new. What others were judged by stays.
    pub(crate) fn forget(&mut self, place: usize) {
        let heard = &mut self.0[place];
        heard.described.clear();
        heard.before = heard.statuses.len();
    }

    /// Readings of a trail by the account, and by the owner if it is the organization's; with
    /// the place of who read it.
    fn readings<'a>(
        &'a self,
        place: usize,
        trail: &'a Trail,
    ) -> impl Iterator<Item = (usize, &'a Status)> {
        let readers = [
            Some(place),
            Some(OWNER).filter(|o| trail.organization && *o != place),
        ];
        let of = move |reader: usize| {
            let heard = &self.0[reader];
            let before = if reader == place { heard.before } else { 0 };
            heard
                .statuses
                .iter()
                .skip(before)
                .map(move |status| (reader, status))
        };
        let all = readers.into_iter().flatten().flat_map(of);
        all.filter(move |(_, status)| status.arn == trail.arn)
    }

    /// Whether answers that are fresh by both clocks prove compliance. The account is that of
    /// `place`.
    pub(crate) fn proves_compliance(
        &self,
        slot: usize,
        place: usize,
        logging: bool,
        now: Timestamp,
    ) -> bool {
        let fresh = |at: Timestamp, reader: usize| {
            let reader = if reader == slot { place } else { reader };
            is_fresh(at, stale_after(reader), now)
        };
        let passes = |trail: &Trail| {
            let mut readings = self.readings(slot, trail);
            trail.multi_region && (!logging || readings.any(|(by, s)| s.logging && fresh(s.at, by)))
        };
        let described = self.0[slot].described.iter();
        let mut described = described.filter(|d| fresh(d.at, slot));
        described.any(|d| d.trails.iter().any(passes))
    }

    /// Whether some answers ever proved non-compliance.
    pub(crate) fn proved_non_compliance(&self, place: usize, logging: bool) -> bool {
        let fails = |trail: &Trail| {
            !trail.multi_region || (logging && self.readings(place, trail).any(|(_, s)| !s.logging))
        };
        let mut whole = self.0[place].described.iter().filter(|d| d.whole);
        whole.any(|d| d.trails.iter().all(fails))
    }

    /// Whether anything was asked since then that an account may be judged by.
    pub(crate) fn heard_since(&self, place: usize, at: Timestamp) -> bool {
        let since = |heard: &Heard| {
            let described = heard.described.iter().map(|d| d.at);
            let mut dates = described.chain(heard.statuses.iter().map(|s| s.at));
            dates.any(|date| date.boot() >= at.boot())
        };
        since(&self.0[place]) || since(&self.0[OWNER])
    }
}

/// Not too old by either clock. What a wall clock that was set back dates ahead is not old.
fn is_fresh(at: Timestamp, lasts: Duration, now: Timestamp) -> bool {
    let by_boot = now.boot().saturating_sub(at.boot());
    let by_wall = now.wall().duration_since(at.wall());
    let by_wall = by_wall.unwrap_or_default();
    by_boot <= lasts && by_wall <= lasts
}
