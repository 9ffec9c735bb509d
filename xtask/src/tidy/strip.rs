//! Rust source without its comments and the insides of its texts, so that words can be looked for in code alone.

/// `text` with comments, strings and characters blanked; line breaks stay where they are.
pub(super) fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_word = out.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let skipped = skipped(rest, after_word);
        if skipped > 0 {
            out.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// How many bytes at the start of `rest` are a comment or a literal; 0 if it begins with code.
fn skipped(rest: &str, after_word: bool) -> usize {
    if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if rest.starts_with('"') {
        string(rest)
    } else if rest.starts_with('r') && !after_word {
        raw_string(rest, 1)
    } else if rest.starts_with("br") && !after_word {
        raw_string(rest, 2)
    } else if rest.starts_with('\'') {
        character(rest)
    } else {
        0
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string(rest: &str, prefix: usize) -> usize {
    let hashes = rest[prefix..].bytes().take_while(|&byte| byte == b'#').count();
    let open = prefix + hashes;
    if !rest[open..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    rest[open + 1..].find(&close).map_or(rest.len(), |at| open + 1 + at + close.len())
}

/// A character literal, as opposed to a lifetime.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest
            .char_indices()
            .skip(3)
            .find(|&(_, c)| c == '\'')
            .map_or(rest.len(), |(at, _)| at + 1),
        Some(_) => match chars.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::code_only;

    #[test]
    fn comments_and_strings_are_blanked_and_lines_stay() {
        let code = code_only("a /* b\n c */ d // e\n\"f \\\" g\" h r#\"i\" j\"# k br\"l\" m");
        let words: Vec<_> = code.split_whitespace().collect();
        assert_eq!(words, ["a", "d", "h", "k", "m"]);
        assert_eq!(code.lines().count(), 3);
    }

    #[test]
    fn a_quote_as_a_character_opens_no_string() {
        assert_eq!(
            code_only("x('\"') y '\\'' z").split_whitespace().collect::<Vec<_>>(),
            ["x(", ")", "y", "z"]
        );
    }

    #[test]
    fn a_lifetime_is_no_character() {
        assert_eq!(code_only("fn f<'a>(x: &'a str)"), "fn f<'a>(x: &'a str)");
    }

    #[test]
    fn unfinished_text_ends_with_the_file() {
        assert_eq!(code_only("a \"bc").trim(), "a");
        assert_eq!(code_only("a /* b /* c */").trim(), "a");
        assert_eq!(code_only("for r in x").trim(), "for r in x");
    }
}
