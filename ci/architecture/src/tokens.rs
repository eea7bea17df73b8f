//! The paths in what a macro is given.
//!
//! The macro may do with its tokens what it likes. So this is a guess, and a good one: names that `::` joins are a path,
//! a name before `!` is a macro, and any other name may be the name of an item.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::path::{Path, line, text};

/// What names something among tokens.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The path.
    pub(crate) path: Path,
    /// Where it stands.
    pub(crate) line: usize,
    /// Whether it names a macro.
    pub(crate) is_macro: bool,
}

/// All paths among tokens, in groups of them too.
pub(crate) fn paths(tokens: TokenStream) -> Vec<Found> {
    let trees: Vec<_> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < trees.len() {
        at = match &trees[at] {
            TokenTree::Group(group) => {
                found.extend(paths(group.stream()));
                at + 1
            }
            TokenTree::Ident(_) if starts_a_path(&trees, at) => path(&trees, at, &mut found),
            _ => at + 1,
        };
    }
    found
}

/// All names among tokens that stand where items are defined: those after `struct`, `fn` and the like.
pub(crate) fn defined(tokens: TokenStream) -> Vec<String> {
    let trees: Vec<_> = tokens.into_iter().collect();
    let mut names = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        match (tree, trees.get(at + 1)) {
            (TokenTree::Group(group), _) => names.extend(defined(group.stream())),
            (TokenTree::Ident(word), Some(TokenTree::Ident(name)))
                if defines(&word.to_string()) =>
            {
                names.push(text(name));
            }
            _ => {}
        }
    }
    names
}

/// All names among tokens.
pub(crate) fn words(tokens: TokenStream) -> Vec<String> {
    let words = tokens.into_iter().map(|tree| match tree {
        TokenTree::Group(group) => words(group.stream()),
        TokenTree::Ident(ident) => vec![text(&ident)],
        _ => Vec::new(),
    });
    words.flatten().collect()
}

fn defines(word: &str) -> bool {
    let words = [
        "struct", "enum", "union", "trait", "type", "fn", "const", "static", "mod",
    ];
    words.contains(&word)
}

fn is_punct(trees: &[TokenTree], at: usize, sign: char) -> bool {
    matches!(trees.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

/// Whether `::` stands at a place.
fn is_joint(trees: &[TokenTree], at: usize) -> bool {
    let first = matches!(
        trees.get(at),
        Some(TokenTree::Punct(punct)) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint
    );
    first && is_punct(trees, at + 1, ':')
}

/// Whether the name at a place can be a path's first: it is no field, method, lifetime or macro variable, and no path
/// goes on with it.
fn starts_a_path(trees: &[TokenTree], at: usize) -> bool {
    let before = |sign| at >= 1 && is_punct(trees, at - 1, sign);
    let is_range = at >= 2 && is_punct(trees, at - 2, '.');
    let is_member = before('.') && !is_range;
    let is_crate = matches!(&trees[at], TokenTree::Ident(ident) if ident == "crate");
    let is_variable = before('$') && !is_crate;
    let goes_on = at >= 3
        && is_joint(trees, at - 2)
        && match &trees[at - 3] {
            TokenTree::Punct(punct) => punct.as_char() == '>',
            TokenTree::Ident(_) | TokenTree::Group(_) => true,
            TokenTree::Literal(_) => false,
        };
    !is_member && !before('\'') && !is_variable && !goes_on
}

/// Takes the path that starts at a place, and says where it ends.
fn path(trees: &[TokenTree], at: usize, found: &mut Vec<Found>) -> usize {
    let TokenTree::Ident(first) = &trees[at] else {
        return at + 1;
    };
    let mut path = Path::word(text(first));
    path.is_global = at >= 2 && is_joint(trees, at - 2);
    let mut end = at + 1;
    while is_joint(trees, end) {
        match trees.get(end + 2) {
            Some(TokenTree::Ident(name)) => path = path.with(text(name)),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                found.extend(group_of_imports(&path, group.stream()));
                return end + 3;
            }
            _ => break,
        }
        end += 3;
    }
    let is_word = path.segments.len() == 1;
    let names_a_field = is_word && is_punct(trees, end, ':') && !is_joint(trees, end);
    if !names_a_field {
        found.push(Found {
            path,
            line: line(first),
            is_macro: is_punct(trees, end, '!') && !is_punct(trees, end + 1, '='),
        });
    }
    end
}

/// The paths of `before::{..}`, in a `use` that a macro is given.
fn group_of_imports(before: &Path, group: TokenStream) -> Vec<Found> {
    let is_as = |tree: &TokenTree| matches!(tree, TokenTree::Ident(word) if word == "as");
    let mut follows_as = false;
    let without_renames = group.into_iter().filter(|tree| {
        let stays = !is_as(tree) && !follows_as;
        follows_as = is_as(tree);
        stays
    });
    let mut found = paths(without_renames.collect());
    for one in &mut found {
        let behind = std::mem::replace(&mut one.path, before.clone());
        one.path.segments.extend(behind.segments);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        (paths(text.parse().unwrap()).into_iter())
            .map(|found| {
                let start = if found.path.is_global { "::" } else { "" };
                let end = if found.is_macro { "!" } else { "" };
                format!("{start}{}{end}", found.path.segments.join("::"))
            })
            .collect()
    }

    #[test]
    fn names_joined_by_colons_are_a_path() {
        assert_eq!(told("crate::a::B::new(c::d)"), ["crate::a::B::new", "c::d"]);
        assert_eq!(
            told("[::e::f, g!(H), i != j]"),
            ["::e::f", "g!", "H", "i", "j"]
        );
        assert_eq!(
            told("$crate::k; $l::m; 'n: o.p.q::<R>()"),
            ["crate::k", "o", "R"]
        );
        assert_eq!(told("0..s::T; U { v: w }"), ["s::T", "U", "w"]);
        assert_eq!(told("<X as y::Z>::z"), ["X", "as", "y::Z"]);
    }

    #[test]
    fn a_use_among_tokens_has_its_paths() {
        let expected = ["use", "a::b", "a::c::d", "a::c::self"];
        assert_eq!(told("use a::{b as e, c::{d, self}};"), expected);
    }

    #[test]
    fn items_are_defined_after_their_keyword() {
        let text = "pub struct A: u8 { const B = 1; } fn c() {}";
        assert_eq!(defined(text.parse().unwrap()), ["A", "B", "c"]);
    }
}
