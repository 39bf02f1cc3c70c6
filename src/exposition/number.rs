//! Numbers as both formats write them.

use std::time::Duration;

/// The digits of the largest `u64`.
const MOST_DIGITS: usize = 20;

/// Appends an integer. By hand, since the formatting machinery costs as much as the rest of a line.
pub(super) fn push_count(out: &mut String, n: u64) {
    let mut digits = [b'0'; MOST_DIGITS];
    let mut left = n;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
        used += 1;
        if left == 0 {
            break;
        }
    }
    let written = digits.get(MOST_DIGITS - used..).map(str::from_utf8);
    out.push_str(written.and_then(Result::ok).unwrap_or_default());
}

/// Appends seconds to the millisecond, without trailing zeros.
pub(super) fn push_seconds(out: &mut String, span: Duration) {
    push_count(out, span.as_secs());
    let mut thousandths = span.subsec_millis();
    if thousandths > 0 {
        out.push('.');
    }
    while thousandths > 0 {
        out.push(digit(thousandths / 100));
        thousandths = thousandths % 100 * 10;
    }
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

fn digit(d: u32) -> char {
    char::from_digit(d, 10).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(millis: u64) -> String {
        let mut out = String::new();
        push_seconds(&mut out, Duration::from_millis(millis));
        out
    }

    #[test]
    fn seconds_carry_no_digit_that_says_nothing() {
        for (millis, text) in [
            (0, "0"),
            (1, "0.001"),
            (10, "0.01"),
            (100, "0.1"),
            (1_000, "1"),
            (1_050, "1.05"),
            (1_800_000_000_123, "1800000000.123"),
        ] {
            assert_eq!(seconds(millis), text);
        }
    }

    #[test]
    fn integers_are_written_as_they_are() {
        for n in [0, 1, 9, 10, 99, 100, 1_800_000_000, u64::MAX - 1, u64::MAX] {
            let mut out = String::new();
            push_count(&mut out, n);
            assert_eq!(out, n.to_string());
        }
    }

    #[test]
    fn less_than_a_millisecond_is_left_out() {
        let mut out = String::new();
        push_seconds(&mut out, Duration::from_nanos(1_999_999));
        assert_eq!(out, "0.001");
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
