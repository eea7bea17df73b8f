//! A token: one line of text from which one execution can be run again.
//!
//! ```text
//! gup1:thp-collapse/detached-table:arm64:graph:rc11:1x1:pmd-recheck:0.1.0:XZDNbsMg...Ag.5d41f0aa
//! ---- race                        |     |     |    |   |           |     |            |
//! form                             |     |     |    |   steps       |     what          checksum
//!                            profile  engine model  callers x pages version it follows
//! ```
//!
//! Who ran in the background is told behind the size: `1x1+pfn`.
//!
//! Of a litmus test there is nothing to be looked up: its name stands for the race, and one field more, the last one, carries the test itself,
//! so that the execution can be run again where the file is not, or is another by now.
//!
//! What a person asks first (which race, where, without what) can be read. The rest is the schedule, the
//! [`Fingerprint`] and what broke, serialised, compressed and written in characters that a shell, a mail
//! and a URL leave alone. The checksum covers everything before it, so that a changed character is
//! noticed; and as it stands at the end, behind a dot, a token that was cut short is told from one that
//! was changed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use gupcheck_program::{Counterexample, Fingerprint, Program, Schedule};

const FORM: &str = "gup1";
/// What stands for nothing in a field.
const NOTHING: &str = "-";
/// No honest token unpacks to more than this.
const MOST_BYTES: usize = 4 << 20;
/// Fields of the token of a race.
const FIELDS: usize = 9;
/// Hexadecimal digits of a checksum.
const CHECKSUM: usize = 8;

/// Everything that one needs to know to run one execution again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What was run.
    pub named: Named,
    /// The version of what made it.
    pub version: String,
    /// What broke; see [`Violation::rule`](gupcheck_program::Violation::rule).
    pub broke: String,
    /// Which execution of its search it was.
    pub execution: u64,
    /// The choices that lead there.
    pub schedule: Schedule,
    /// What the steps were.
    pub fingerprint: Fingerprint,
    /// The litmus test that was run, if it was one, and no race.
    pub source: Option<String>,
}

/// What was run, by names. Whether there (still) is such a race, profile or step is for whoever looks them up to find
/// out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The race: `crate/name`.
    pub race: String,
    /// The profile.
    pub profile: String,
    /// The engine that found it.
    pub engine: String,
    /// The memory model, where the engine has a choice.
    pub model: Option<String>,
    /// How many callers.
    pub cpus: u32,
    /// How many pages each of them asks for.
    pub pages: u32,
    /// The steps knocked out.
    pub knocked_out: Vec<String>,
    /// Who ran in the background.
    pub noise: Vec<String>,
}

/// What is not readable in a token.
#[derive(Serialize, Deserialize)]
struct Body {
    broke: String,
    execution: u64,
    schedule: Schedule,
    fingerprint: Fingerprint,
}

/// Why a text is not a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Something else altogether.
    #[error("this is not a token: a token begins with `{FORM}:`, this with {0:?}")]
    NotAToken(String),
    /// A form of token that this version does not know.
    #[error("a token of the form {0:?}; this version of gupcheck reads {FORM:?}")]
    OtherForm(String),
    /// White space inside.
    #[error("the token is broken at character {0} by white space: copy it as one line")]
    Broken(usize),
    /// Its end is missing.
    #[error(
        "the token is cut short: after {0} characters it should end with a dot and {CHECKSUM} \
         hexadecimal digits"
    )]
    CutShort(usize),
    /// It is not what was written.
    #[error("the token was changed on its way: its checksum is {is}, and should be {should}")]
    Changed {
        /// The checksum of what is there.
        is: String,
        /// The one at its end.
        should: String,
    },
    /// A field cannot be read, though the checksum is right.
    #[error("the token's {field} cannot be read: {text:?}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is there.
        text: String,
    },
}

impl Token {
    /// The token of a counterexample; `None` where there is no schedule to be kept.
    pub fn of(named: Named, program: &Program, counterexample: &Counterexample) -> Option<Self> {
        let schedule = counterexample.schedule.clone()?;
        Some(Self {
            named,
            version: schedule.version().to_owned(),
            broke: counterexample.violation.rule(program),
            execution: counterexample.execution,
            fingerprint: Fingerprint::of(program, &counterexample.trace),
            schedule,
            source: None,
        })
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = Body {
            broke: self.broke.clone(),
            execution: self.execution,
            schedule: self.schedule.clone(),
            fingerprint: self.fingerprint.clone(),
        };
        let body = postcard::to_stdvec(&body).map_err(|_| fmt::Error)?;
        let packed = miniz_oxide::deflate::compress_to_vec(&body, 10);
        let named = &self.named;
        let steps = match &named.knocked_out[..] {
            [] => NOTHING.to_owned(),
            steps => steps.join("+"),
        };
        let mut text = [
            FORM,
            &named.race,
            &named.profile,
            &named.engine,
            named.model.as_deref().unwrap_or(NOTHING),
            &written_size(named),
            &steps,
            &self.version,
            &URL_SAFE_NO_PAD.encode(packed),
        ]
        .join(":");
        if let Some(source) = &self.source {
            let packed = miniz_oxide::deflate::compress_to_vec(source.as_bytes(), 10);
            text.push(':');
            text.push_str(&URL_SAFE_NO_PAD.encode(packed));
        }
        write!(f, "{text}.{}", checksum(&text))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let text = text.trim();
        if let Some(at) = text.chars().position(char::is_whitespace) {
            return Err(TokenError::Broken(at + 1));
        }
        let form = text.split(':').next().unwrap_or_default();
        let is_form = |form: &str| {
            (form.strip_prefix("gup")).is_some_and(|n| n.bytes().all(|c| c.is_ascii_digit()))
        };
        match form {
            FORM => {}
            other if is_form(other) => return Err(TokenError::OtherForm(other.to_owned())),
            other => return Err(TokenError::NotAToken(other.chars().take(20).collect())),
        }
        let cut_short = || TokenError::CutShort(text.chars().count());
        let (checked, should) = text.rsplit_once('.').ok_or_else(cut_short)?;
        let is_digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if should.len() != CHECKSUM || !should.bytes().all(is_digit) {
            return Err(cut_short());
        }
        let is = checksum(checked);
        if is != should {
            let should = should.to_owned();
            return Err(TokenError::Changed { is, should });
        }
        Self::from_fields(checked)
    }
}

impl Token {
    fn from_fields(text: &str) -> Result<Self, TokenError> {
        let unreadable = |field, text: &str| TokenError::Field {
            field,
            text: text.to_owned(),
        };
        let fields: Vec<&str> = text.split(':').collect();
        let (fields, source) = match &fields[..] {
            [fields @ .., source] if fields.len() == FIELDS => (fields, Some(*source)),
            fields => (fields, None),
        };
        let &[_, race, profile, engine, model, size, steps, version, body] = fields else {
            return Err(unreadable("number of fields", &fields.len().to_string()));
        };
        let source = source.map(|text| unpack_text(text).ok_or_else(|| unreadable("test", text)));
        let body = unpack(body).ok_or_else(|| unreadable("body", body))?;
        let mut parts = size.split('+');
        let callers_and_pages = parts.next().unwrap_or_default();
        let (cpus, pages) = size_of(callers_and_pages).ok_or_else(|| unreadable("size", size))?;
        Ok(Self {
            named: Named {
                race: race.to_owned(),
                profile: profile.to_owned(),
                engine: engine.to_owned(),
                model: (model != NOTHING).then(|| model.to_owned()),
                cpus,
                pages,
                knocked_out: match steps {
                    NOTHING => Vec::new(),
                    steps => steps.split('+').map(str::to_owned).collect(),
                },
                noise: parts.map(str::to_owned).collect(),
            },
            version: version.to_owned(),
            broke: body.broke,
            execution: body.execution,
            schedule: body.schedule,
            fingerprint: body.fingerprint,
            source: source.transpose()?,
        })
    }
}

/// `2x1`, and `2x1+pfn` with somebody in the background.
fn written_size(named: &Named) -> String {
    let size = format!("{}x{}", named.cpus, named.pages);
    let mut text = vec![size];
    text.extend(named.noise.iter().cloned());
    text.join("+")
}

fn size_of(text: &str) -> Option<(u32, u32)> {
    let (cpus, pages) = text.split_once('x')?;
    Some((cpus.parse().ok()?, pages.parse().ok()?))
}

fn unpack(text: &str) -> Option<Body> {
    postcard::from_bytes(&unpack_bytes(text)?).ok()
}

fn unpack_text(text: &str) -> Option<String> {
    String::from_utf8(unpack_bytes(text)?).ok()
}

fn unpack_bytes(text: &str) -> Option<Vec<u8>> {
    let packed = URL_SAFE_NO_PAD.decode(text).ok()?;
    miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, MOST_BYTES).ok()
}

fn checksum(text: &str) -> String {
    format!("{:08x}", crc32fast::hash(text.as_bytes()))
}

#[cfg(test)]
mod tests;
