//! Quoting for a POSIX shell.

use crate::fleet::clean;

/// A value as one word of a command line, whatever stands in it.
pub(crate) fn quoted(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._/:=@,+".contains(&b);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    // A line break or an escape sequence would not leave its quotes, but it would hide what is run.
    let visible = clean(value).replace('\n', "\u{fffd}");
    format!("'{}'", visible.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_stay_as_they_are() {
        let arn = "arn:aws:cloudtrail:us-east-1:012345678901:trail/main";
        assert_eq!(quoted(arn), arn);
    }

    #[test]
    fn nothing_leaves_its_quotes() {
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("$(id); `id`"), "'$(id); `id`'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("a\nb\u{1b}[0m"), "'a\u{fffd}b\u{fffd}[0m'");
    }

    #[test]
    fn a_shell_reads_back_one_word() {
        for value in ["", "a'b", "''", "$HOME", "a\\b", "-x y", "*"] {
            let script = format!("printf %s {}", quoted(value));
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .output();
            assert_eq!(output.expect("a shell").stdout, value.as_bytes(), "{value}");
        }
    }
}
