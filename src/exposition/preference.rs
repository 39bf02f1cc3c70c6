//! Lists with quality values, as `Accept` and `Accept-Encoding` carry them (RFC 9110, 12.4.2).

/// How much something is wanted. Ordered so that the most specific range decides, and the higher quality between two as specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Preference {
    /// How specific the range is that says so.
    pub(super) specific: u8,
    /// Thousandths; 0 means: not this.
    pub(super) quality: u16,
}

/// The members of a list as they came, each with its quality. Members whose quality cannot be read are left out.
pub(super) fn preferences(header: &str) -> impl Iterator<Item = (&str, u16)> {
    header.split(',').filter_map(|member| {
        let member = member.trim();
        Some((member, quality(member)?))
    })
}

/// The value of a parameter of a member, such as `version` in `text/plain; version=0.0.4`.
pub(super) fn parameter<'a>(member: &'a str, name: &str) -> Option<&'a str> {
    member.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        let named = key.trim().eq_ignore_ascii_case(name);
        named.then(|| value.trim().trim_matches('"'))
    })
}

/// The thousandths of the `q` parameter; 1000 where there is none.
fn quality(member: &str) -> Option<u16> {
    parameter(member, "q").map_or(Some(1000), thousandths)
}

/// `0`, `1`, or either with a dot and up to three decimals.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    if !digits || !matches!(whole, "0" | "1") {
        return None;
    }
    let all = format!("{whole}{decimals:0<3}").parse().ok();
    all.filter(|q| *q <= 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualities_are_read_to_the_thousandth() {
        for (weight, read) in [
            ("1", Some(1000)),
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.5", Some(500)),
            ("0.123", Some(123)),
            ("1.000", Some(1000)),
            ("1.001", None),
            ("0.1234", None),
            ("2", None),
            ("-1", None),
            (".5", None),
            ("0.+1", None),
            ("", None),
        ] {
            assert_eq!(thousandths(weight), read, "{weight}");
        }
    }

    #[test]
    fn a_member_without_quality_is_wanted_fully() {
        let read: Vec<_> = preferences("a, b ; Q=0.5 ,c;q=x,d;x=q").collect();
        assert_eq!(read, [("a", 1000), ("b ; Q=0.5", 500), ("d;x=q", 1000)]);
    }
}
