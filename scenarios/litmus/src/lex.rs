//! Tokens, and the header that stands before them.
//!
//! A litmus test is three languages in one file: herd's notation for the initial state, C, and herd's
//! notation for the condition. Their tokens can be told apart without knowing which is which, but for
//! one: `(*` opens a comment everywhere except in a function, where it is a parenthesis and a star, as
//! in `READ_ONCE(*x)`. So the lexer keeps count of braces.
//!
//! It also turns away, by name, words and operators of C that this crate gives no meaning to, and
//! nesting so deep that a recursive reader would exhaust its stack.

use crate::error::{Checked, Complaint, Span, unsupported};
use chumsky::span::SimpleSpan;
use logos::{Lexer, Logos};
use std::fmt;

/// Nesting and runs of prefix operators beyond this are turned away.
const DEEPEST: usize = 24;
/// `if`s and `?`s in one file beyond this are turned away: they nest without parentheses.
const MOST_BRANCHES: usize = 32;
/// Tokens in one statement beyond this are turned away: operators nest without parentheses too.
const LONGEST: usize = 256;
/// Tokens in one file beyond this are turned away.
const MOST_TOKENS: usize = 8192;
/// Comments within comments beyond this are turned away.
const DEEPEST_COMMENT: usize = 256;

/// Words that say something to a compiler, and nothing here.
const QUALIFIERS: &[&str] = &["volatile", "const"];

/// One token. Keywords are words: which words are keywords depends on where one is.
#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(skip r"[ \t\r\n\f]+")]
#[logos(skip(r"//[^\n]*", allow_greedy = true))]
pub(crate) enum Token<'s> {
    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Word(&'s str),
    #[regex("[0-9][0-9A-Za-z_]*")]
    Number(&'s str),
    /// Everything else: operators and punctuation, by their text.
    #[token("(")]
    #[token(")")]
    #[token("{")]
    #[token("}")]
    #[token("[")]
    #[token("]")]
    #[token(";")]
    #[token(",")]
    #[token(":")]
    #[token("?")]
    #[token("=")]
    #[token("==")]
    #[token("!=")]
    #[token("<")]
    #[token("<=")]
    #[token(">")]
    #[token(">=")]
    #[token("<<")]
    #[token(">>")]
    #[token("+")]
    #[token("-")]
    #[token("*")]
    #[token("/")]
    #[token("%")]
    #[token("&")]
    #[token("&&")]
    #[token("|")]
    #[token("||")]
    #[token("^")]
    #[token("!")]
    #[token("~")]
    #[token("/\\")]
    #[token("\\/")]
    #[token("=>")]
    #[token("++")]
    #[token("--")]
    #[token("+=")]
    #[token("-=")]
    #[token("*=")]
    #[token("/=")]
    #[token("%=")]
    #[token("&=")]
    #[token("|=")]
    #[token("^=")]
    #[token("<<=")]
    #[token(">>=")]
    #[token("->")]
    #[token(".")]
    #[token("#")]
    #[token("(*")]
    #[token("/*")]
    Punct(&'s str),
}

impl fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Word(text) | Self::Number(text) | Self::Punct(text)) = self;
        write!(f, "`{text}`")
    }
}

/// Operators that change a variable in place, reach into structures, or start a directive.
const TURNED_AWAY_OPERATORS: &[&str] = &[
    "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=", "->", ".", "#",
];

/// Why a word of C has no meaning here.
fn turned_away(word: &str) -> Option<&'static str> {
    Some(match word {
        "while" | "for" | "do" | "break" | "continue" => "a loop",
        "goto" | "switch" | "case" | "default" | "return" => "a jump",
        "asm" | "__asm__" => "inline assembly",
        "union" | "enum" | "typedef" | "sizeof" | "typeof" | "static" | "extern" => {
            "a declaration of C beyond variables"
        }
        "_Atomic" => "a qualified type",
        "short" | "long" | "unsigned" | "signed" | "float" | "double" | "bool" | "_Bool" | "u8"
        | "u16" | "u32" | "u64" | "s8" | "s16" | "s32" | "s64" | "int8_t" | "int16_t"
        | "int32_t" | "int64_t" | "uint8_t" | "uint16_t" | "uint32_t" | "uint64_t"
        | "uintptr_t" | "size_t" | "atomic64_t" | "atomic_long_t" => {
            "a type other than int, atomic_t, spinlock_t and pointers to them"
        }
        _ => return None,
    })
}

/// The number that only an `int` with a minus before it holds.
pub(crate) const BEYOND_INT: i64 = 1 << 31;

/// A number as C writes it, if it is one and an `int` holds it, perhaps only with a minus before it.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let value = if let Some(hex) = text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16)
    } else if text.len() > 1 && text.starts_with('0') {
        i64::from_str_radix(text, 8)
    } else {
        text.parse()
    };
    value.ok().filter(|value| (0..=BEYOND_INT).contains(value))
}

/// The name of the test, and where what follows the header begins.
pub(crate) fn header(source: &str) -> Checked<(String, usize)> {
    // A byte order mark may come first.
    let is_blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    let start = source.len() - source.trim_start_matches(is_blank).len();
    let line_end = source[start..]
        .find('\n')
        .map_or(source.len(), |n| start + n);
    let mut words = source[start..line_end].split_whitespace();
    let arch = words.next();
    if arch != Some("C") {
        let found = arch.map_or("the end of the file".to_owned(), |word| format!("`{word}`"));
        return Err(Complaint::Syntax {
            expected: "`C` and the name of the test".to_owned(),
            found,
            span: (start..line_end).into(),
        });
    }
    let Some(name) = words.next() else {
        return Err(Complaint::Syntax {
            expected: "the name of the test".to_owned(),
            found: "the end of the line".to_owned(),
            span: (line_end..line_end).into(),
        });
    };
    // Some tests are called what their file is called.
    let name = name.strip_suffix(".litmus").unwrap_or(name);
    Ok((name.to_owned(), preamble(source, line_end)?))
}

/// What may stand between the name and the initial state.
#[derive(Logos, Clone, Copy, Debug, PartialEq)]
#[logos(skip r"[ \t\r\n\f]+")]
#[logos(skip(r"//[^\n]*", allow_greedy = true))]
enum Preamble {
    #[regex("\"[^\"]*\"")]
    Doc,
    #[regex("[A-Za-z][A-Za-z0-9_-]*=[^\n]*", allow_greedy = true)]
    #[regex("C[ \t][^\n]*", allow_greedy = true)]
    Info,
    #[token("(*")]
    #[token("/*")]
    Comment,
    #[token("{")]
    Init,
}

/// Where the initial state begins.
fn preamble(source: &str, from: usize) -> Checked<usize> {
    let mut lexer = Preamble::lexer(&source[from..]);
    while let Some(token) = lexer.next() {
        let at = from + lexer.span().start;
        match token {
            Ok(Preamble::Init) => return Ok(at),
            Ok(Preamble::Doc | Preamble::Info) => {}
            Ok(Preamble::Comment) => skip_comment(&mut lexer, from)?,
            Err(()) => {
                let found = source[at..].split_whitespace().next().unwrap_or_default();
                return Err(Complaint::Syntax {
                    expected: "the initial state, in braces".to_owned(),
                    found: format!("`{found}`"),
                    span: (at..at + found.len()).into(),
                });
            }
        }
    }
    Err(Complaint::Syntax {
        expected: "the initial state, in braces".to_owned(),
        found: "the end of the file".to_owned(),
        span: (source.len()..source.len()).into(),
    })
}

/// Skips the comment whose opening the lexer has just read. `(* *)` nests, `/* */` does not.
fn skip_comment<'s, T>(lexer: &mut Lexer<'s, T>, base: usize) -> Checked<()>
where
    T: Logos<'s, Source = str>,
{
    let span = Span::from(base + lexer.span().start..base + lexer.span().end);
    let nests = lexer.slice() == "(*";
    let close = if nests { "*)" } else { "*/" };
    let rest = lexer.remainder().as_bytes();
    let mut depth = 1;
    let mut at = 0;
    while depth > 0 {
        match rest.get(at..at + 2) {
            None => {
                return Err(Complaint::Syntax {
                    expected: format!("`{close}`"),
                    found: "the end of the file".to_owned(),
                    span,
                });
            }
            Some(two) if two == close.as_bytes() => (depth, at) = (depth - 1, at + 2),
            Some(b"(*") if nests => (depth, at) = (depth + 1, at + 2),
            Some(_) => at += 1,
        }
        if depth > DEEPEST_COMMENT {
            return unsupported("comments as deep within comments as this", span);
        }
    }
    lexer.bump(at);
    Ok(())
}

/// A token and the bytes it stands in.
pub(crate) type Placed<'s> = (Token<'s>, SimpleSpan);

/// The tokens of `source` from byte `from` on.
pub(crate) fn tokens(source: &str, from: usize) -> Checked<Vec<Placed<'_>>> {
    let mut lexer = Token::lexer(&source[from..]);
    let mut out = Out::default();
    while let Some(token) = lexer.next() {
        let span = from + lexer.span().start..from + lexer.span().end;
        let Ok(token) = token else {
            let found = source[span.start..].chars().next().unwrap_or_default();
            return Err(Complaint::Syntax {
                expected: "a token of C".to_owned(),
                found: format!("`{found}`"),
                span: span.into(),
            });
        };
        match token {
            Token::Punct("(*") if out.in_body() => {
                out.push(Token::Punct("("), (span.start..span.start + 1).into())?;
                out.push(Token::Punct("*"), (span.start + 1..span.end).into())?;
            }
            Token::Punct("(*" | "/*") => skip_comment(&mut lexer, from)?,
            _ => out.push(token, span.into())?,
        }
    }
    Ok(out.tokens)
}

/// The tokens so far, and how deep they nest.
#[derive(Default)]
struct Out<'s> {
    tokens: Vec<Placed<'s>>,
    braces: usize,
    parens: usize,
    prefixes: usize,
    branches: usize,
    length: usize,
    init_done: bool,
    /// A `struct`, just read.
    structure: Option<Span>,
}

impl<'s> Out<'s> {
    fn in_body(&self) -> bool {
        self.init_done && self.braces > 0
    }

    fn push(&mut self, token: Token<'s>, span: Span) -> Checked<()> {
        if let Some(span) = self.structure.take()
            && token != Token::Word("srcu_struct")
        {
            return unsupported("`struct` (any but `struct srcu_struct`)", span);
        }
        match token {
            Token::Word("struct") => {
                self.structure = Some(span);
                return Ok(());
            }
            Token::Word(word) if QUALIFIERS.contains(&word) => return Ok(()),
            Token::Word(word) => {
                if let Some(why) = turned_away(word) {
                    return unsupported(format!("`{word}` ({why})"), span);
                }
                self.branches += usize::from(word == "if");
            }
            Token::Punct("[") if self.in_body() => return unsupported("an array", span),
            Token::Punct(operator) if TURNED_AWAY_OPERATORS.contains(&operator) => {
                return unsupported(format!("the operator `{operator}`"), span);
            }
            Token::Punct(text) => self.count(text),
            Token::Number(text) if integer(text).is_none() => {
                return unsupported(format!("the number `{text}`, which is no int"), span);
            }
            Token::Number(_) => {}
        }
        self.prefixes = match token {
            Token::Punct("!" | "~" | "-" | "*" | "&" | "(") => self.prefixes + 1,
            _ => 0,
        };
        self.length = match token {
            Token::Punct(";" | "{" | "}") => 0,
            _ => self.length + 1,
        };
        let deepest = self.prefixes.max(self.braces).max(self.parens);
        let long = self.length > LONGEST || self.tokens.len() > MOST_TOKENS;
        if deepest > DEEPEST || self.branches > MOST_BRANCHES || long {
            return unsupported("a test as long or as deeply nested as this", span);
        }
        self.tokens
            .push((token, SimpleSpan::from(span.start..span.end)));
        Ok(())
    }

    fn count(&mut self, punct: &str) {
        match punct {
            "{" => self.braces += 1,
            "}" => {
                self.braces = self.braces.saturating_sub(1);
                self.init_done |= self.braces == 0;
            }
            "(" => self.parens += 1,
            ")" => self.parens = self.parens.saturating_sub(1),
            "?" => self.branches += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        let tokens = tokens(source, 0).expect("lexes");
        tokens.iter().map(|(token, _)| token.to_string()).collect()
    }

    #[test]
    fn a_parenthesis_and_a_star_open_a_comment_outside_functions_only() {
        assert_eq!(texts("{ (* a (* nested *) one *) x }").len(), 3);
        assert_eq!(
            texts("{} P0() { f(*x); } (* c *) exists")
                .iter()
                .filter(|text| *text == "`*`")
                .count(),
            1
        );
    }

    #[test]
    fn comments_of_c_are_skipped_everywhere() {
        assert_eq!(texts("{ /* a * b **/ } // c\n;"), ["`{`", "`}`", "`;`"]);
    }

    #[test]
    fn the_header_may_carry_a_doc_string_and_keys() {
        let source = "C  MP+x extra\n\"Fre Rfe\"\nResult: = no\n{ }";
        assert!(matches!(header(source), Err(Complaint::Syntax { .. })));
        let source = "C MP+x\n\"Fre { Rfe\"\nCycle=a { b\n(* { *)\n{ }";
        let (name, at) = header(source).expect("a header");
        assert_eq!((name.as_str(), &source[at..]), ("MP+x", "{ }"));
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        for source in [
            format!("{{}} P0() {{ r = {}1; }}", "(".repeat(5000)),
            format!("{{}} P0() {{ r = {}1; }}", "!".repeat(5000)),
            format!("{{}} P0() {{ {} }}", "if (r) ".repeat(5000)),
        ] {
            assert!(matches!(
                tokens(&source, 0),
                Err(Complaint::Unsupported(..))
            ));
        }
    }
}
