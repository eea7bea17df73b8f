//! Text that knows what each of its pieces is, so that whoever prints it can choose the colours.

use std::fmt;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing special.
    Plain,
    /// The heading of a section, the head of a lane.
    Heading,
    /// What is as it should be.
    Good,
    /// What is not known for certain.
    Caution,
    /// What went wrong.
    Alarm,
    /// The first of the two events that matter most.
    First,
    /// The second of them.
    Second,
    /// A kernel function.
    Function,
    /// A read that missed a newer write.
    Stale,
    /// What a hurried reader skips: rules, numbers, source lines.
    Dim,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// What it is.
    pub role: Role,
    /// Its characters; never a line feed.
    pub text: String,
}

/// One line. All characters are taken to be one column wide, as those that this crate writes are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<Segment>);

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// A line of one piece.
    pub fn of(role: Role, text: impl Into<String>) -> Self {
        Self::new().and(role, text)
    }

    /// The line, and one more piece.
    #[must_use]
    pub fn and(mut self, role: Role, text: impl Into<String>) -> Self {
        self.push(role, text);
        self
    }

    /// Appends a piece.
    pub fn push(&mut self, role: Role, text: impl Into<String>) {
        let text = text.into();
        if text.is_empty() {
            return;
        }
        match self.0.last_mut() {
            Some(last) if last.role == role => last.text.push_str(&text),
            _ => self.0.push(Segment { role, text }),
        }
    }

    /// Appends all of another line.
    pub fn append(&mut self, other: Self) {
        for segment in other.0 {
            self.push(segment.role, segment.text);
        }
    }

    /// Its pieces.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Its width in columns.
    pub fn width(&self) -> usize {
        self.0.iter().map(|s| s.text.chars().count()).sum()
    }

    /// Appends spaces until the line is `width` wide.
    pub fn pad_to(&mut self, width: usize) {
        let missing = width.saturating_sub(self.width());
        self.push(Role::Plain, " ".repeat(missing));
    }

    /// The line as lines of at most `width`: broken at spaces where possible, each continuation
    /// indented as the line itself is, and by `hang` more.
    pub fn wrapped(self, width: usize, hang: usize) -> Vec<Self> {
        if self.width() <= width {
            return vec![self];
        }
        let indent = self.indent();
        let mut lines = Vec::new();
        let mut line = Self::of(Role::Plain, " ".repeat(indent));
        let mut blank = true;
        for (gap, word) in self.words() {
            let mut word = word;
            if !blank && line.width() + gap + word.width() > width {
                lines.push(std::mem::take(&mut line));
                line.push(Role::Plain, " ".repeat(indent + hang));
                blank = true;
            }
            while line.width() + word.width() > width && line.width() < width {
                let (head, tail) = word.split_at(width - line.width());
                line.append(head);
                lines.push(std::mem::take(&mut line));
                line.push(Role::Plain, " ".repeat(indent + hang));
                word = tail;
            }
            if !blank {
                // Padding stays. A space between words of one role is of that role too.
                let role = match (line.0.last(), word.0.first()) {
                    (Some(before), Some(after)) if before.role == after.role => after.role,
                    _ => Role::Plain,
                };
                line.push(role, " ".repeat(gap));
            }
            line.append(word);
            blank = false;
        }
        lines.push(line);
        lines
    }

    /// The least width at which [`wrapped`](Self::wrapped) breaks no word.
    pub fn narrowest(&self, hang: usize) -> usize {
        let indent = self.indent();
        let words = self.words().into_iter().enumerate();
        let needed =
            words.map(|(nth, (_, word))| indent + word.width() + if nth > 0 { hang } else { 0 });
        needed.max().unwrap_or(0)
    }

    fn indent(&self) -> usize {
        let mut indent = 0;
        for segment in &self.0 {
            let spaces = segment.text.chars().take_while(|&c| c == ' ').count();
            indent += spaces;
            if spaces < segment.text.chars().count() {
                break;
            }
        }
        indent
    }

    /// The words, each with how many spaces come before it.
    fn words(&self) -> Vec<(usize, Self)> {
        let mut words = Vec::new();
        let (mut gap, mut word) = (0, Self::new());
        for segment in &self.0 {
            for (nth, piece) in segment.text.split(' ').enumerate() {
                if nth > 0 && !word.0.is_empty() {
                    words.push((std::mem::take(&mut gap), std::mem::take(&mut word)));
                }
                gap += usize::from(nth > 0);
                word.push(segment.role, piece);
            }
        }
        if !word.0.is_empty() {
            words.push((gap, word));
        }
        words
    }

    fn split_at(self, width: usize) -> (Self, Self) {
        let (mut head, mut tail) = (Self::new(), Self::new());
        let mut left = width;
        for segment in self.0 {
            let first: String = segment.text.chars().take(left).collect();
            let rest: String = segment.text.chars().skip(left).collect();
            left -= first.chars().count();
            head.push(segment.role, first);
            tail.push(segment.role, rest);
        }
        (head, tail)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|s| f.write_str(&s.text))
    }
}

/// Several lines. Its `Display` is the text without any style, without trailing spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Line>);

impl Text {
    /// No line yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a line.
    pub fn line(&mut self, line: Line) {
        self.0.push(line);
    }

    /// Appends an empty line.
    pub fn gap(&mut self) {
        self.0.push(Line::new());
    }

    /// Appends a line, wrapped to `width` with continuations `hang` deeper.
    pub fn wrapped(&mut self, line: Line, width: usize, hang: usize) {
        self.0.extend(line.wrapped(width, hang));
    }

    /// Its lines.
    pub fn lines(&self) -> &[Line] {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            writeln!(f, "{}", line.to_string().trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        let lines = Line::of(Role::Plain, text).wrapped(width, 2);
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn wraps_at_spaces_under_its_own_indent() {
        assert_eq!(
            wrapped("  one two three four", 11),
            ["  one two", "    three", "    four"]
        );
    }

    #[test]
    fn padding_stays_where_the_line_is_not_broken() {
        assert_eq!(
            wrapped("  label    one two three", 16),
            ["  label    one", "    two three"]
        );
        assert_eq!(
            wrapped("  label          one two", 12),
            ["  label", "    one two"]
        );
    }

    #[test]
    fn knows_how_narrow_it_may_be() {
        let text = "  three eleven on";
        let line = Line::of(Role::Plain, text);
        assert_eq!(line.narrowest(2), 10);
        assert_eq!(wrapped(text, 10), ["  three", "    eleven", "    on"]);
        assert_eq!(wrapped(text, 9), ["  three", "    eleve", "    n on"]);
    }

    #[test]
    fn splits_a_word_that_fits_nowhere() {
        assert_eq!(wrapped("abcdefghij", 6), ["abcdef", "  ghij"]);
    }

    #[test]
    fn a_word_of_two_roles_stays_one_word() {
        let line = Line::of(Role::Plain, "x (")
            .and(Role::First, "1")
            .and(Role::Plain, ")");
        let lines: Vec<_> = line.wrapped(4, 0).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["x", "(1)"]);
    }
}
