//! A path as it is written, and the paths of a `use` tree.

use proc_macro2::Ident;
use syn::ext::IdentExt as _;
use syn::{ItemUse, UseTree};

/// A path as it is written, less its generic arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Path {
    /// Whether it starts with `::`, and so with the name of a crate.
    pub(crate) is_global: bool,
    /// Its names, `crate`, `self` and `super` among them.
    pub(crate) segments: Vec<String>,
}

impl Path {
    /// A path of one name.
    pub(crate) fn word(name: impl Into<String>) -> Self {
        Self {
            is_global: false,
            segments: vec![name.into()],
        }
    }

    /// The first `count` names of a path.
    pub(crate) fn of(path: &syn::Path, count: usize) -> Self {
        Self {
            is_global: path.leading_colon.is_some(),
            segments: (path.segments.iter().take(count))
                .map(|segment| text(&segment.ident))
                .collect(),
        }
    }

    /// This path with a name more.
    pub(crate) fn with(&self, name: String) -> Self {
        let mut longer = self.clone();
        longer.segments.push(name);
        longer
    }
}

/// A name as others write it: `r#type` and `type` are one.
pub(crate) fn text(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The line of a name.
pub(crate) fn line(ident: &Ident) -> usize {
    ident.span().start().line
}

/// A leaf of a `use` tree.
#[derive(Debug)]
pub(crate) struct Leaf {
    /// What is imported; of a glob, from where.
    pub(crate) path: Path,
    /// By which name it is known here.
    pub(crate) known_as: KnownAs,
    /// Where the leaf stands.
    pub(crate) line: usize,
}

/// By which name an import is known.
#[derive(Debug)]
pub(crate) enum KnownAs {
    /// A name.
    Name(String),
    /// The name of a module or type, imported by `{self}`.
    Prefix(String),
    /// `as _`.
    Nothing,
    /// `*`: by the names that they have.
    Themselves,
}

/// The leaves of a `use` item.
pub(crate) fn leaves(item: &ItemUse) -> Vec<Leaf> {
    let start = Path {
        is_global: item.leading_colon.is_some(),
        segments: Vec::new(),
    };
    let mut leaves = Vec::new();
    collect(&start, &item.tree, &mut leaves);
    leaves
}

fn collect(before: &Path, tree: &UseTree, leaves: &mut Vec<Leaf>) {
    match tree {
        UseTree::Path(path) => collect(&before.with(text(&path.ident)), &path.tree, leaves),
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(before, tree, leaves);
            }
        }
        UseTree::Name(name) => leaves.push(leaf(before, &name.ident, None)),
        UseTree::Rename(name) => leaves.push(leaf(before, &name.ident, Some(&name.rename))),
        UseTree::Glob(glob) => leaves.push(Leaf {
            path: before.clone(),
            known_as: KnownAs::Themselves,
            line: glob.star_token.spans[0].start().line,
        }),
    }
}

fn leaf(before: &Path, ident: &Ident, rename: Option<&Ident>) -> Leaf {
    let is_prefix = ident == "self" && !before.segments.is_empty();
    let path = if is_prefix {
        before.clone()
    } else {
        before.with(text(ident))
    };
    let name = match rename {
        Some(rename) => text(rename),
        None => path.segments.last().cloned().unwrap_or_default(),
    };
    let known_as = match name.as_str() {
        "_" => KnownAs::Nothing,
        _ if is_prefix => KnownAs::Prefix(name),
        _ => KnownAs::Name(name),
    };
    Leaf {
        path,
        known_as,
        line: line(ident),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let item = syn::parse_str(text).unwrap();
        (leaves(&item).into_iter())
            .map(|leaf| format!("{} {:?}", leaf.path.segments.join("::"), leaf.known_as))
            .collect()
    }

    #[test]
    fn a_tree_has_a_leaf_for_each_import() {
        assert_eq!(
            told("use crate::{a::{self, B, c::*}, d as e, f::T as _, r#g};"),
            [
                "crate::a Prefix(\"a\")",
                "crate::a::B Name(\"B\")",
                "crate::a::c Themselves",
                "crate::d Name(\"e\")",
                "crate::f::T Nothing",
                "crate::g Name(\"g\")",
            ]
        );
    }
}
