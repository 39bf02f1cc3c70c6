//! A parser of both formats that takes nothing but what the formats and the contract allow, written from their specifications.

use std::collections::BTreeSet;

/// One sample line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

impl Sample {
    /// The value of a label; panics where there is none.
    pub(crate) fn label(&self, name: &str) -> &str {
        let found = self.labels.iter().find(|(n, _)| n == name);
        &found.unwrap_or_else(|| panic!("no {name} in {self:?}")).1
    }
}

/// A family with its samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) unit: Option<String>,
    pub(crate) help: String,
    pub(crate) samples: Vec<Sample>,
}

/// Parses a whole scrape in text 0.0.4.
pub(crate) fn text(scrape: &str) -> Result<Vec<Family>, String> {
    families(scrape, &["HELP", "TYPE"])
}

/// Parses a whole scrape in OpenMetrics 1.0.
pub(crate) fn open_metrics(scrape: &str) -> Result<Vec<Family>, String> {
    let body = scrape.strip_suffix("# EOF\n").ok_or("no EOF at the end")?;
    families(body, &["TYPE", "UNIT", "HELP"])
}

fn families(scrape: &str, order: &[&str]) -> Result<Vec<Family>, String> {
    let mut all: Vec<Family> = Vec::new();
    let mut seen = BTreeSet::new();
    let body = scrape.strip_suffix('\n').ok_or("no newline at the end")?;
    for line in body.split('\n') {
        if let Some(meta) = line.strip_prefix("# ") {
            metadata(&mut all, meta, order)?;
            continue;
        }
        let sample = sample(line)?;
        let family = all.last_mut().ok_or("a sample before any family")?;
        belongs(family, &sample, order.contains(&"UNIT"))?;
        let series = format!("{} {:?}", sample.name, sorted(&sample.labels)?);
        if !seen.insert(series) {
            return Err(format!("twice: {line}"));
        }
        family.samples.push(sample);
    }
    for family in &all {
        complete(family)?;
    }
    distinct(&all)?;
    Ok(all)
}

fn metadata(all: &mut Vec<Family>, meta: &str, order: &[&str]) -> Result<(), String> {
    let wrong = || format!("metadata: {meta:?}");
    let (word, rest) = meta.split_once(' ').ok_or_else(wrong)?;
    let (name, said) = rest.split_once(' ').ok_or_else(wrong)?;
    if !order.contains(&word) || said.is_empty() || !is_name(name) {
        return Err(wrong());
    }
    if order.first() == Some(&word) {
        let name = name.to_owned();
        all.push(Family {
            name,
            ..Family::default()
        });
    }
    let family = all.last_mut().ok_or_else(wrong)?;
    if family.name != name || !family.samples.is_empty() {
        return Err(format!("not one block: {meta:?}"));
    }
    match word {
        "HELP" if family.help.is_empty() => said.clone_into(&mut family.help),
        "TYPE" if family.kind.is_empty() => said.clone_into(&mut family.kind),
        "UNIT" if family.unit.is_none() => family.unit = Some(said.to_owned()),
        _ => return Err(format!("said twice: {meta:?}")),
    }
    Ok(())
}

fn complete(family: &Family) -> Result<(), String> {
    let unit_fits = |u: &String| family.name.ends_with(&format!("_{u}"));
    let known = ["gauge", "counter", "histogram"].contains(&family.kind.as_str());
    let plain = !family.help.contains(['\\', '"']);
    if known && plain && !family.help.is_empty() && family.unit.as_ref().is_none_or(unit_fits) {
        return Ok(());
    }
    Err(format!(
        "incomplete: {} {} {:?}",
        family.name, family.kind, family.help
    ))
}

fn distinct(all: &[Family]) -> Result<(), String> {
    let names: BTreeSet<_> = all.iter().map(|f| &f.name).collect();
    if names.len() == all.len() {
        return Ok(());
    }
    Err("a family in two places".to_owned())
}

fn belongs(family: &Family, sample: &Sample, open_metrics: bool) -> Result<(), String> {
    let suffix = sample.name.strip_prefix(&family.name);
    let fits = match (family.kind.as_str(), suffix) {
        ("gauge", Some("")) | ("histogram", Some("_sum" | "_count")) => true,
        ("counter", Some("_total")) => open_metrics,
        ("counter", Some("")) => !open_metrics,
        ("histogram", Some("_bucket")) => sample.labels.last().is_some_and(|l| l.0 == "le"),
        _ => false,
    };
    let signed = family.name == "cloudtrail_exporter_clock_skew_seconds";
    if fits && !sample.value.is_nan() && (signed || sample.value >= 0.0) {
        return Ok(());
    }
    Err(format!("{sample:?} in {}", family.name))
}

fn sorted(labels: &[(String, String)]) -> Result<Vec<&(String, String)>, String> {
    let mut sorted: Vec<_> = labels.iter().collect();
    sorted.sort();
    let twice = sorted.windows(2).any(|pair| pair[0].0 == pair[1].0);
    if twice {
        return Err(format!("a label twice: {labels:?}"));
    }
    Ok(sorted)
}

fn sample(line: &str) -> Result<Sample, String> {
    let end = line
        .find(['{', ' '])
        .ok_or_else(|| format!("sample: {line:?}"))?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        (labels, rest) = pairs(inside)?;
    }
    let value = rest
        .strip_prefix(' ')
        .ok_or_else(|| format!("no value: {line:?}"))?;
    if !is_name(name) || line.chars().any(char::is_control) {
        return Err(format!("sample: {line:?}"));
    }
    Ok(Sample {
        name: name.to_owned(),
        labels,
        value: number(value)?,
    })
}

type Pairs = Vec<(String, String)>;

fn pairs(mut rest: &str) -> Result<(Pairs, &str), String> {
    let mut labels = Vec::new();
    loop {
        let (name, after) = rest
            .split_once("=\"")
            .ok_or_else(|| format!("pairs: {rest:?}"))?;
        if !is_name(name) || name.contains(':') {
            return Err(format!("label name: {name:?}"));
        }
        let (value, after) = quoted(after)?;
        labels.push((name.to_owned(), value));
        if let Some(end) = after.strip_prefix('}') {
            return Ok((labels, end));
        }
        rest = after
            .strip_prefix(',')
            .ok_or_else(|| format!("pairs: {after:?}"))?;
    }
}

/// The text up to the closing quote, unescaped, and what follows the quote.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, '\\')) => value.push('\\'),
                Some((_, '"')) => value.push('"'),
                Some((_, 'n')) => value.push('\n'),
                other => return Err(format!("escape: {other:?}")),
            },
            plain => value.push(plain),
        }
    }
    Err(format!("no closing quote: {text:?}"))
}

fn number(text: &str) -> Result<f64, String> {
    let shape = |c: char| c.is_ascii_digit() || "+-.e".contains(c);
    if text.is_empty() || !text.chars().all(shape) {
        return Err(format!("value: {text:?}"));
    }
    text.parse().map_err(|_| format!("value: {text:?}"))
}

fn is_name(text: &str) -> bool {
    let first = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

#[test]
fn the_parser_refuses_what_the_formats_do_not_allow() {
    let head = "# HELP a b\n# TYPE a gauge\n";
    for body in [
        "a{x=\"1\"} 1",
        "a{x=\"1\"} 1\na{x=\"1\"} 0\n",
        "a{x=\"\\t\"} 1\n",
        "a{x=\"1\"} NaN\n",
        "a{x=\"1\"} 1 1800000000000\n",
        "a{x=\"1\",x=\"2\"} 1\n",
        "a{x=\"1\",} 1\n",
        "a{} 1\n",
        "a{x=\"\r\"} 1\n",
        "up 0\n",
        "a -1\n",
        "\n",
        "# HELP a b\n",
    ] {
        assert!(text(&format!("{head}{body}")).is_err(), "{body:?}");
    }
    assert!(text(&format!("{head}a{{x=\"1\"}} 1\na 0.5\n")).is_ok());
}
