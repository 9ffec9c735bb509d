//! Which names a person does not want in the torrent.

use globset::GlobMatcher;

use crate::exit::{Exit, Failure};
use crate::pattern;

/// The patterns of `--exclude`, and which of them met something.
#[derive(Debug)]
pub(super) struct Excluded(Vec<Pattern>);

#[derive(Debug)]
struct Pattern {
    text: String,
    matcher: GlobMatcher,
    met: bool,
}

impl Excluded {
    /// Reads the patterns. One without a `/` is about names at any depth, any other about paths below
    /// the torrent's folder.
    ///
    /// # Errors
    /// The first pattern that is none.
    pub(super) fn of(patterns: &[String]) -> Result<Self, Failure> {
        patterns.iter().map(|text| Pattern::of(text)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the file or folder at a path below the torrent's folder, with `/` between names, is to
    /// be left out.
    pub(super) fn has(&mut self, path: &str) -> bool {
        let mut any = false;
        for pattern in &mut self.0 {
            if pattern.matcher.is_match(path) {
                pattern.met = true;
                any = true;
            }
        }
        any
    }

    /// The patterns that met nothing: a person may have meant something else.
    pub(super) fn unmet(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|pattern| !pattern.met).map(|pattern| pattern.text.as_str())
    }
}

impl Pattern {
    fn of(text: &str) -> Result<Self, Failure> {
        let refused =
            |why: &str| Failure::new(Exit::Refused, format_args!("--exclude {text}: {why}"));
        let matcher = pattern::matcher(text).map_err(|why| refused(&why))?;
        Ok(Self { text: text.to_owned(), matcher, met: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        Excluded::of(&[pattern.to_owned()]).unwrap().has(path)
    }

    #[test]
    fn a_pattern_without_a_slash_is_about_names_at_any_depth() {
        assert!(matches("*.log", "a.log"));
        assert!(matches("*.log", "x/y/a.log"));
        assert!(matches("drafts", "x/drafts"));
        assert!(matches("drafts/", "drafts"));
        assert!(!matches("*.log", "a.log/b"));
        assert!(!matches("draft", "drafts"));
    }

    #[test]
    fn a_pattern_with_a_slash_is_about_the_path() {
        assert!(matches("/a.log", "a.log"));
        assert!(!matches("/a.log", "x/a.log"));
        assert!(matches("x/*.log", "x/a.log"));
        assert!(!matches("x/*.log", "x/y/a.log"));
        assert!(matches("x/**/a.{log,txt}", "x/y/z/a.txt"));
    }

    #[test]
    fn a_pattern_that_is_none_is_named() {
        for text in ["[a", "{a", "", "/"] {
            let failure = Excluded::of(&[text.to_owned()]).unwrap_err();
            assert!(failure.message.starts_with(&format!("--exclude {text}: ")), "{failure:?}");
        }
    }

    #[test]
    fn patterns_that_met_nothing_are_known() {
        let mut excluded = Excluded::of(&["a".to_owned(), "b".to_owned()]).unwrap();
        assert!(excluded.has("a"));
        assert!(!excluded.has("c"));
        assert_eq!(excluded.unmet().collect::<Vec<_>>(), ["b"]);
    }
}
