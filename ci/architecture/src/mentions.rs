//! All paths that a module contains.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ExprPath, ItemUse, Meta, PatIdent, QSelf, TypePath, Visibility};

use crate::path::{KnownAs, Path, leaves, line, text};
use crate::tokens;
use crate::tree::Module;

/// A path, where it stands.
#[derive(Debug)]
pub(crate) struct Mention {
    /// The path.
    pub(crate) path: Path,
    /// The line in the module's file.
    pub(crate) line: usize,
    /// In which way.
    pub(crate) way: Way,
}

/// In which way something is mentioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a path, or by a `use` of it.
    Plainly,
    /// By `{self}` after it, which means a module or a type.
    AsPrefix,
    /// By `!` after it.
    AsMacro,
    /// By a glob, for the module itself.
    Glob,
    /// By a glob, for others.
    GlobForOthers,
}

/// All paths that the module contains, less those of its modules.
pub(crate) fn mentions(module: &Module) -> Vec<Mention> {
    let mut reader = Reader::default();
    for item in &module.items {
        reader.visit_item(item);
    }
    reader.mentions
}

#[derive(Default)]
struct Reader {
    mentions: Vec<Mention>,
    /// The variables of the function that is being read.
    variables: BTreeSet<String>,
}

impl Reader {
    fn add(&mut self, path: Path, line: usize, way: Way) {
        let is_variable = way == Way::Plainly
            && matches!(&path.segments[..], [word] if self.variables.contains(word));
        if !is_variable && !path.segments.is_empty() {
            self.mentions.push(Mention { path, line, way });
        }
    }

    /// The paths among tokens.
    fn tokens(&mut self, tokens: &TokenStream) {
        for found in tokens::paths(tokens.clone()) {
            let way = if found.is_macro {
                Way::AsMacro
            } else {
                Way::Plainly
            };
            self.add(found.path, found.line, way);
        }
    }

    /// The paths in texts among an attribute's tokens, such as `#[serde(with = "crate::time")]`.
    fn texts(&mut self, tokens: &TokenStream) {
        for tree in tokens.clone() {
            match tree {
                TokenTree::Group(group) => self.texts(&group.stream()),
                TokenTree::Literal(literal) => {
                    let line = literal.span().start().line;
                    let text =
                        syn::parse_str(&literal.to_string()).map(|text: syn::LitStr| text.value());
                    let path = text.and_then(|text| syn::parse_str::<syn::Path>(&text));
                    if let Ok(path) = path
                        && path.segments.len() > 1
                    {
                        self.add(Path::of(&path, path.segments.len()), line, Way::Plainly);
                    }
                }
                _ => {}
            }
        }
    }

    /// A path that may be one of `<Type as Trait>::name`, of which the trait is mentioned.
    fn qualified(&mut self, qself: Option<&QSelf>, path: &syn::Path) {
        let Some(qself) = qself else {
            self.visit_path(path);
            return;
        };
        self.visit_qself(qself);
        if let (Some(first), 1..) = (path.segments.first(), qself.position) {
            self.add(
                Path::of(path, qself.position),
                line(&first.ident),
                Way::Plainly,
            );
        }
        visit::visit_path(self, path);
    }

    /// Reads a function: `read` does, and `function` finds its variables.
    fn function(&mut self, read: impl FnOnce(&mut Self), function: impl FnOnce(&mut Variables)) {
        let outer = self.variables.clone();
        let mut variables = Variables(outer.clone());
        function(&mut variables);
        self.variables = variables.0;
        read(self);
        self.variables = outer;
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_private = matches!(item.vis, Visibility::Inherited);
        for leaf in leaves(item) {
            let way = match leaf.known_as {
                KnownAs::Prefix(_) => Way::AsPrefix,
                KnownAs::Themselves if is_private => Way::Glob,
                KnownAs::Themselves => Way::GlobForOthers,
                KnownAs::Name(_) | KnownAs::Nothing => Way::Plainly,
            };
            self.add(leaf.path, leaf.line, way);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            let names = Path::of(path, path.segments.len());
            self.add(names, line(&first.ident), Way::Plainly);
        }
        visit::visit_path(self, path);
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        path.attrs
            .iter()
            .for_each(|attribute| self.visit_attribute(attribute));
        self.qualified(path.qself.as_ref(), &path.path);
    }

    fn visit_type_path(&mut self, path: &'ast TypePath) {
        self.qualified(path.qself.as_ref(), &path.path);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        if is_constant(&pattern.ident) {
            let path = Path::word(text(&pattern.ident));
            self.add(path, line(&pattern.ident), Way::Plainly);
        }
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        if let Some(first) = invocation.path.segments.first() {
            let names = Path::of(&invocation.path, invocation.path.segments.len());
            self.add(names, line(&first.ident), Way::AsMacro);
        }
        self.tokens(&invocation.tokens);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let path = attribute.path();
        let means_nothing_here = ["doc", "path", "cfg"]
            .iter()
            .any(|name| path.is_ident(name));
        if means_nothing_here {
            return;
        }
        if path.segments.len() > 1 {
            self.visit_path(path);
        }
        match &attribute.meta {
            Meta::Path(_) => {}
            Meta::List(list) => {
                self.tokens(&list.tokens);
                self.texts(&list.tokens);
            }
            Meta::NameValue(pair) => self.visit_expr(&pair.value),
        }
    }

    /// Nothing is imported by saying who may see it.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let read = |reader: &mut Self| visit::visit_item_fn(reader, item);
        self.function(read, |variables| variables.visit_item_fn(item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let read = |reader: &mut Self| visit::visit_impl_item_fn(reader, item);
        self.function(read, |variables| variables.visit_impl_item_fn(item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let read = |reader: &mut Self| visit::visit_trait_item_fn(reader, item);
        self.function(read, |variables| variables.visit_trait_item_fn(item));
    }
}

/// Whether a name in a pattern is that of a constant, by its first letter.
fn is_constant(ident: &Ident) -> bool {
    text(ident).starts_with(char::is_uppercase)
}

/// The names that patterns bind.
struct Variables(BTreeSet<String>);

impl<'ast> Visit<'ast> for Variables {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        if !is_constant(&pattern.ident) {
            self.0.insert(text(&pattern.ident));
        }
        visit::visit_pat_ident(self, pattern);
    }
}
