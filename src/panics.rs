//! Panics are logged like everything else: one line, in the format of the others, without secrets.

use std::any::Any;
use std::panic::PanicHookInfo;

use crate::redaction::redact;

/// The longest message that is logged.
const MAX_CHARS: usize = 400;

/// From now on every panic of any thread is one line of the log, and none is written past it.
pub fn log() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        let at = at.unwrap_or_default();
        tracing::error!(panic = %message(panic), at, "a bug: a task ended in a panic");
    }));
}

fn message(panic: &PanicHookInfo<'_>) -> String {
    one_line(text(panic.payload()))
}

fn text(payload: &dyn Any) -> &str {
    let literal = payload.downcast_ref::<&str>().copied();
    let formatted = || payload.downcast_ref::<String>().map(String::as_str);
    literal.or_else(formatted).unwrap_or("without a message")
}

fn one_line(text: &str) -> String {
    let clean = redact(text);
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    clean.chars().take(MAX_CHARS).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_of_bounded_length_without_secrets() {
        let _held = crate::redaction::register(["secret-of-a-panic"]);
        assert_eq!(one_line("a\nb\tsecret-of-a-panic\u{1b}"), "a b [redacted] ");
        assert_eq!(one_line(&"é".repeat(1_000)).chars().count(), MAX_CHARS);
    }

    #[test]
    fn both_kinds_of_payload_are_read() {
        assert_eq!(text(&"literal"), "literal");
        assert_eq!(text(&"formatted".to_owned()), "formatted");
        assert_eq!(text(&1), "without a message");
    }
}
