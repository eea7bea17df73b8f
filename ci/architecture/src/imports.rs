//! Who imports whom.

use std::collections::BTreeMap;

use crate::mentions::{Mention, Way, mentions};
use crate::names::Kind;
use crate::resolve::{Item, Resolver, Target, is_prefix};
use crate::tree::Tree;

/// A file imports an item of another one. Files are numbers of [`Tree::files`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The file that imports.
    pub from: usize,
    /// The first line that does.
    pub line: usize,
    /// The item's name.
    pub item: String,
    /// The file that defines the item.
    pub to: usize,
}

/// All imports between files of a package, sorted. Each item that a file imports is named once.
pub fn imports(tree: &Tree) -> Vec<Import> {
    let resolver = Resolver::new(tree);
    let mut first_lines = BTreeMap::new();
    for (number, module) in tree.modules.iter().enumerate() {
        for mention in mentions(module) {
            for item in items(&resolver, number, &mention) {
                if item.file == module.file {
                    continue;
                }
                let key = (module.file, item.file, item.name);
                let first = first_lines.entry(key).or_insert(mention.line);
                *first = mention.line.min(*first);
            }
        }
    }
    let mut imports: Vec<_> = (first_lines.into_iter())
        .map(|((from, to, item), line)| Import {
            from,
            line,
            item,
            to,
        })
        .collect();
    imports.sort();
    imports
}

/// The arrows of the graph of files: from who imports to what is imported.
pub fn arrows(imports: &[Import]) -> impl Iterator<Item = (usize, usize)> {
    imports.iter().map(|import| (import.from, import.to))
}

/// The items that are imported by a mention in a module.
fn items(resolver: &Resolver<'_>, module: usize, mention: &Mention) -> Vec<Item> {
    if let (Way::AsMacro, [name]) = (mention.way, &mention.path.segments[..])
        && let Some(item) = resolver.textual_macro(module, name)
    {
        return vec![item];
    }
    let mut targets = resolver.follow(module, &mention.path);
    if mention.way == Way::AsPrefix {
        targets.retain(is_prefix);
    }
    let mut items = Vec::new();
    for target in targets {
        match target {
            Target::Item(item) => items.push(item),
            Target::Module(inner) => items.extend(brought_in(resolver, module, inner, mention.way)),
            Target::Foreign => {}
        }
    }
    items
}

/// What is imported by a glob of `inner` alone: for others, all of it; otherwise, the traits. The rest is imported where
/// it is named.
fn brought_in(resolver: &Resolver<'_>, module: usize, inner: usize, way: Way) -> Vec<Item> {
    let mut items = match way {
        Way::Glob | Way::GlobForOthers => resolver.all_of(inner, module),
        Way::Plainly | Way::AsPrefix | Way::AsMacro => Vec::new(),
    };
    if way == Way::Glob {
        items.retain(|item| item.kind == Kind::Trait);
    }
    items
}
