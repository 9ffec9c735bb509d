//! From the expression as a person writes it to plain CEL: durations and sizes become what CEL has
//! for them, and an infix word becomes a comparison with a marker. Texts and comments stay as they
//! are. Nesting is bounded here, before a parser recurses.

use super::error::{Fault, Problem};

/// Brackets in brackets. The parser takes up to 150 KB of stack for each.
const MAX_DEPTH: usize = 8;
/// Operators and operands in a row, where no bracket, comma, `&&` or `||` parts them.
const MAX_CHAIN: usize = 64;

/// What an infix word stands between in CEL: `a word b` becomes `a == MARKER == b`.
pub(super) const INFIX: &[(&str, &str)] =
    &[("starts_with", "__starts_with"), ("ends_with", "__ends_with"), ("contains", "__contains")];

const SIZES: &[(&str, u64)] =
    &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// An expression in CEL, and where each of its bytes is from.
#[derive(Debug, Default)]
pub(super) struct Cel {
    pub(super) text: String,
    origins: Vec<usize>,
}

impl Cel {
    /// The byte of the expression that the byte `at` of the CEL text is from.
    pub(super) fn origin(&self, at: usize) -> usize {
        self.origins.get(at).or(self.origins.last()).copied().unwrap_or_default()
    }

    fn push(&mut self, text: &str, from: usize) {
        self.text += text;
        self.origins.extend(std::iter::repeat_n(from, text.len()));
    }

    fn copy(&mut self, text: &str, from: usize) {
        self.text += text;
        self.origins.extend(from..from + text.len());
    }
}

/// Writes `source` in CEL.
pub(super) fn to_cel(source: &str) -> Result<Cel, Fault> {
    let mut scan = Scan { source, at: 0, cel: Cel::default(), chains: vec![0] };
    while let Some(next) = scan.rest().chars().next() {
        scan.token(next)?;
    }
    // A syntax error at the end has a place, too.
    scan.cel.origins.push(source.trim_end().len());
    Ok(scan.cel)
}

struct Scan<'s> {
    source: &'s str,
    at: usize,
    cel: Cel,
    /// How long the chain is, for each bracket that is open.
    chains: Vec<usize>,
}

impl<'s> Scan<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The next token, which begins with `next`.
    fn token(&mut self, next: char) -> Result<(), Fault> {
        let rest = self.rest();
        if next.is_whitespace() {
            self.take(next.len_utf8());
            return Ok(());
        }
        if rest.starts_with("//") {
            self.take(rest.find('\n').unwrap_or(rest.len()));
            return Ok(());
        }
        if rest.starts_with("&&") || rest.starts_with("||") {
            self.restart_chain();
            self.take(2);
            return Ok(());
        }
        self.lengthen_chain()?;
        match next {
            '"' | '\'' => self.quoted(0, false)?,
            '(' | '[' | '{' => {
                self.chains.push(0);
                if self.chains.len() > MAX_DEPTH + 1 {
                    return Err(self.too_deep());
                }
                self.take(1);
            }
            ')' | ']' | '}' => {
                if self.chains.len() > 1 {
                    self.chains.pop();
                }
                self.take(1);
            }
            ',' => {
                self.restart_chain();
                self.take(1);
            }
            '?' => {
                return Err(Fault::misfit(
                    self.at,
                    "a rule cannot choose with ? and :, use && and ||",
                ));
            }
            _ if next.is_ascii_digit() => self.number()?,
            _ if next.is_ascii_alphabetic() || next == '_' => self.word()?,
            _ => self.take(next.len_utf8()),
        }
        Ok(())
    }

    fn take(&mut self, length: usize) {
        let (token, _) = self.rest().split_at(length);
        self.cel.copy(token, self.at);
        self.at += length;
    }

    fn replace(&mut self, length: usize, by: &str) {
        self.cel.push(by, self.at);
        self.at += length;
    }

    /// A text in quotes, which begins with a prefix of that length.
    fn quoted(&mut self, prefix: usize, raw: bool) -> Result<(), Fault> {
        let text = self.rest();
        let body = text.get(prefix..).unwrap_or_default();
        let quote = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| body.starts_with(quote))
            .unwrap_or("\"");
        let mut length = prefix + quote.len();
        loop {
            let rest = text.get(length..).unwrap_or_default();
            let Some(next) = rest.chars().next() else {
                return Err(Fault::syntax(self.at, "the text that begins here does not end"));
            };
            if rest.starts_with(quote) {
                self.take(length + quote.len());
                return Ok(());
            }
            length += next.len_utf8();
            if next == '\\' && !raw {
                length += text
                    .get(length..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(0, char::len_utf8);
            }
        }
    }

    /// A number, with its unit.
    fn number(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let digits =
            |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut length = digits(rest);
        if let Some(fraction) = rest.get(length..).and_then(|rest| rest.strip_prefix('.')) {
            let fraction = digits(fraction);
            length += if fraction > 0 { fraction + 1 } else { 0 };
        }
        let (number, rest) = rest.split_at(length);
        let unit =
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        let whole = length + unit.len();
        if is_part_of_the_number(number, unit) {
            self.take(whole);
        } else if ["ms", "s", "m", "h"].contains(&unit) {
            self.replace(whole, &format!("duration(\"{number}{unit}\")"));
        } else if let Some((_, factor)) = SIZES.iter().find(|(name, _)| *name == unit) {
            self.replace(whole, &format!("({number} * {factor})"));
        } else {
            let problem = Problem::UnknownUnit { unit: unit.to_owned() };
            return Err(Fault { at: self.at + length, problem });
        }
        Ok(())
    }

    /// A name or a word, or a text with a prefix.
    fn word(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (word, behind) = rest.split_at(rest.find(|c| !is_part(c)).unwrap_or(rest.len()));
        if behind.starts_with(['"', '\'']) && matches!(word, "r" | "R") {
            return self.quoted(word.len(), true);
        }
        // Behind a dot it is CEL's own: `client.contains("x")`.
        let is_method = self.cel.text.trim_end().ends_with('.');
        match INFIX.iter().find(|(infix, _)| *infix == word && !is_method) {
            Some((_, marker)) => self.replace(word.len(), &format!("== {marker} ==")),
            None => self.take(word.len()),
        }
        Ok(())
    }

    fn lengthen_chain(&mut self) -> Result<(), Fault> {
        if let Some(chain) = self.chains.last_mut() {
            *chain += 1;
            if *chain > MAX_CHAIN {
                return Err(self.too_deep());
            }
        }
        Ok(())
    }

    fn restart_chain(&mut self) {
        if let Some(chain) = self.chains.last_mut() {
            *chain = 0;
        }
    }

    fn too_deep(&self) -> Fault {
        Fault { at: self.at, problem: Problem::TooDeep { limit: MAX_DEPTH } }
    }
}

/// Whether letters behind digits are CEL's own: `0x1F`, `1e9`, `7u`.
fn is_part_of_the_number(number: &str, unit: &str) -> bool {
    let exponent = |unit: &str| {
        unit.strip_prefix(['e', 'E']).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
    };
    matches!(unit, "" | "u" | "U")
        || exponent(unit)
        || (number == "0" && unit.starts_with(['x', 'X']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cel(source: &str) -> String {
        to_cel(source).unwrap().text
    }

    fn fault(source: &str) -> Fault {
        to_cel(source).unwrap_err()
    }

    #[test]
    fn durations_sizes_and_infix_words_become_cel() {
        assert_eq!(
            cel("client starts_with \"-XL\" && downloaded < 1.5MiB && age > 2m"),
            "client == __starts_with == \"-XL\" && downloaded < (1.5 * 1048576) \
             && age > duration(\"2m\")"
        );
    }

    #[test]
    fn texts_and_comments_stay_as_they_are() {
        for source in [
            "\"2m \\\" starts_with 1KiB\"",
            "'2m \\' contains'",
            "r\"2m\\\"",
            "'''2m ' '' '''",
            "1 // 2min starts_with \"\n+ 0x1F + 1e9 + 1.5e3 + 7u",
        ] {
            assert_eq!(cel(source), source);
        }
    }

    #[test]
    fn each_byte_knows_where_it_is_from() {
        let source = "é > 2m && zz";
        let cel = to_cel(source).unwrap();
        let at = cel.text.find("zz").unwrap();
        assert_eq!(cel.origin(at), source.find("zz").unwrap());
        assert_eq!(cel.origin(cel.text.find("2m").unwrap()), source.find("2m").unwrap());
        assert_eq!(cel.origin(usize::MAX), source.len());
    }

    #[test]
    fn a_unit_that_there_is_not_is_told_with_its_place() {
        let problem = Problem::UnknownUnit { unit: "min".into() };
        assert_eq!(fault("age > 2min"), Fault { at: 7, problem });
        assert_eq!(fault("uploaded > 2MB").at, 12);
    }

    #[test]
    fn a_text_without_an_end_is_told_where_it_begins() {
        for source in ["a == \"b", "a == 'b\\'", "a == '''b'", "a == r\"b", "a == \"b\\"] {
            assert_eq!(fault(source).at, 5, "{source}");
        }
    }

    #[test]
    fn a_word_behind_a_dot_is_a_method() {
        assert_eq!(cel("client . contains('x')"), "client . contains('x')");
    }

    #[test]
    fn depth_and_length_are_bounded_before_a_parser_recurses() {
        assert!(to_cel(&("(".repeat(8) + "a")).is_ok());
        for source in [
            "(".repeat(9),
            "[{(".repeat(3),
            "a + ".repeat(33),
            "a[b]".repeat(40),
            "(a) == ".repeat(30),
            "!".repeat(65),
        ] {
            assert!(matches!(fault(&source).problem, Problem::TooDeep { limit: 8 }), "{source}");
        }
        assert!(to_cel(&"(a == b) || c, ".repeat(999)).is_ok());
    }
}
