//! The modules of a package, and the files that they are in.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta, Visibility};

use crate::error::Error;
use crate::path::{line, text};
use crate::tests_only;
use crate::workspace::Target;

/// The modules of a package's crates. A module's number is its place in `modules`, a file's that in `files`.
#[derive(Default)]
pub struct Tree {
    /// The files, sorted.
    pub files: Vec<PathBuf>,
    /// The modules, each after its parent.
    pub(crate) modules: Vec<Module>,
    /// The library's name in code, and its outermost module.
    pub(crate) library: Option<(String, usize)>,
}

/// A module.
pub(crate) struct Module {
    /// The module that it is in.
    pub(crate) parent: Option<usize>,
    /// The outermost module of its crate.
    pub(crate) root: usize,
    /// The file that it is in.
    pub(crate) file: usize,
    /// What it contains, less its modules.
    pub(crate) items: Vec<Item>,
    /// The modules in it.
    pub(crate) children: Vec<Child>,
}

/// A module as its parent declares it.
pub(crate) struct Child {
    /// Its name.
    pub(crate) name: String,
    /// Who can see it.
    pub(crate) visibility: Visibility,
    /// Whether its macros are its parent's too.
    pub(crate) shares_macros: bool,
    /// Its number.
    pub(crate) module: usize,
}

impl Tree {
    /// Reads all files that belong to the targets.
    ///
    /// # Errors
    ///
    /// A file is missing, cannot be read or is not Rust.
    pub fn read(targets: &[Target]) -> Result<Self, Error> {
        let mut reader = Reader::default();
        for target in targets {
            let Some(root) = reader.file(&target.source, None)? else {
                continue;
            };
            if target.is_library {
                reader.tree.library = Some((target.name.clone(), root));
            }
        }
        reader.tree.sort_files();
        Ok(reader.tree)
    }

    fn sort_files(&mut self) {
        let unsorted = std::mem::take(&mut self.files);
        self.files.clone_from(&unsorted);
        self.files.sort();
        for module in &mut self.modules {
            let place = self.files.binary_search(&unsorted[module.file]);
            module.file = place.unwrap_or(module.file);
        }
    }

    /// Whether `inner` is `outer`, or somewhere in it.
    pub(crate) fn is_within(&self, inner: usize, outer: usize) -> bool {
        self.outward(inner).any(|module| module == outer)
    }

    /// A module, its parent, and so on.
    pub(crate) fn outward(&self, module: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(module), |&module| self.modules[module].parent)
    }
}

/// Where the files of a module's modules are.
struct Folders {
    /// What `#[path]` starts from.
    given: PathBuf,
    /// Where a module's file is otherwise.
    usual: PathBuf,
}

/// A module that is in a file of its own, as its parent declares it.
struct Declaration<'a> {
    parent: usize,
    item: &'a ItemMod,
    has_path: bool,
}

#[derive(Default)]
struct Reader {
    tree: Tree,
    by_path: HashMap<PathBuf, usize>,
}

impl Reader {
    /// Reads a file: a crate's first, or one that a declaration leads to. Nothing if only tests see it.
    fn file(
        &mut self,
        path: &Path,
        from: Option<&Declaration<'_>>,
    ) -> Result<Option<usize>, Error> {
        let unreadable = |error| Error::Read {
            file: path.to_owned(),
            error,
        };
        let path = &path.canonicalize().map_err(unreadable)?;
        let source = fs::read_to_string(path).map_err(unreadable)?;
        let mut content = syn::parse_file(&source).map_err(|error| Error::Parse {
            file: path.clone(),
            error,
        })?;
        if !tests_only::take_out(&mut content) {
            return Ok(None);
        }
        let file = self.number(path);
        self.is_new_around(file, from)?;
        let module = self.module(file, from.map(|from| from.parent));
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let owns_folder = from.is_none_or(|from| from.has_path) || path.ends_with("mod.rs");
        let folders = Folders {
            usual: if owns_folder {
                folder.clone()
            } else {
                path.with_extension("")
            },
            given: folder,
        };
        self.items(module, content.items, &folders)?;
        Ok(Some(module))
    }

    /// An error if a file is in a module of its own.
    fn is_new_around(&self, file: usize, from: Option<&Declaration<'_>>) -> Result<(), Error> {
        let Some(from) = from else { return Ok(()) };
        let modules = &self.tree.modules;
        let mut around = self.tree.outward(from.parent);
        if around.any(|module| modules[module].file == file) {
            return Err(Error::Endless {
                file: self.tree.files[modules[from.parent].file].clone(),
                line: line(&from.item.ident),
                name: text(&from.item.ident),
            });
        }
        Ok(())
    }

    fn number(&mut self, path: &Path) -> usize {
        let files = &mut self.tree.files;
        *(self.by_path.entry(path.to_owned())).or_insert_with(|| {
            files.push(path.to_owned());
            files.len() - 1
        })
    }

    fn module(&mut self, file: usize, parent: Option<usize>) -> usize {
        let modules = &mut self.tree.modules;
        let number = modules.len();
        modules.push(Module {
            parent,
            root: parent.map_or(number, |parent| modules[parent].root),
            file,
            items: Vec::new(),
            children: Vec::new(),
        });
        number
    }

    fn items(&mut self, module: usize, items: Vec<Item>, folders: &Folders) -> Result<(), Error> {
        for item in items {
            let Item::Mod(item) = item else {
                self.tree.modules[module].items.push(item);
                continue;
            };
            let name = text(&item.ident);
            let visibility = item.vis.clone();
            let mut attributes = item.attrs.iter();
            let shares_macros = attributes.any(|attribute| attribute.path().is_ident("macro_use"));
            if let Some(child) = self.child(module, item, folders)? {
                self.tree.modules[module].children.push(Child {
                    name,
                    visibility,
                    shares_macros,
                    module: child,
                });
            }
        }
        Ok(())
    }

    fn child(
        &mut self,
        parent: usize,
        mut item: ItemMod,
        folders: &Folders,
    ) -> Result<Option<usize>, Error> {
        let given = given_path(&item.attrs).map(|path| folders.given.join(path));
        if let Some((_, items)) = item.content.take() {
            let module = self.module(self.tree.modules[parent].file, Some(parent));
            let folder = given.unwrap_or_else(|| folders.usual.join(text(&item.ident)));
            let folders = Folders {
                given: folder.clone(),
                usual: folder,
            };
            self.items(module, items, &folders)?;
            return Ok(Some(module));
        }
        let declaration = Declaration {
            parent,
            item: &item,
            has_path: given.is_some(),
        };
        let path = match given {
            Some(path) => path,
            None => self.usual_file(&declaration, folders)?,
        };
        self.file(&path, Some(&declaration))
    }

    /// Where the file of a module is that has no `#[path]`.
    fn usual_file(&self, from: &Declaration<'_>, folders: &Folders) -> Result<PathBuf, Error> {
        let name = text(&from.item.ident);
        let candidates = [format!("{name}.rs"), format!("{name}/mod.rs")];
        (candidates.iter())
            .map(|candidate| folders.usual.join(candidate))
            .find(|path| path.is_file())
            .ok_or_else(|| Error::NoFile {
                file: self.tree.files[self.tree.modules[from.parent].file].clone(),
                line: line(&from.item.ident),
                name,
            })
    }
}

/// What a module's `#[path = ".."]` says.
fn given_path(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        match &pair.value {
            Expr::Lit(value) if pair.path.is_ident("path") => match &value.lit {
                Lit::Str(path) => Some(path.value()),
                _ => None,
            },
            _ => None,
        }
    })
}
