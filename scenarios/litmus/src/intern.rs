//! Names that live as long as the process.
//!
//! The facade's names and labels are `&'static str`, so that nothing allocates while an engine
//! explores. A litmus test's names come from a file: each distinct one is kept once, for good. That is
//! a leak bounded by the names of all files ever read, and it happens only while a file is read.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

static NAMES: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// `text`, kept for good.
pub(crate) fn intern(text: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&known) = names.get(text) {
        return known;
    }
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    names.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::intern;

    #[test]
    fn a_name_is_kept_once() {
        let first = intern("gup-litmus-name");
        let second = intern(&String::from("gup-litmus-name"));
        assert!(std::ptr::eq(first, second));
    }
}
