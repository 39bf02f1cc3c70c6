//! Runs rows that have a process each, a few at a time.

use std::panic::catch_unwind;
use std::sync::Mutex;
use std::time::Instant;

use crate::row::{Kind, Selection};

/// A row with a process of its own: panics if it fails.
pub struct Row {
    pub name: &'static str,
    pub kind: Kind,
    pub run: fn(),
}

/// Most of a row is waiting.
const AT_ONCE: usize = 6;

/// Runs the selected rows; fails with the names of all that failed.
pub fn run(rows: &[Row]) {
    let selection = Selection::from_environment();
    let chosen: Vec<_> = rows
        .iter()
        .enumerate()
        .filter(|(place, row)| selection.has(*place, row.name))
        .map(|(_, row)| row)
        .collect();
    eprintln!(
        "{} of {} rows ({})",
        chosen.len(),
        rows.len(),
        selection.shown()
    );
    let next = Mutex::new(chosen.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(row) = next.lock().unwrap().next() else {
                        break;
                    };
                    let began = Instant::now();
                    let ended = catch_unwind(row.run);
                    eprintln!("{:?} {}: {:?}", row.kind, row.name, began.elapsed());
                    if ended.is_err() {
                        failed.lock().unwrap().push(row.name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "failed: {failed:?}");
}
