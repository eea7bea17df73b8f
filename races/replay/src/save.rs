//! Files of tokens: `ci/schedules/<race>.toml` in the workspace, to be committed.
//!
//! ```toml
//! [[schedule]]
//! must = "fail"
//! about = "broken: always ..."
//! token = "gup1:..."
//! ```
//!
//! Several tests may fail at once, in threads of one process or in processes of their own, so a file
//! is locked while it is read and written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The folder, in the workspace.
const FOLDER: &str = "ci/schedules";
const HEADER: &str =
    "# Schedules that broke a rule once. Every test run replays them first; see docs/replay.md.\n";

/// What is expected of a schedule that is replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Must {
    /// It breaks the same rule again: it is of a kernel without a step that it rests on.
    Fail,
    /// It breaks no rule any more: it was a defect.
    Hold,
}

/// One schedule that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// What is expected.
    pub must: Must,
    /// What broke, for people.
    pub about: String,
    /// The token.
    pub token: String,
}

/// All that is kept for one race.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptFile {
    /// In the order in which they came.
    #[serde(default)]
    pub schedule: Vec<Kept>,
}

/// Why a file of tokens cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The file system does not let us.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is not what it should be.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Where, and why.
        error: toml::de::Error,
    },
}

/// The workspace in which this process was started by cargo, or below which it runs: the nearest folder above that has a
/// `Cargo.lock`.
pub fn workspace() -> Option<PathBuf> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let start = package.or_else(|| std::env::current_dir().ok())?;
    let root = (start.ancestors()).find(|folder| folder.join("Cargo.lock").is_file());
    root.map(Path::to_owned)
}

/// A folder of such files.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The folder of the [workspace].
    pub fn of_workspace() -> Option<Self> {
        Some(Self::at(workspace()?.join(FOLDER)))
    }

    /// This very folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The file of a race.
    pub fn path(&self, race: &str) -> PathBuf {
        self.folder.join(format!("{race}.toml"))
    }

    /// What is kept for a race: nothing, if there is no file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn load(&self, race: &str) -> Result<Vec<Kept>, SaveError> {
        let path = self.path(race);
        let io = |error| SaveError::Io {
            path: path.clone(),
            error,
        };
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(io)?,
        };
        file.lock_shared().map_err(io)?;
        Ok(read(&path, &mut file)?.schedule)
    }

    /// Adds a schedule to a race's file, unless it is there. Returns the file.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn add(&self, race: &str, kept: Kept) -> Result<PathBuf, SaveError> {
        let path = self.path(race);
        let io = |error| SaveError::Io {
            path: path.clone(),
            error,
        };
        fs::create_dir_all(path.parent().unwrap_or(&self.folder)).map_err(io)?;
        let mut options = OpenOptions::new();
        let mut file = (options.read(true).write(true).create(true).truncate(false))
            .open(&path)
            .map_err(io)?;
        file.lock().map_err(io)?;
        let mut all = read(&path, &mut file)?;
        if all.schedule.iter().all(|known| known.token != kept.token) {
            all.schedule.push(kept);
            let text = toml::to_string(&all).expect("strings in tables can be written");
            file.set_len(0).map_err(io)?;
            file.rewind().map_err(io)?;
            write!(file, "{HEADER}\n{text}").map_err(io)?;
        }
        Ok(path)
    }
}

fn read(path: &Path, file: &mut File) -> Result<KeptFile, SaveError> {
    let mut text = String::new();
    file.read_to_string(&mut text)
        .map_err(|error| SaveError::Io {
            path: path.to_owned(),
            error,
        })?;
    toml::from_str(&text).map_err(|error| SaveError::Unreadable {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(token: &str) -> Kept {
        Kept {
            must: Must::Fail,
            about: "broken: always \"so\"".to_owned(),
            token: token.to_owned(),
        }
    }

    #[test]
    fn what_is_added_is_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path().join("not/there/yet"));
        assert_eq!(store.load("a/b").unwrap(), []);
        for token in ["one", "two", "one"] {
            let path = store.add("a/b", kept(token)).unwrap();
            assert_eq!(path, folder.path().join("not/there/yet/a/b.toml"));
        }
        assert_eq!(store.load("a/b").unwrap(), [kept("one"), kept("two")]);
        assert_eq!(store.load("a/c").unwrap(), []);
    }

    #[test]
    fn many_may_add_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path());
        std::thread::scope(|scope| {
            for n in 0..8 {
                let store = &store;
                scope.spawn(move || store.add("a/b", kept(&n.to_string())).unwrap());
            }
        });
        assert_eq!(store.load("a/b").unwrap().len(), 8);
    }

    #[test]
    fn a_file_that_is_something_else_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::at(folder.path());
        fs::write(store.path("ab"), "schedule = 3\n").unwrap();
        let said = store.load("ab").unwrap_err().to_string();
        assert!(
            said.contains("ab.toml") && said.contains("line 1"),
            "{said}"
        );
        fs::write(folder.path().join("file"), "").unwrap();
        let said = store.add("file/x", kept("t")).unwrap_err().to_string();
        assert!(said.contains("file"), "{said}");
    }
}
