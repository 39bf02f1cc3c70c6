//! Labels of any text: both formats can be read again, say the same, and say what was written.

use cloudtrail_exporter::labels::{MAX_VALUE_BYTES, cleaned};

use crate::fixture::{account, answered, families, snapshot, state, trail};
use crate::strict::Family;

const ID: u64 = 210_987_654_321;

/// Lines: the name of the account, its unit, the names of trails, a delivery error and a bucket.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\u{1}');
    let mut next = || lines.next().unwrap_or("x").to_owned();
    let (name, unit, error, bucket) = (next(), next(), next(), next());
    let names: Vec<_> = lines.take(3).map(str::to_owned).collect();
    let mut account = account(ID, &name);
    account.organizational_unit = Some(unit.as_str().into());
    let trails = names.iter().enumerate().map(|(nth, name)| {
        let mut heard = trail(ID, &format!("t{nth}"));
        heard.trail.name = name.as_str().into();
        heard.trail.s3_bucket = Some(bucket.as_str().into());
        if let Ok(status) = &mut heard.status {
            status.deliveries[0].error = Some(error.as_str().into());
        }
        heard
    });
    let trails = trails.collect();
    let found = families(&snapshot([state(account, &[answered(ID, trails)])]));
    assert_eq!(
        values(&found, "cloudtrail_account_info", "account_name"),
        [shown(&name)]
    );
    let unit_values = values(&found, "cloudtrail_account_info", "organizational_unit");
    assert_eq!(unit_values, [shown(&unit)]);
    let mut trail_names = values(&found, "cloudtrail_trail_info", "trail");
    let mut expected: Vec<_> = names.iter().map(|name| shown(name)).collect();
    trail_names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(trail_names, expected);
}

fn values(families: &[Family], family: &str, label: &str) -> Vec<String> {
    let found = families.iter().find(|found| found.name == family);
    let samples = found.map(|found| &found.samples);
    samples
        .into_iter()
        .flatten()
        .map(|sample| sample.label(label).to_owned())
        .collect()
}

/// A value as it is shown: without what would change the text around it, and cut.
fn shown(value: &str) -> String {
    let mut left = MAX_VALUE_BYTES;
    let fits = |c: &char| {
        let fits = c.len_utf8() <= left;
        left = left.saturating_sub(c.len_utf8());
        fits
    };
    value.chars().map(cleaned).take_while(fits).collect()
}
