//! Searches that this build has done before.
//!
//! A folder for each build, in which every process that searched something has a file of its own, a JSON object a line. So
//! processes do not get in each other's way, and one that was killed leaves at worst half a line, which nobody reads. What
//! another build has left is never looked at: it goes when there are many.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::record::{Record, Word};
use crate::output;

/// Folders of other builds that are left alone.
const MOST_OTHERS: usize = 4;

/// What is kept, and where more is.
#[derive(Default)]
pub(crate) struct Cache {
    known: HashMap<String, Record>,
    /// Where this process keeps what it searches.
    own: Option<Own>,
    hits: AtomicUsize,
}

struct Own {
    path: PathBuf,
    /// Made with the first search.
    file: Mutex<Option<File>>,
    /// Whether it was said that nothing more can be kept.
    is_full: AtomicBool,
}

impl Cache {
    /// What `build` has kept below `folder`.
    pub(crate) fn open(folder: &Path, build: &str) -> io::Result<Self> {
        let ours = folder.join(build);
        fs::create_dir_all(&ours)?;
        forget_others(folder, build);
        let mut known = HashMap::new();
        for entry in fs::read_dir(&ours)? {
            let text = fs::read(entry?.path())?;
            for line in String::from_utf8_lossy(&text).lines() {
                // A line that is none was being written when its process was killed.
                if let Ok(record) = serde_json::from_str(line) {
                    learn(&mut known, record, build);
                }
            }
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let nanos = since.map_or(0, |since| since.as_nanos());
        let path = ours.join(format!("{nanos}-{}.jsonl", std::process::id()));
        Ok(Self {
            known,
            own: Some(Own {
                path,
                file: Mutex::default(),
                is_full: AtomicBool::new(false),
            }),
            hits: AtomicUsize::new(0),
        })
    }

    /// A search that answers what is asked by a record of which nothing is known yet.
    pub(crate) fn get(&self, asked: &Record) -> Option<Record> {
        let known = self.known.get(&asked.key())?;
        answers(known, asked).then(|| {
            self.hits.fetch_add(1, Ordering::Relaxed);
            known.clone()
        })
    }

    /// How many searches were not done because of it.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::Relaxed)
    }

    /// Keeps a search, unless somebody stopped it, or what came of it is no matter of the program alone.
    pub(crate) fn put(&self, record: &Record) {
        if let Some(own) = &self.own
            && is_worth_keeping(record)
            && let Err(error) = own.write(record)
            && !own.is_full.swap(true, Ordering::Relaxed)
        {
            output::remark(&format!(
                "{}: {error}: what is searched now may not be kept",
                own.path.display()
            ));
        }
    }
}

impl Own {
    fn write(&self, record: &Record) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match &mut *file {
            Some(file) => file,
            none => none.insert(File::create_new(&self.path)?),
        };
        // At once, so that a kill tears one line at most.
        file.write_all(format!("{}\n", serde_json::to_string(record)?).as_bytes())
    }
}

fn is_worth_keeping(record: &Record) -> bool {
    match record.verdict {
        Word::Complete | Word::InPart => true,
        Word::Failed => !record.is_no_race(),
        Word::Truncated => record.because.as_deref() != Some("interrupted"),
        Word::Unsupported | Word::Same | Word::NotRun => false,
    }
}

/// Whether what is known is what a search would come to. One that saw everything, or a violation, is the same
/// whatever is allowed; one that was cut short says nothing of one that is allowed more.
fn answers(known: &Record, asked: &Record) -> bool {
    let decided = matches!(known.verdict, Word::Complete | Word::Failed);
    decided
        || (is_as_much(known.max_executions, asked.max_executions)
            && is_as_much(known.max_memory, asked.max_memory)
            && is_as_much(known.max_seconds, asked.max_seconds))
}

/// Whether one limit allows what another does; none allows everything.
fn is_as_much<T: PartialOrd>(one: Option<T>, other: Option<T>) -> bool {
    match (one, other) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(one), Some(other)) => one >= other,
    }
}

/// Takes down a line of a file: what another build has written does not count, wherever it stands.
fn learn(known: &mut HashMap<String, Record>, record: Record, build: &str) {
    if record.build != build || !is_worth_keeping(&record) {
        return;
    }
    let key = record.key();
    let is_better = known
        .get(&key)
        .is_none_or(|before| !answers(before, &record));
    if is_better {
        known.insert(key, record);
    }
}

/// Takes away what builds have kept that were not used for long, if there are many of them.
fn forget_others(folder: &Path, build: &str) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let others = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let is_build = name.len() == build.len() && name.bytes().all(|c| c.is_ascii_hexdigit());
        let used = entry.metadata().and_then(|data| data.modified()).ok()?;
        (is_build && name != build).then(|| (used, entry.path()))
    });
    let mut others: Vec<_> = others.collect();
    others.sort();
    let many = others.len().saturating_sub(MOST_OTHERS);
    for (_, path) in others.drain(..many) {
        // Somebody else may be about to do the same.
        let _ = fs::remove_dir_all(path);
    }
}
