//! Text that came from elsewhere (plans, scenarios, errors of commands and servers), made harmless before it is shown,
//! and laid out by the columns that it takes.

use std::{borrow::Cow, fmt};

/// One line without escape sequences, control characters and marks that turn the direction of writing.
pub(crate) fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' if rest.peek() == Some(&'[') => {
                // A colour or cursor sequence ends at its first letter; anything else in it is no sequence.
                rest.next();
                while rest.next_if(|c| matches!(c, '0'..='?' | ' '..='/')).is_some() {}
                rest.next_if(|c| matches!(c, '@'..='~'));
            }
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => clean.push(' '),
            // The last two are no characters, and XML may not hold them.
            c if c.is_control() || turns_direction(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => clean.push(c),
        }
    }
    clean
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// How every HTML template here writes text (askama.toml): no tag, attribute, control character or mark that turns the
/// direction of writing comes of it, whoever wrote it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Html;

impl askama::filters::Escaper for Html {
    fn write_escaped_str<W: fmt::Write>(&self, mut to: W, text: &str) -> fmt::Result {
        let foul = |c: char| (c.is_control() && c != '\n') || turns_direction(c);
        let text = if text.contains(foul) { Cow::Owned(plain(text)) } else { Cow::Borrowed(text) };
        let mut rest = &*text;
        while let Some(at) = rest.find(['<', '>', '&', '"', '\'']) {
            to.write_str(&rest[..at])?;
            to.write_str(match rest.as_bytes()[at] {
                b'<' => "&#60;",
                b'>' => "&#62;",
                b'&' => "&#38;",
                b'"' => "&#34;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        to.write_str(rest)
    }
}

/// The same, so that Markdown shows it as it is: no table cell, tag, link or emphasis comes of it.
pub(crate) fn markdown(text: &str) -> String {
    let plain = plain(text);
    let letters: Vec<char> = plain.chars().collect();
    let mut escaped = String::with_capacity(plain.len());
    let letter_at = |index: Option<usize>| index.and_then(|i| letters.get(i)).is_some_and(|c| c.is_alphanumeric());
    for (index, c) in letters.iter().copied().enumerate() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // Within a word an underscore stands for itself.
            '_' if letter_at(index.checked_sub(1)) && letter_at(Some(index + 1)) => escaped.push('_'),
            // A bracket makes a link, or defines one, by what follows it.
            ']' if matches!(letters.get(index + 1), Some('(' | '[' | ':')) => escaped.push_str("\\]"),
            '\\' | '`' | '*' | '_' | '|' | '~' | '#' => escaped.extend(['\\', c]),
            '+' | '-' | '=' | '[' if index == 0 => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Columns that a text takes on a terminal; wide East Asian characters take two.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(c: char) -> usize {
    match c {
        '\u{0300}'..='\u{036f}' | '\u{200b}'..='\u{200d}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// The text cut to that many columns, with `…` where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut taken = 0;
    for c in text.chars() {
        taken += columns_of(c);
        if taken >= width {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// The text padded with blanks to that many columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Lines of at most `width` columns: the first begins with `first`, the others with as many blanks. A word that is
/// longer than a line is broken.
pub(super) fn wrap(first: &str, text: &str, width: usize) -> String {
    let indent = columns(first);
    let room = width.saturating_sub(indent).max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for mut word in text.split_whitespace() {
        loop {
            let gap = usize::from(used > 0);
            if used + gap + columns(word) <= room {
                break;
            }
            if used > 0 {
                lines.push(String::new());
                used = 0;
                continue;
            }
            let (head, tail) = split_at_column(word, room);
            lines.push(String::new());
            let full = lines.len() - 2;
            lines[full].push_str(head);
            word = tail;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += columns(word);
        }
    }
    let blank = format!("\n{}", " ".repeat(indent));
    format!("{first}{}", lines.join(&blank))
}

fn split_at_column(word: &str, room: usize) -> (&str, &str) {
    let mut taken = 0;
    for (index, c) in word.char_indices() {
        taken += columns_of(c);
        if taken > room && index > 0 {
            return word.split_at(index);
        }
    }
    word.split_at(word.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_and_controls_do_not_reach_the_terminal() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\u{7}\u{8} and\r\nmore\u{202e}"), "red and  more");
        assert_eq!(plain("\u{1b}]0;title\u{7}text"), "]0;titletext");
    }

    #[test]
    fn markdown_shows_foreign_text_as_it_is() {
        let evil = "a|b\n# <script>[x](y)` *z* social_accounts _q_ &amp;";
        let harmless = r"a\|b \# &lt;script&gt;[x\](y)\` \*z\* social_accounts \_q\_ &amp;amp;";
        assert_eq!(markdown(evil), harmless);
    }

    #[test]
    fn html_shows_foreign_text_as_it_is() {
        let mut shown = String::new();
        let evil = "<b a=\"'\">&amp;\u{1b}[2J\u{7}\u{202e}\n\u{85}다";
        askama::filters::Escaper::write_escaped_str(&Html, &mut shown, evil).unwrap();
        assert_eq!(shown, "&#60;b a=&#34;&#39;&#34;&#62;&#38;amp; 다");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(columns("결제 ok"), 7);
        assert_eq!(cut("결제 내역", 6), "결제 …");
        assert_eq!(wrap("- ", "one two three", 9), "- one two\n  three");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_and_nothing_is_lost(text in "\\PC{0,80}", width in 4usize..60) {
            let wrapped = wrap("- ", &text, width);
            for line in wrapped.lines() {
                prop_assert!(columns(line) <= width, "{line:?}");
            }
            let letters = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&wrapped[2..]), letters(&text));
            prop_assert!(columns(&cut(&text, width)) <= width);
        }
    }
}
