//! Numbers as both formats write them.

/// Appends a number of thousandths as a decimal without trailing zeros.
pub(super) fn push_thousandths(out: &mut Vec<u8>, thousandths: u64) {
    let whole = thousandths / 1_000;
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    let rest = thousandths % 1_000;
    let digit = |place: u64| b'0' + u8::try_from(rest / place % 10).unwrap_or_default();
    let digits = [b'.', digit(100), digit(10), digit(1)];
    let said = match rest {
        0 => 0,
        _ if rest.is_multiple_of(100) => 2,
        _ if rest.is_multiple_of(10) => 3,
        _ => 4,
    };
    let end = out.len() + said;
    out.extend_from_slice(&digits);
    out.truncate(end);
}

/// A float in the fewest digits that read back as the same.
pub(super) fn float(value: f64) -> String {
    if value.is_finite() {
        return value.to_string();
    }
    infinite(value).to_owned()
}

/// A bucket's bound. OpenMetrics wants it to read as a float; text 0.0.4 has no rule and gets what the Go client writes.
pub(super) fn bound(value: f64, canonical: bool) -> String {
    if canonical && value.is_finite() {
        return format!("{value:?}");
    }
    float(value)
}

fn infinite(value: f64) -> &'static str {
    if value.is_nan() {
        return "NaN";
    }
    if value > 0.0 { "+Inf" } else { "-Inf" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(thousandths: u64) -> String {
        let mut out = Vec::new();
        push_thousandths(&mut out, thousandths);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn decimals_carry_no_digit_that_says_nothing() {
        for (thousandths, text) in [
            (0, "0"),
            (1, "0.001"),
            (10, "0.01"),
            (100, "0.1"),
            (1_000, "1"),
            (1_050, "1.05"),
            (10_000, "10"),
            (1_800_000_000_123, "1800000000.123"),
            (u64::MAX, "18446744073709551.615"),
        ] {
            assert_eq!(decimal(thousandths), text);
        }
    }

    #[test]
    fn floats_read_back_as_the_same() {
        for value in [
            0.0,
            -0.25,
            0.1 + 0.2,
            1e21,
            1e-7,
            f64::MAX,
            f64::MIN_POSITIVE,
        ] {
            assert_eq!(float(value).parse::<f64>(), Ok(value));
        }
        assert_eq!(float(3.0), "3");
        assert_eq!(float(f64::INFINITY), "+Inf");
        assert_eq!(float(f64::NEG_INFINITY), "-Inf");
        assert_eq!(float(f64::NAN), "NaN");
    }

    #[test]
    fn openmetrics_bounds_read_as_floats() {
        assert_eq!(bound(1.0, true), "1.0");
        assert_eq!(bound(1.0, false), "1");
        assert_eq!(bound(0.05, true), "0.05");
        assert_eq!(bound(f64::INFINITY, true), "+Inf");
    }
}
