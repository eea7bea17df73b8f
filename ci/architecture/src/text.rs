//! Rings and graphs as text.

use std::collections::BTreeSet;
use std::path::Path;

use crate::imports::{Import, arrows};
use crate::order::{bottom_up, rings};
use crate::tree::Tree;
use crate::workspace::Workspace;

/// How wide a line of a graph is.
const WIDTH: usize = 100;

/// The rings of packages, each with the dependencies that make it one.
pub fn rings_of_packages(workspace: &Workspace) -> Vec<String> {
    let arrows = workspace.arrows();
    let name = |package: usize| &workspace.packages[package].name;
    let told = rings(arrows.iter().copied()).into_iter().map(|ring| {
        let mut lines = vec![format!("ring of {} packages:", ring.len())];
        lines.extend(ring.iter().map(|&package| format!("  {}", name(package))));
        let arrows = (arrows.iter()).filter(|(from, to)| ring.contains(from) && ring.contains(to));
        lines.extend(arrows.map(|&(from, to)| {
            let folder = shown(&workspace.packages[from].folder, &workspace.root);
            format!("{folder}/Cargo.toml: depends on {}", name(to))
        }));
        lines.join("\n") + "\n"
    });
    told.collect()
}

/// The rings of a package's files, each with the imports that make it one; files relative to `folder`.
pub fn rings_of_files(
    package: &str,
    tree: &Tree,
    imports: &[Import],
    folder: &Path,
) -> Vec<String> {
    let name = |file: usize| shown(&tree.files[file], folder);
    let told = rings(arrows(imports)).into_iter().map(|ring| {
        let mut lines = vec![format!("ring of {} files in {package}:", ring.len())];
        lines.extend(ring.iter().map(|&file| format!("  {}", name(file))));
        let imports = (imports.iter())
            .filter(|import| ring.contains(&import.from) && ring.contains(&import.to));
        lines.extend(imports.map(|import| {
            let (from, to) = (name(import.from), name(import.to));
            let (line, item) = (import.line, &import.item);
            format!("{from}:{line}: imports {item} (defined in {to})")
        }));
        lines.join("\n") + "\n"
    });
    told.collect()
}

/// The packages of a workspace, each below those that it depends on, and what it depends on.
pub fn packages(workspace: &Workspace) -> String {
    let mut text = String::from("packages, each below those that it depends on\n\n");
    for package in &workspace.packages {
        row(&mut text, &package.name, " -> ", &package.depends_on);
    }
    text
}

/// The files of a package, each below those that it imports, and what it imports; relative to `folder`.
///
/// An empty line stands between layers: the files of a layer import those above it.
pub fn files(package: &str, tree: &Tree, imports: &[Import], folder: &Path) -> String {
    let names: Vec<_> = tree.files.iter().map(|file| shown(file, folder)).collect();
    let arrows: BTreeSet<_> = arrows(imports).collect();
    let mut text = format!("{package}: files, each below those that it imports\n\n");
    let mut layer = 0;
    for placed in bottom_up(0..names.len(), arrows.iter().copied()) {
        if placed.layer != layer {
            layer = placed.layer;
            text.push('\n');
        }
        let imported: Vec<_> = (arrows.range((placed.node, 0)..(placed.node + 1, 0)))
            .map(|&(_, to)| &names[to])
            .collect();
        row(&mut text, &names[placed.node], " -> ", &imported);
    }
    for ring in rings(arrows.iter().copied()) {
        let files: Vec<_> = ring.iter().map(|&file| &names[file]).collect();
        text.push('\n');
        row(&mut text, "a ring", ": ", &files);
    }
    text
}

/// A file as it is shown: relative to a folder, if it is in it.
fn shown(file: &Path, folder: &Path) -> String {
    let file = file.strip_prefix(folder).unwrap_or(file);
    let parts: Vec<_> = file.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// A row of a graph: what arrows start from, and where they lead.
fn row(text: &mut String, from: &str, arrow: &str, to: &[impl AsRef<str>]) {
    if to.is_empty() {
        text.extend([from, "\n"]);
        return;
    }
    let start = format!("{from}{arrow}");
    let to: Vec<_> = to.iter().map(AsRef::as_ref).collect();
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(&start)
        .subsequent_indent("      ")
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    for line in textwrap::wrap(&to.join(", "), options) {
        text.extend([&line, "\n"]);
    }
}
