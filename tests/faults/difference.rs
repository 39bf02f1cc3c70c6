//! The exact difference between two scrapes, in lines: what appears (`+`), vanishes (`-`) and
//! changes (`~`).
//!
//! Values that change by themselves are replaced by `*`: times, ages, durations. Of the exporter's
//! own series counters
//! and what the process itself uses are left out.

use std::collections::BTreeMap;

use crate::harness::Samples;

/// Series by name and labels, with their values; both as text.
pub type Series = BTreeMap<String, String>;

type Labels = BTreeMap<String, String>;

/// The series of one account, without the labels that say whose they are. `cloudtrail_` is left out
/// of the names.
pub fn of_account(samples: &Samples, name: &str, id: &str) -> Series {
    let own = |labels: &Labels| labels.get("account_name").is_some_and(|n| n == name);
    let all = samples.0.iter().filter(|(_, labels, _)| own(labels));
    all.map(|(family, labels, value)| {
        let mut labels = shortened(labels, id);
        labels.retain(|key, value| key != "account_name" && !(key == "account_id" && value == id));
        (key(family, &labels), shown(family, *value))
    })
    .collect()
}

/// The exporter's own gauges.
pub fn of_exporter(samples: &Samples) -> Series {
    let own = samples.0.iter().filter(|(family, labels, _)| {
        family.starts_with("cloudtrail_exporter_")
            && !labels.contains_key("account_name")
            && !is_left_out(family)
    });
    own.map(|(family, labels, value)| (key(family, labels), shown(family, *value)))
        .collect()
}

fn is_left_out(family: &str) -> bool {
    const ENDS: [&str; 6] = [
        "_total",
        "_bucket",
        "_sum",
        "_count",
        "_in_flight",
        "_skew_seconds",
    ];
    ENDS.iter().any(|end| family.ends_with(end))
}

/// The lines that turn `before` into `after`, sorted.
pub fn difference(before: &Series, after: &Series) -> Vec<String> {
    let mut lines = Vec::new();
    for (series, old) in before {
        match after.get(series) {
            None => lines.push(format!("- {series} {old}")),
            Some(new) if new != old => lines.push(format!("~ {series} {old} -> {new}")),
            Some(_) => {}
        }
    }
    let new = after
        .iter()
        .filter(|(series, _)| !before.contains_key(*series));
    lines.extend(new.map(|(series, value)| format!("+ {series} {value}")));
    lines.sort();
    lines
}

/// The account's own id is `ID`. A trail is named by its ARN without what all ARNs of the account
/// share; its own name and its home Region repeat it.
fn shortened(labels: &Labels, id: &str) -> Labels {
    let mut labels = labels.clone();
    for (key, value) in &mut labels {
        if key != "account_id" && key != "account_name" && !id.is_empty() {
            *value = value.replace(id, "ID");
        }
    }
    let Some(arn) = labels.remove("trail_arn") else {
        return labels;
    };
    let arn = arn
        .replace("arn:aws:cloudtrail:", "")
        .replace(":ID:trail/", "/");
    if let (Some(region), Some(name)) = (labels.get("home_region"), labels.get("trail"))
        && arn.starts_with(region.as_str())
        && arn.ends_with(name.as_str())
    {
        labels.remove("home_region");
    }
    labels.insert("trail".to_owned(), arn);
    labels
}

fn key(family: &str, labels: &Labels) -> String {
    let name = family.strip_prefix("cloudtrail_").unwrap_or(family);
    if labels.is_empty() {
        return name.to_owned();
    }
    let pairs: Vec<_> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{name}{{{}}}", pairs.join(","))
}

fn shown(family: &str, value: f64) -> String {
    const VOLATILE: [&str; 3] = ["timestamp_seconds", "age_seconds", "duration_seconds"];
    if VOLATILE.iter().any(|end| family.ends_with(end)) {
        return "*".to_owned();
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
cloudtrail_account_up{account_id=\"111111111111\",account_name=\"a\"} 1
cloudtrail_account_up{account_id=\"2\",account_name=\"b\"} 0
cloudtrail_trail_logging{account_id=\"111111111111\",account_name=\"a\",\
trail_arn=\"arn:aws:cloudtrail:us-east-1:111111111111:trail/main\",\
trail=\"main\",home_region=\"us-east-1\"} 1
cloudtrail_account_last_poll_timestamp_seconds{account_id=\"111111111111\",account_name=\"a\"} 17.5
cloudtrail_exporter_ready 1
cloudtrail_exporter_polls_total 7
process_open_fds 9
";

    #[test]
    fn an_accounts_series_are_short_and_its_times_are_stars() {
        let series = of_account(&Samples::parse(TEXT), "a", "111111111111");
        let shown: Vec<_> = series.iter().map(|(k, v)| format!("{k} {v}")).collect();
        let expected = [
            "account_last_poll_timestamp_seconds *",
            "account_up 1",
            "trail_logging{trail=us-east-1/main} 1",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn another_id_than_expected_is_shown() {
        let series = of_account(&Samples::parse(TEXT), "a", "999999999999");
        assert!(
            series.contains_key("account_up{account_id=111111111111}"),
            "{series:?}"
        );
    }

    #[test]
    fn of_the_exporter_itself_gauges_count() {
        let series = of_exporter(&Samples::parse(TEXT));
        let keys: Vec<_> = series.keys().collect();
        assert_eq!(keys, ["exporter_ready"]);
    }

    #[test]
    fn a_difference_has_a_line_for_all_that_appears_vanishes_and_changes() {
        let series = |pairs: &[(&str, &str)]| -> Series {
            let own = pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            own.collect()
        };
        let before = series(&[("gone", "1"), ("same", "1"), ("turns", "1")]);
        let after = series(&[("comes", "1"), ("same", "1"), ("turns", "0")]);
        let lines = ["+ comes 1", "- gone 1", "~ turns 1 -> 0"];
        assert_eq!(difference(&before, &after), lines);
        assert!(difference(&before, &before).is_empty());
    }
}
