//! The packages of a workspace, as cargo tells them.

use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand, TargetKind};

use crate::error::Error;
use crate::order::bottom_up;

/// The packages of a workspace.
#[derive(Debug)]
pub struct Workspace {
    /// Its folder.
    pub root: PathBuf,
    /// Its packages, each after those that it depends on.
    pub packages: Vec<Package>,
}

/// A package of the workspace.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Its library and its commands.
    pub targets: Vec<Target>,
    /// Packages of the workspace that it depends on, by name. Dependencies of tests do not count.
    pub depends_on: Vec<String>,
}

/// A library or a command: a crate of a package.
#[derive(Debug, Clone)]
pub struct Target {
    /// The name by which code names the crate.
    pub name: String,
    /// The file that the crate starts with.
    pub source: PathBuf,
    /// Whether it is the library, which the package's commands can name.
    pub is_library: bool,
}

impl Package {
    /// The folder of its sources: the usual one, if all crates start there.
    pub fn sources(&self) -> PathBuf {
        let usual = self.folder.join("src");
        let mut targets = self.targets.iter();
        if targets.all(|target| target.source.starts_with(&usual)) {
            usual
        } else {
            self.folder.clone()
        }
    }
}

impl Workspace {
    /// Asks cargo for the workspace in the folder `root`.
    ///
    /// # Errors
    ///
    /// There is no workspace, or cargo cannot read it.
    pub fn read(root: &Path) -> Result<Self, Error> {
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .exec()?;
        let members = metadata.workspace_packages();
        let packages: Vec<_> = (members.iter())
            .map(|package| Package {
                name: package.name.to_string(),
                folder: folder(package),
                targets: package.targets.iter().filter_map(target).collect(),
                depends_on: (members.iter())
                    .filter(|other| depends_on(package, other))
                    .map(|other| other.name.to_string())
                    .collect(),
            })
            .collect();
        let mut workspace = Self {
            root: real(metadata.workspace_root.as_std_path()),
            packages,
        };
        workspace.sort();
        Ok(workspace)
    }

    /// The arrows of the graph of packages, by their places: from who depends to what it depends on.
    pub fn arrows(&self) -> Vec<(usize, usize)> {
        let packages = self.packages.iter();
        let place = |name: &str| packages.clone().position(|package| package.name == name);
        (packages.clone().enumerate())
            .flat_map(|(from, package)| {
                let to = package.depends_on.iter().filter_map(|name| place(name));
                to.map(move |to| (from, to))
            })
            .collect()
    }

    fn sort(&mut self) {
        self.packages
            .sort_by(|one, other| one.name.cmp(&other.name));
        for package in &mut self.packages {
            package.depends_on.sort();
        }
        let order = bottom_up(0..self.packages.len(), self.arrows());
        self.packages = (order.iter())
            .map(|placed| self.packages[placed.node].clone())
            .collect();
    }
}

/// The path without symbolic links, as those of source files are.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn folder(package: &cargo_metadata::Package) -> PathBuf {
    let manifest = package.manifest_path.as_std_path();
    real(manifest.parent().unwrap_or(Path::new("")))
}

/// The target, if its files count.
fn target(target: &cargo_metadata::Target) -> Option<Target> {
    let is_library = target.kind.iter().any(|kind| {
        use TargetKind::{CDyLib, DyLib, Lib, ProcMacro, RLib, StaticLib};
        matches!(kind, Lib | RLib | DyLib | CDyLib | StaticLib | ProcMacro)
    });
    (is_library || target.kind.contains(&TargetKind::Bin)).then(|| Target {
        name: target.name.replace('-', "_"),
        source: real(target.src_path.as_std_path()),
        is_library,
    })
}

fn depends_on(package: &cargo_metadata::Package, other: &cargo_metadata::Package) -> bool {
    package.dependencies.iter().any(|dependency| {
        dependency.kind != DependencyKind::Development
            && dependency.name == other.name.as_str()
            && (dependency.path.as_ref())
                .is_some_and(|path| Some(path.as_path()) == other.manifest_path.parent())
    })
}
