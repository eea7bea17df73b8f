//! The colours of text. What is not a terminal gets none: `anstream` strips them.

use anstyle::{AnsiColor, Style};
use gupcheck_trace::{Line, Role};

use crate::harmless::harmless;

const fn style(role: Role) -> Style {
    match role {
        Role::Plain => Style::new(),
        Role::Heading => Style::new().bold(),
        Role::Good => AnsiColor::Green.on_default().bold(),
        Role::Caution => AnsiColor::Yellow.on_default().bold(),
        Role::Alarm => AnsiColor::Red.on_default().bold(),
        Role::First => AnsiColor::Magenta.on_default().bold(),
        Role::Second => AnsiColor::Cyan.on_default().bold(),
        Role::Function => AnsiColor::Blue.on_default(),
        Role::Stale => AnsiColor::Yellow.on_default(),
        Role::Dim => Style::new().dimmed(),
    }
}

/// A line with its colours, without trailing spaces.
pub(crate) fn painted(line: &Line) -> String {
    let mut painted = String::new();
    let segments = line.segments();
    let end = (segments
        .iter()
        .rposition(|segment| !segment.text.trim_end().is_empty()))
    .map_or(0, |last| last + 1);
    for (nth, segment) in segments[..end].iter().enumerate() {
        let text = if nth + 1 == end {
            segment.text.trim_end()
        } else {
            &segment.text
        };
        let style = style(segment.role);
        painted.extend([style.render().to_string(), harmless(text).into_owned()]);
        painted.push_str(&style.render_reset().to_string());
    }
    painted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        let line = Line::of(Role::Plain, "  a  b   ").and(Role::Plain, " ");
        assert_eq!(painted(&line), "  a  b");
    }

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        let line = Line::of(Role::Plain, "a\u{1b}[2Jb\u{9b}c\u{7}");
        assert_eq!(painted(&line), "a\\u{1b}[2Jb\\u{9b}c\\u{7}");
    }

    #[test]
    fn a_style_ends_where_its_piece_ends() {
        let line = Line::of(Role::Heading, "a").and(Role::Plain, " b");
        assert_eq!(painted(&line), "\u{1b}[1ma\u{1b}[0m b");
    }
}
