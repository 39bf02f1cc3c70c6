//! Whether credentials can be sent at all. The SDK panics on some that cannot.

use aws_credential_types::Credentials;

/// What the parts of credentials are called where they come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names([&'static str; 3]);

impl Names {
    pub(super) const ENVIRONMENT: Self = Self([
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ]);
    pub(super) const PROFILE: Self = Self([
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
    ]);
    pub(super) const OTHER: Self = Self([
        "the access key id",
        "the secret access key",
        "the session token",
    ]);
}

/// The credentials, or what is wrong with one part of them. Never the part itself.
pub(super) fn usable(credentials: Credentials, names: Names) -> Result<Credentials, String> {
    let parts = [
        credentials.access_key_id(),
        credentials.secret_access_key(),
        credentials.session_token().unwrap_or_default(),
    ];
    for (name, part) in names.0.into_iter().zip(parts) {
        check(name, part)?;
    }
    Ok(credentials)
}

/// A text that goes into a header or a signature.
pub(super) fn check(name: &str, text: &str) -> Result<(), String> {
    match text.chars().find(|c| c.is_control() || !c.is_ascii()) {
        None => Ok(()),
        Some(c) if c.is_control() => Err(format!(
            "{name} holds a control character ({}); remove it",
            control(c)
        )),
        // Which one is a part of the secret.
        Some(_) => Err(format!(
            "{name} holds a character that is not ASCII; write it as AWS gave it"
        )),
    }
}

fn control(c: char) -> String {
    let name = match c {
        '\n' => "a line feed",
        '\r' => "a carriage return",
        '\t' => "a tab",
        '\0' => "a NUL",
        _ => return format!("U+{:04X}", u32::from(c)),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(id: &str, secret: &str, token: &str) -> Result<(), String> {
        let token = (!token.is_empty()).then(|| token.to_owned());
        let credentials = Credentials::new(id, secret, token, None, "test");
        usable(credentials, Names::ENVIRONMENT).map(|_| ())
    }

    #[test]
    fn each_control_character_in_each_part_is_named_without_the_part() {
        for (c, name) in [
            ('\n', "a line feed"),
            ('\r', "a carriage return"),
            ('\0', "a NUL"),
            ('\t', "a tab"),
            ('\u{1b}', "U+001B"),
            ('\u{7f}', "U+007F"),
            ('\u{85}', "U+0085"),
        ] {
            for text in [format!("AKIA{c}"), format!("{c}AKIA"), format!("AK{c}IA")] {
                for (variable, error) in [
                    ("AWS_ACCESS_KEY_ID", verdict(&text, "s", "t")),
                    ("AWS_SECRET_ACCESS_KEY", verdict("k", &text, "t")),
                    ("AWS_SESSION_TOKEN", verdict("k", "s", &text)),
                ] {
                    let expected =
                        format!("{variable} holds a control character ({name}); remove it");
                    assert_eq!(error, Err(expected));
                }
            }
        }
    }

    #[test]
    fn what_is_not_ascii_is_not_shown() {
        let error = verdict("AKIA", "sécret", "").expect_err("not ASCII");
        assert!(
            error.contains("not ASCII") && !error.contains('é'),
            "{error}"
        );
    }

    #[test]
    fn usual_credentials_are_usable() {
        assert_eq!(
            verdict("AKIAIOSFODNN7EXAMPLE", "wJalr/XUtn+FEMI=", "IQoJ//8="),
            Ok(())
        );
        assert_eq!(verdict("AKIA", "made up", ""), Ok(()));
    }
}
