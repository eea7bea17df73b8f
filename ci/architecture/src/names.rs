//! What a module declares, and what it imports.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{Block, Item, ItemMacro, Visibility};

use crate::path::{KnownAs, Path, leaves, text};
use crate::tokens;
use crate::tree::{Module, Tree};

/// The names of a module.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// What each name means; several things, where a name is that of a function and of a module too.
    pub(crate) by_name: BTreeMap<String, Vec<Name>>,
    /// The globs.
    pub(crate) globs: Vec<Glob>,
    /// Names that a macro seems to define.
    pub(crate) made: BTreeSet<String>,
    /// Names that a macro is given, and may define.
    pub(crate) given_to_macros: BTreeSet<String>,
    /// How many imports there are.
    imports: usize,
}

/// What a name means.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) what: What,
    pub(crate) visible: Visible,
}

/// What is named.
#[derive(Debug)]
pub(crate) enum What {
    /// Something that is defined here.
    Item(Kind),
    /// A macro of `macro_rules!`.
    Macro,
    /// A module in this one.
    Module(usize),
    /// Something that is defined elsewhere.
    Import(Import),
}

/// A kind of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A type, so that names can follow it in a path.
    Type,
    /// A trait.
    Trait,
    /// A function, constant or static, or a macro.
    Value,
}

/// What is imported.
#[derive(Debug)]
pub(crate) struct Import {
    /// The path as it is written.
    pub(crate) path: Path,
    /// Whether functions of that name are not meant.
    pub(crate) only_prefix: bool,
    /// Which of its module's imports and globs it is.
    pub(crate) nth: usize,
}

/// `use path::*`.
#[derive(Debug)]
pub(crate) struct Glob {
    /// Of what.
    pub(crate) path: Path,
    /// Who can use what it brings in.
    pub(crate) visible: Visible,
    /// Which of its module's imports and globs it is.
    pub(crate) nth: usize,
}

/// Who can see a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visible {
    /// Everybody. `pub(in path)` counts as this.
    Everywhere,
    /// Those in a module, deep in it too.
    Within(usize),
    /// Only the very module: the name is declared in one of its functions.
    Local,
}

impl Names {
    /// The names of a module.
    pub(crate) fn of(tree: &Tree, number: usize) -> Self {
        let module = &tree.modules[number];
        let mut reader = Reader {
            module,
            number,
            in_functions: false,
            names: Self::default(),
        };
        for child in &module.children {
            let visible = reader.visible(&child.visibility);
            reader.add(&child.name, What::Module(child.module), visible);
        }
        for item in &module.items {
            reader.visit_item(item);
        }
        reader.names
    }

    /// All names of macros that are for the whole crate.
    pub(crate) fn exported(items: &[Item]) -> impl Iterator<Item = String> {
        items.iter().filter_map(|item| match item {
            Item::Macro(item) => {
                let mut attributes = item.attrs.iter();
                let exports = attributes.any(|attribute| attribute.path().is_ident("macro_export"));
                item.ident.as_ref().filter(|_| exports).map(text)
            }
            _ => None,
        })
    }
}

struct Reader<'a> {
    module: &'a Module,
    number: usize,
    in_functions: bool,
    names: Names,
}

impl Reader<'_> {
    fn visible(&self, visibility: &Visibility) -> Visible {
        if self.in_functions {
            return Visible::Local;
        }
        match visibility {
            Visibility::Inherited => Visible::Within(self.number),
            Visibility::Restricted(within) if within.path.is_ident("self") => {
                Visible::Within(self.number)
            }
            Visibility::Restricted(within) if within.path.is_ident("super") => {
                Visible::Within(self.module.parent.unwrap_or(self.number))
            }
            Visibility::Restricted(within) if within.path.is_ident("crate") => {
                Visible::Within(self.module.root)
            }
            Visibility::Restricted(_) | Visibility::Public(_) => Visible::Everywhere,
        }
    }

    fn add(&mut self, name: &str, what: What, visible: Visible) {
        let names = self.names.by_name.entry(name.to_owned()).or_default();
        names.push(Name { what, visible });
    }

    fn item(&mut self, ident: &Ident, kind: Kind, visibility: &Visibility) {
        let visible = self.visible(visibility);
        self.add(&text(ident), What::Item(kind), visible);
    }

    fn import(&mut self, name: &str, path: Path, only_prefix: bool, visible: Visible) {
        let import = Import {
            path,
            only_prefix,
            nth: self.next(),
        };
        self.add(name, What::Import(import), visible);
    }

    fn next(&mut self) -> usize {
        self.names.imports += 1;
        self.names.imports
    }

    fn macro_item(&mut self, item: &ItemMacro) {
        let tokens = &item.mac.tokens;
        if !self.in_functions {
            self.names.made.extend(tokens::defined(tokens.clone()));
        }
        if let Some(ident) = &item.ident {
            let visible = self.visible(&Visibility::Inherited);
            self.add(&text(ident), What::Macro, visible);
        } else if !self.in_functions {
            let words = tokens::words(tokens.clone());
            self.names.given_to_macros.extend(words);
        }
    }

    fn uses(&mut self, item: &syn::ItemUse) {
        let visible = self.visible(&item.vis);
        for leaf in leaves(item) {
            match leaf.known_as {
                KnownAs::Name(name) => self.import(&name, leaf.path, false, visible),
                KnownAs::Prefix(name) => self.import(&name, leaf.path, true, visible),
                KnownAs::Nothing => {}
                KnownAs::Themselves => {
                    let glob = Glob {
                        path: leaf.path,
                        visible,
                        nth: self.next(),
                    };
                    self.names.globs.push(glob);
                }
            }
        }
    }

    fn extern_crate(&mut self, item: &syn::ItemExternCrate) {
        let known_as = item.rename.as_ref().map_or(&item.ident, |(_, name)| name);
        let is_own = item.ident == "self";
        let mut path = Path::word(if is_own {
            "crate".to_owned()
        } else {
            text(&item.ident)
        });
        path.is_global = !is_own;
        let visible = self.visible(&item.vis);
        self.import(&text(known_as), path, true, visible);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_block(&mut self, block: &'ast Block) {
        let outer = std::mem::replace(&mut self.in_functions, true);
        visit::visit_block(self, block);
        self.in_functions = outer;
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Const(item) => self.item(&item.ident, Kind::Value, &item.vis),
            Item::Static(item) => self.item(&item.ident, Kind::Value, &item.vis),
            Item::Fn(item) => self.item(&item.sig.ident, Kind::Value, &item.vis),
            Item::Enum(item) => self.item(&item.ident, Kind::Type, &item.vis),
            Item::Struct(item) => self.item(&item.ident, Kind::Type, &item.vis),
            Item::Type(item) => self.item(&item.ident, Kind::Type, &item.vis),
            Item::Union(item) => self.item(&item.ident, Kind::Type, &item.vis),
            Item::Trait(item) => self.item(&item.ident, Kind::Trait, &item.vis),
            Item::TraitAlias(item) => self.item(&item.ident, Kind::Trait, &item.vis),
            Item::Macro(item) => self.macro_item(item),
            Item::Use(item) => self.uses(item),
            Item::ExternCrate(item) => self.extern_crate(item),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_foreign_item(&mut self, item: &'ast syn::ForeignItem) {
        match item {
            syn::ForeignItem::Fn(item) => self.item(&item.sig.ident, Kind::Value, &item.vis),
            syn::ForeignItem::Static(item) => self.item(&item.ident, Kind::Value, &item.vis),
            syn::ForeignItem::Type(item) => self.item(&item.ident, Kind::Type, &item.vis),
            _ => {}
        }
    }
}
