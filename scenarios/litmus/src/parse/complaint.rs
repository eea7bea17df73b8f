//! What chumsky says of an error, in our words.

use crate::error::{Checked, Complaint, Span};
use crate::lex::Token;
use chumsky::error::{RichPattern, RichReason};
use chumsky::prelude::*;
use std::collections::BTreeSet;

/// What a rule yielded, or the first of its errors.
pub(super) fn finish<T>(result: ParseResult<T, Rich<'_, Token<'_>>>) -> Checked<T> {
    result.into_result().map_err(|errors| complaint(&errors[0]))
}

/// chumsky's error in our words.
fn complaint(error: &Rich<'_, Token<'_>>) -> Complaint {
    let span = Span::from(*error.span());
    match error.reason() {
        RichReason::Custom(what) => Complaint::Unsupported(what.clone(), span),
        RichReason::ExpectedFound { expected, found } => {
            let expected: BTreeSet<String> = expected.iter().filter_map(pattern).collect();
            Complaint::Syntax {
                expected: listed(&expected),
                found: found
                    .as_ref()
                    .map_or("the end of the file".to_owned(), |token| token.to_string()),
                span,
            }
        }
    }
}

/// One of the things that could have stood there, if it has a name.
fn pattern(pattern: &RichPattern<'_, Token<'_>>) -> Option<String> {
    match pattern {
        RichPattern::Token(token) => Some(token.to_string()),
        RichPattern::Label(label) => Some(label.to_string()),
        RichPattern::Identifier(word) => Some(format!("`{word}`")),
        RichPattern::EndOfInput => Some("the end of the file".to_owned()),
        _ => None,
    }
}

/// `a, b or c`.
fn listed(items: &BTreeSet<String>) -> String {
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    match items.split_last() {
        None => "something else".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
