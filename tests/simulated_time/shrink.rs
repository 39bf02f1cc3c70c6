//! The shortest part of a sequence that still fails: whole stretches are left out first, then
//! single steps.

use crate::step::Step;

pub(crate) fn shortest(steps: &[Step], fails: impl Fn(&[Step]) -> bool) -> Vec<Step> {
    let mut steps = steps.to_vec();
    let mut stretch = steps.len().div_ceil(2);
    while stretch > 0 {
        let shorter = without_one(&steps, stretch, &fails);
        match shorter {
            Some(shorter) => steps = shorter,
            None => stretch /= 2,
        }
    }
    steps
}

/// The steps without a stretch of them that they fail without, too.
fn without_one(
    steps: &[Step],
    stretch: usize,
    fails: &impl Fn(&[Step]) -> bool,
) -> Option<Vec<Step>> {
    let starts = (0..steps.len()).step_by(stretch);
    let mut shorter = starts.map(|start| {
        let end = (start + stretch).min(steps.len());
        [&steps[..start], &steps[end..]].concat()
    });
    shorter.find(|steps| fails(steps))
}

#[test]
fn what_a_failure_does_not_need_is_left_out() {
    let needed = [Step::Policy, Step::Identity];
    let steps: Vec<Step> = (1..20).map(Step::Wait).collect();
    let steps = [&steps[..7], &needed[..1], &steps[7..], &needed[1..]].concat();
    let fails = |steps: &[Step]| needed.iter().all(|needed| steps.contains(needed));
    assert_eq!(shortest(&steps, fails), needed);
}
