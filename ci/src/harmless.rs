//! Text that cannot steer a terminal.

use std::borrow::Cow;

/// A text in which what could steer a terminal is written out. Names in a token are anybody's.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n';
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let written = text.chars().flat_map(|c| {
        let out = if steers(c) {
            c.escape_default().collect()
        } else {
            vec![c]
        };
        out.into_iter()
    });
    Cow::Owned(written.collect())
}
