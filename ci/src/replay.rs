//! `gupcheck replay`: runs one execution again, and says what came of it.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use gupcheck_graph::remedies;
use gupcheck_litmus::Litmus;
use gupcheck_program::{Counterexample, Model, Remedies};
use gupcheck_races::again::resolve;
use gupcheck_races::race::Race;
use gupcheck_replay::{Again, Kept, Must, Store, Token};
use gupcheck_trace::{Aside, Finding, Line, Page, Role, headline_of, report};

use crate::args::ReplayArgs;
use crate::error::Error;
use crate::execution::{Tested, under};
use crate::exit::Exit;
use crate::log;
use crate::output::{self, Output};
use crate::record::ReplayRecord;

/// A longer file is not looked through for tokens.
const MOST_BYTES: u64 = 64 << 20;

/// Replays what `args` names. Of several tokens one that cannot be replayed does not keep the others from it.
pub(crate) fn replay(
    args: &ReplayArgs,
    races: &[&'static Race],
    output: &mut Output,
) -> Result<Exit, Error> {
    if args.keep {
        place_to_keep()?;
    }
    let tokens = tokens(&args.token)?;
    if let [only] = &tokens[..] {
        return replay_one(args, &only.text, races, output);
    }
    if !args.pictures.is_empty() {
        return Err(Error::OnePicture(tokens.len()));
    }
    let mut exit = Exit::Holds;
    let mut failed = 0;
    for token in &tokens {
        match replay_one(args, &token.text, races, output) {
            Ok(one) => exit = exit.max(one),
            Err(error @ (Error::Output(_) | Error::Filter { .. })) => return Err(error),
            Err(error) => {
                failed += 1;
                output::remark(&format!("the token in line {}: {error}", token.line));
            }
        }
    }
    match failed {
        0 => Ok(exit),
        _ => Err(Error::NotReplayed {
            failed,
            of: tokens.len(),
        }),
    }
}

fn replay_one(
    args: &ReplayArgs,
    token: &str,
    races: &[&'static Race],
    output: &mut Output,
) -> Result<Exit, Error> {
    let token: Token = token.parse()?;
    if let Some(source) = &token.source {
        let litmus = Litmus::parse(source)?;
        let model = token.named.model.clone().unwrap_or_default();
        let model = model.parse().map_err(|_| Error::TokensModel(model))?;
        let tested = Tested {
            litmus: under(&litmus, model),
            source,
            model,
            command: format!("cargo run -- replay {token}"),
        };
        let again = tested.replay(&token)?;
        let told = |broken| tested.finding(&again.program, broken, Aside::default());
        return tell_one(args, (&token, tested.model), &again, &told, output);
    }
    let instance = resolve(&token, races)?;
    let again = instance.replay(&token)?;
    let told = |broken| instance.finding(&again.program, broken, Aside::default());
    tell_one(args, (&token, instance.model), &again, &told, output)
}

/// Tells of a token that was replayed, with what was broken, as it is `told`.
fn tell_one<'a>(
    args: &ReplayArgs,
    (token, model): (&Token, Model),
    again: &'a Again,
    told: &dyn Fn(&'a Counterexample) -> Finding<'a>,
    output: &mut Output,
) -> Result<Exit, Error> {
    let broken = again.replayed.broken.as_deref();
    let missing = broken.and_then(|broken| remedies(&again.program, model, broken));
    let missing = missing.map(Remedies::weakest);
    let mut finding = broken.map(told);
    if let Some(finding) = &mut finding {
        finding.aside.remedies = missing.as_ref();
    }
    if let (Some(filter), Some(finding)) = (log::filter()?, &finding) {
        log::log(finding, filter);
    }
    let written = match &finding {
        Some(finding) => args.pictures.write(finding, args.detail)?,
        None => Vec::new(),
    };
    if args.json {
        let record = ReplayRecord::of(&token.named, model, again, finding.as_ref());
        let record = serde_json::to_string(&record);
        output.plain(&record.map_err(io::Error::from)?)?;
    } else {
        tell(args, again, finding.as_ref(), &written, output)?;
    }
    let Some(finding) = finding else {
        if !args.pictures.is_empty() {
            output::remark("nothing is broken, so there is nothing to draw: no file was written");
        }
        return Ok(Exit::Truncated);
    };
    match (args.keep, &token.source) {
        (true, None) => keep(&finding)?,
        (true, Some(_)) => output::remark("what is kept is of races, and this is a litmus test"),
        (false, _) => {}
    }
    Ok(Exit::Violation)
}

/// A token, and where it was found.
struct Found {
    line: usize,
    text: String,
}

/// Whether a word begins as a token of some form does.
fn is_token(word: &str) -> bool {
    let form = word
        .strip_prefix("gup")
        .and_then(|rest| rest.split_once(':'));
    form.is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
}

/// All that there is to read, unless it is no log that anybody could mean.
fn bounded(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    from.take(MOST_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MOST_BYTES {
        let most = MOST_BYTES >> 20;
        return Err(io::Error::other(format!(
            "more than {most} MiB: no place to look for tokens"
        )));
    }
    Ok(content)
}

/// The token that a text is; or those in the file that it names, in standard input for `-`, or in itself.
fn tokens(text: &str) -> Result<Vec<Found>, Error> {
    if is_token(text.trim()) {
        let text = text.to_owned();
        return Ok(vec![Found { line: 1, text }]);
    }
    let path = Path::new(text);
    let mut what = "no file with a token in it";
    let content = if text == "-" {
        bounded(io::stdin())
    } else if path.exists() {
        fs::File::open(path).and_then(bounded)
    } else {
        what = "there is no file of that name";
        Ok(text.as_bytes().to_vec())
    };
    let content = content.map_err(|error| Error::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    // Logs have all sorts of bytes in them, and tokens none but ASCII.
    let content = String::from_utf8_lossy(&content);
    let mut tokens: Vec<Found> = Vec::new();
    for (nth, line) in content.lines().enumerate() {
        let words = line.split(|c: char| c.is_whitespace() || "\"'`".contains(c));
        for word in words.filter(|word| is_token(word)) {
            if tokens.iter().all(|known| known.text != word) {
                tokens.push(Found {
                    line: nth + 1,
                    text: word.to_owned(),
                });
            }
        }
    }
    if tokens.is_empty() {
        return Err(Error::NoToken(text.to_owned(), what));
    }
    Ok(tokens)
}

fn tell(
    args: &ReplayArgs,
    again: &Again,
    finding: Option<&Finding<'_>>,
    written: &[PathBuf],
    output: &mut Output,
) -> Result<(), Error> {
    let is_as_it_was = again.is_exact() && again.is_same_rule();
    let role = if is_as_it_was {
        Role::Plain
    } else {
        Role::Caution
    };
    for words in again.words() {
        output.line(&Line::of(role, words))?;
    }
    if let Some(finding) = finding {
        let mut finding = finding.clone();
        finding.aside.files = written;
        let page = Page {
            width: output.width(),
            detail: args.detail,
            ascii: args.ascii || output.is_ascii(),
        };
        output.line(&Line::new())?;
        output.text(&report(&finding, page))?;
        output.line(&Line::new())?;
    }
    Ok(())
}

/// Where schedules are kept. Asked for before anything is searched, so that nothing is searched in vain.
pub(crate) fn place_to_keep() -> Result<Store, Error> {
    Store::of_workspace().ok_or(Error::NoWorkspace)
}

/// Keeps the schedule of a violation for the tests to replay. One that was found without some step must be
/// found again; any other is a defect, and must go.
pub(crate) fn keep(finding: &Finding<'_>) -> Result<(), Error> {
    let subject = &finding.subject;
    let Some(token) = subject.token.clone() else {
        output::remark(&format!("{}: there is no schedule to keep", subject.race));
        return Ok(());
    };
    let store = place_to_keep()?;
    let without = subject.without.first();
    let kept = Kept {
        must: without.map_or(Must::Hold, |_| Must::Fail),
        about: headline_of(finding),
        token,
    };
    let path = store.add(&subject.race, kept)?;
    output::remark(&format!("kept in {}", path.display()));
    Ok(())
}
