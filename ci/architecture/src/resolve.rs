//! Where a path leads.

use crate::names::{Import, Kind, Name, Names, Visible, What};
use crate::path::Path;
use crate::tree::Tree;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A module of the package.
    Module(usize),
    /// An item of the package.
    Item(Item),
    /// Something of another crate.
    Foreign,
}

/// An item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Its name.
    pub(crate) name: String,
    /// The file that defines it.
    pub(crate) file: usize,
    /// What it is.
    pub(crate) kind: Kind,
}

/// Follows paths.
pub(crate) struct Resolver<'a> {
    tree: &'a Tree,
    names: Vec<Names>,
    /// Macros for everybody, by crate and name, and the file of each.
    exported: Vec<(usize, String, usize)>,
}

/// Imports and globs that are being followed: each by its module and its number there.
type Trail = Vec<(usize, usize)>;

impl<'a> Resolver<'a> {
    /// One that knows all modules of a package.
    pub(crate) fn new(tree: &'a Tree) -> Self {
        let modules = tree.modules.iter();
        Self {
            tree,
            names: (0..tree.modules.len())
                .map(|module| Names::of(tree, module))
                .collect(),
            exported: modules
                .flat_map(|module| {
                    Names::exported(&module.items).map(|name| (module.root, name, module.file))
                })
                .collect(),
        }
    }

    /// All that a path in a module leads to.
    pub(crate) fn follow(&self, module: usize, path: &Path) -> Vec<Target> {
        self.path(module, path, &mut Trail::new())
    }

    /// The macro that `name!` means in a module, if it is one of the package.
    pub(crate) fn textual_macro(&self, module: usize, name: &str) -> Option<Item> {
        let around = self.tree.outward(module).flat_map(|module| {
            let children = self.tree.modules[module].children.iter();
            let sharing = children.filter(|child| child.shares_macros);
            std::iter::once(module).chain(sharing.map(|child| child.module))
        });
        let is_macro = |name: &Name| matches!(name.what, What::Macro);
        around
            .filter(|&module| {
                let names = self.names[module].by_name.get(name);
                names.is_some_and(|names| names.iter().any(is_macro))
            })
            .map(|module| self.item(module, name, Kind::Value))
            .next()
    }

    /// All that a glob of `inner` brings into `module`.
    pub(crate) fn all_of(&self, inner: usize, module: usize) -> Vec<Item> {
        let mut names = Vec::new();
        self.all_names(inner, &mut names, &mut Trail::new());
        names.sort_unstable();
        names.dedup();
        (names.iter())
            .flat_map(|name| self.lookup(inner, name, module, &mut Trail::new()))
            .filter_map(|target| match target {
                Target::Item(item) => Some(item),
                Target::Module(_) | Target::Foreign => None,
            })
            .collect()
    }

    fn all_names(&self, module: usize, all: &mut Vec<String>, trail: &mut Trail) {
        let names = &self.names[module];
        all.extend(names.by_name.keys().chain(&names.made).cloned());
        for glob in &names.globs {
            if enter(trail, module, glob.nth) {
                for target in self.path(module, &glob.path, trail) {
                    if let Target::Module(inner) = target {
                        self.all_names(inner, all, trail);
                    }
                }
                trail.pop();
            }
        }
    }

    fn item(&self, module: usize, name: &str, kind: Kind) -> Item {
        Item {
            name: name.to_owned(),
            file: self.tree.modules[module].file,
            kind,
        }
    }

    fn sees(&self, from: usize, module: usize, visible: Visible) -> bool {
        match visible {
            Visible::Everywhere => true,
            Visible::Within(outer) => self.tree.is_within(from, outer),
            Visible::Local => from == module,
        }
    }

    /// All that a path in a module leads to.
    fn path(&self, module: usize, path: &Path, trail: &mut Trail) -> Vec<Target> {
        let Some((first, rest)) = path.segments.split_first() else {
            return Vec::new();
        };
        let mut at = self.start(module, path.is_global, first, trail);
        for name in rest {
            at = match prefix(at) {
                Some(Target::Module(inner)) => self.step(inner, name, module, trail),
                Some(other) => vec![other],
                None => return Vec::new(),
            };
        }
        at
    }

    /// What a path's first name means in a module.
    fn start(&self, module: usize, is_global: bool, name: &str, trail: &mut Trail) -> Vec<Target> {
        let here = &self.tree.modules[module];
        match name {
            "crate" => return vec![Target::Module(here.root)],
            "self" => return vec![Target::Module(module)],
            "super" => return here.parent.map(Target::Module).into_iter().collect(),
            _ => {}
        }
        if !is_global {
            let found = self.lookup(module, name, module, trail);
            if found.iter().any(|target| *target != Target::Foreign) {
                return found;
            }
        }
        match &self.tree.library {
            Some((library, root)) if library == name => vec![Target::Module(*root)],
            _ => vec![Target::Foreign],
        }
    }

    /// What a name means after a path that leads to a module, seen from another. A name that nobody declares is one that
    /// a macro makes, in the module's own file.
    fn step(&self, inner: usize, name: &str, from: usize, trail: &mut Trail) -> Vec<Target> {
        let module = &self.tree.modules[inner];
        match name {
            "self" => return vec![Target::Module(inner)],
            "super" => return module.parent.map(Target::Module).into_iter().collect(),
            _ => {}
        }
        let found = self.lookup(inner, name, from, trail);
        let is_known = found.iter().any(|target| *target != Target::Foreign);
        if is_known {
            return found;
        }
        if self.names[inner].given_to_macros.contains(name) {
            return vec![Target::Item(self.item(inner, name, Kind::Type))];
        }
        let mut exported = self.exported.iter();
        if let Some(&(_, _, file)) =
            exported.find(|(root, exported, _)| *root == inner && exported == name)
        {
            let kind = Kind::Value;
            let name = name.to_owned();
            return vec![Target::Item(Item { name, file, kind })];
        }
        if found.is_empty() && !self.is_being_followed(inner, name, trail) {
            return vec![Target::Item(self.item(inner, name, Kind::Type))];
        }
        found
    }

    /// Whether a module's name has no meaning only because it is being looked for.
    fn is_being_followed(&self, module: usize, name: &str, trail: &Trail) -> bool {
        let names = self.names[module].by_name.get(name);
        names.into_iter().flatten().any(|name| match &name.what {
            What::Import(import) => trail.contains(&(module, import.nth)),
            _ => false,
        })
    }

    /// What a module's name means to another module, globs included.
    fn lookup(&self, module: usize, name: &str, from: usize, trail: &mut Trail) -> Vec<Target> {
        let names = &self.names[module];
        let mut found = Vec::new();
        for one in names.by_name.get(name).into_iter().flatten() {
            if !self.sees(from, module, one.visible) {
                continue;
            }
            match &one.what {
                What::Item(kind) => found.push(Target::Item(self.item(module, name, *kind))),
                What::Macro => found.push(Target::Item(self.item(module, name, Kind::Value))),
                What::Module(inner) => found.push(Target::Module(*inner)),
                What::Import(import) => found.extend(self.import(module, import, trail)),
            }
        }
        if found.is_empty() && names.made.contains(name) {
            found.push(Target::Item(self.item(module, name, Kind::Type)));
        }
        if found.is_empty() {
            found = self.through_globs(module, name, from, trail);
        }
        found
    }

    fn import(&self, module: usize, import: &Import, trail: &mut Trail) -> Vec<Target> {
        if !enter(trail, module, import.nth) {
            return Vec::new();
        }
        let mut targets = self.path(module, &import.path, trail);
        trail.pop();
        if import.only_prefix {
            targets.retain(is_prefix);
        }
        targets
    }

    /// What a name means that a module's globs bring in. Foreign, if no glob of the package does but one of a foreign
    /// crate may.
    fn through_globs(
        &self,
        module: usize,
        name: &str,
        from: usize,
        trail: &mut Trail,
    ) -> Vec<Target> {
        let mut found = Vec::new();
        for glob in &self.names[module].globs {
            if !self.sees(from, module, glob.visible) || !enter(trail, module, glob.nth) {
                continue;
            }
            for target in self.path(module, &glob.path, trail) {
                match target {
                    Target::Module(inner) => found.extend(self.lookup(inner, name, module, trail)),
                    Target::Foreign => found.push(Target::Foreign),
                    Target::Item(_) => {}
                }
            }
            trail.pop();
        }
        if found.iter().any(|target| *target != Target::Foreign) {
            found.retain(|target| *target != Target::Foreign);
        }
        found
    }
}

/// Starts to follow an import, unless it is being followed.
fn enter(trail: &mut Trail, module: usize, nth: usize) -> bool {
    let is_new = !trail.contains(&(module, nth));
    if is_new {
        trail.push((module, nth));
    }
    is_new
}

/// Whether more of a path can follow.
pub(crate) fn is_prefix(target: &Target) -> bool {
    match target {
        Target::Module(_) | Target::Foreign => true,
        Target::Item(item) => item.kind != Kind::Value,
    }
}

/// Which of several things of a name is meant where more of a path follows.
fn prefix(mut targets: Vec<Target>) -> Option<Target> {
    let module = (targets.iter()).position(|target| matches!(target, Target::Module(_)));
    let place = module
        .or_else(|| targets.iter().position(is_prefix))
        .unwrap_or(0);
    (place < targets.len()).then(|| targets.swap_remove(place))
}
