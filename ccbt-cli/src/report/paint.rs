//! Colours and signs that the terminal can show, and the person wants to see.

use std::env;

/// How the line may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paint {
    colour: bool,
    unicode: bool,
}

impl Paint {
    /// Plain ASCII.
    pub(crate) const PLAIN: Self = Self { colour: false, unicode: false };

    /// What a terminal may get: no colour with `NO_COLOR` set, plain signs where the locale has no
    /// others.
    pub(crate) fn of_terminal() -> Self {
        Self::of(|name| env::var(name).ok())
    }

    fn of(environment: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(set)
            .unwrap_or_default()
            .to_lowercase();
        Self {
            colour: set("NO_COLOR").is_none(),
            unicode: locale.contains("utf-8") || locale.contains("utf8"),
        }
    }

    /// The signs of a bar: done, and still to do.
    pub(crate) fn bar(self) -> (&'static str, &'static str) {
        if self.unicode { ("━", "─") } else { ("#", "-") }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Text from outside with nothing in it that a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || is_bidi(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// Signs that turn the direction of writing, and with it the meaning of a line.
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_from_outside_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\r\n\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c");
    }

    #[test]
    fn the_environment_says_what_the_terminal_shows() {
        let paint = |set: &[(&str, &str)]| {
            Paint::of(|name| set.iter().find(|(key, _)| *key == name).map(|(_, v)| (*v).to_owned()))
        };
        let (bright, plain) = (Paint { colour: true, unicode: true }, Paint::PLAIN);
        assert_eq!(paint(&[("LANG", "de_DE.UTF-8")]), bright);
        assert_eq!(paint(&[("LANG", "de_DE.UTF-8"), ("NO_COLOR", "")]), bright);
        let without = Paint { colour: false, unicode: true };
        assert_eq!(paint(&[("LANG", "de_DE.UTF-8"), ("NO_COLOR", "1")]), without);
        assert_eq!(paint(&[("LC_ALL", "C"), ("LANG", "de_DE.utf8"), ("NO_COLOR", "1")]), plain);
    }

    #[test]
    fn colour_wraps_text_and_nothing_else() {
        let paint = Paint { colour: true, unicode: true };
        assert_eq!(paint.bold("x"), "\x1b[1mx\x1b[0m");
        assert_eq!(paint.bold(""), "");
        assert_eq!(Paint::PLAIN.bold("x"), "x");
    }
}
