//! What the text is laid out for.

/// The page that a text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Columns.
    pub width: usize,
    /// Whether everything is shown, and nothing folded.
    pub detail: bool,
    /// Whether rules are drawn with ASCII alone.
    pub ascii: bool,
}

impl Default for Page {
    /// For a log: 120 columns, folded, with box drawing.
    fn default() -> Self {
        Self {
            width: 120,
            detail: false,
            ascii: false,
        }
    }
}
