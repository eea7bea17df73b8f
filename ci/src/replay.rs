//! `gupcheck replay`: runs one execution again, and says what came of it.

use std::path::PathBuf;

use gupcheck_races::race::Race;
use gupcheck_races::schedule::{self, Again, Kept, Must, Store, Token};
use gupcheck_races::trace::{Finding, Line, Page, Role, headline_of, report};

use crate::args::ReplayArgs;
use crate::error::Error;
use crate::exit::Exit;
use crate::log;
use crate::output::{self, Output};
use crate::record::ReplayRecord;

/// Replays what `args` names.
pub(crate) fn replay(
    args: &ReplayArgs,
    races: &[&'static Race],
    output: &mut Output,
) -> Result<Exit, Error> {
    let mut exit = Exit::Holds;
    let tokens = tokens(&args.token)?;
    if tokens.len() > 1 && !args.pictures.is_empty() {
        return Err(Error::OnePicture(tokens.len()));
    }
    for token in tokens {
        let token: Token = token.parse()?;
        let again = schedule::replay(&token, token.resolve(races)?)?;
        if let (Some(filter), Some(finding)) = (log::filter()?, again.finding()) {
            log::log(&finding, filter);
        }
        let written = match again.finding() {
            Some(finding) => args.pictures.write(&finding, args.detail)?,
            None => Vec::new(),
        };
        if args.json {
            let record = serde_json::to_string(&ReplayRecord::of(&again));
            output.plain(&record.map_err(std::io::Error::from)?)?;
        } else {
            tell(args, &again, &written, output)?;
        }
        let finding = again.finding();
        exit = exit.max(match finding {
            Some(_) => Exit::Violation,
            None => Exit::Truncated,
        });
        if let Some(finding) = finding.filter(|_| args.keep) {
            keep(&finding)?;
        }
    }
    Ok(exit)
}

/// The token that a text is, or those in the file that it names.
fn tokens(text: &str) -> Result<Vec<String>, Error> {
    let is_token = |word: &str| {
        let form = word
            .strip_prefix("gup")
            .and_then(|rest| rest.split_once(':'));
        form.is_some_and(|(n, _)| !n.is_empty() && n.bytes().all(|c| c.is_ascii_digit()))
    };
    if is_token(text.trim()) {
        return Ok(vec![text.to_owned()]);
    }
    let path = std::path::Path::new(text);
    if !path.exists() {
        return Err(Error::NoToken(text.to_owned()));
    }
    let content = std::fs::read_to_string(path).map_err(|error| Error::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    let words = content.split(|c: char| c.is_whitespace() || "\"'`".contains(c));
    let mut tokens: Vec<String> = Vec::new();
    for word in words.filter(|word| is_token(word)) {
        if tokens.iter().all(|known| known != word) {
            tokens.push(word.to_owned());
        }
    }
    if tokens.is_empty() {
        return Err(Error::NoToken(text.to_owned()));
    }
    Ok(tokens)
}

fn tell(
    args: &ReplayArgs,
    again: &Again<'_>,
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
    if let Some(mut finding) = again.finding() {
        finding.aside.files = written;
        let page = Page {
            width: output.width(),
            detail: args.detail,
            ascii: args.ascii,
        };
        output.line(&Line::new())?;
        output.text(&report(&finding, page))?;
        output.line(&Line::new())?;
    }
    Ok(())
}

/// Keeps the schedule of a violation for the tests to replay. One that was found without some step must be
/// found again; any other is a defect, and must go.
pub(crate) fn keep(finding: &Finding<'_>) -> Result<(), Error> {
    let Some(token) = Token::of(finding) else {
        output::remark(&format!(
            "{}: there is no schedule to keep",
            finding.race.name
        ));
        return Ok(());
    };
    let store = Store::of_workspace().ok_or(Error::NoWorkspace)?;
    let without = finding.knocked_out.iter().next();
    let kept = Kept {
        must: without.map_or(Must::Hold, |_| Must::Fail),
        about: headline_of(finding),
        token: token.to_string(),
    };
    let path = store.add(finding.race.name, kept)?;
    output::remark(&format!("kept in {}", path.display()));
    Ok(())
}
