//! A text that is never shown.

use std::fmt;
use std::sync::Arc;

use crate::redaction::{Registered, register};

/// A text that no log, error or page may show. While it is held, other texts are redacted of it.
#[derive(Clone)]
pub struct Secret(Arc<Held>);

struct Held {
    text: Box<str>,
    /// Ends the registration with the last copy.
    _registered: Registered,
}

impl Secret {
    /// Hides `text`.
    pub fn new(text: &str) -> Self {
        Self(Arc::new(Held {
            text: text.into(),
            _registered: register([text]),
        }))
    }

    /// The text itself, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0.text
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
