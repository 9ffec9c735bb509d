//! Where in a file something stands.

/// Line and column of a byte, both from 1, the column in characters.
pub(super) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let at = (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// The byte in `raw`, a TOML string with its quotes, that the byte `at` of its value is from.
pub(super) fn in_quotes(raw: &str, at: usize) -> usize {
    let quote = ["\"\"\"", "'''"].into_iter().find(|quote| raw.starts_with(quote));
    let mut from = quote.map_or(1, str::len);
    if quote.is_some() {
        // A line break right behind the quotes belongs to them.
        let body = raw.get(from..).unwrap_or_default();
        from += if body.starts_with("\r\n") { 2 } else { usize::from(body.starts_with('\n')) };
    }
    if raw.starts_with('\'') {
        return from + at;
    }
    let mut value = 0;
    while value < at {
        let rest = raw.get(from..).unwrap_or_default();
        let Some(next) = rest.chars().next() else { break };
        let (raw_length, length) =
            if next == '\\' { escape(rest) } else { (next.len_utf8(), next.len_utf8()) };
        from += raw_length;
        value += length;
    }
    // What a line break at the end of a line has swallowed lies before what comes next.
    loop {
        match raw.get(from..).map(escape) {
            Some((length, 0)) if length > 0 => from += length,
            _ => return from,
        }
    }
}

/// How long an escape is, and what it stands for; zeros if there is none.
fn escape(text: &str) -> (usize, usize) {
    let Some(rest) = text.strip_prefix('\\') else { return (0, 0) };
    let digits = match rest.chars().next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(c) if c.is_ascii_whitespace() => {
            let swallowed = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            return (1 + swallowed, 0);
        }
        _ => return (2, 1),
    };
    let code = rest.get(1..=digits).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    (2 + digits, code.and_then(char::from_u32).map_or(1, char::len_utf8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_1_and_in_characters() {
        let text = "aé\nöx";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, text.find('x').unwrap()), (2, 2));
        assert_eq!(line_and_column(text, 2), (1, 2));
        assert_eq!(line_and_column(text, 999), (2, 3));
    }

    #[test]
    fn each_byte_of_a_value_is_found_in_its_quotes() {
        for (raw, value) in [
            ("'a \\n x'", "a \\n x"),
            ("\"a \\\"b\\\" \\n x\"", "a \"b\" \n x"),
            ("\"\\u00e9 \\U0001F600 \\x41 \u{e9} x\"", "\u{e9} \u{1F600} A \u{e9} x"),
            ("'''\na\n x'''", "a\n x"),
            ("\"\"\"\r\na \\\n   \\\n  x\"\"\"", "a x"),
        ] {
            assert_eq!(in_quotes(raw, value.find('x').unwrap()), raw.rfind('x').unwrap(), "{raw}");
        }
        assert!(in_quotes("\"a\\", 99) < 9);
    }
}
