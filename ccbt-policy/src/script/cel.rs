//! The parser of the language, which is the crate `cel`'s, and what an expression becomes: a test.

use cel::parser::Parser;

use super::error::{Fault, Problem};
use super::facts::Fact;
use super::lower::Lowering;
use super::sugar::{self, Cel, INFIX};
use super::test::Test;
use super::typing::Typed;

/// Bytes of one expression: a list of some 2,000 ranges of addresses.
const MAX_LENGTH: usize = 32 * 1024;

/// An expression, checked and ready.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) test: Test,
    /// The facts that it names, each once.
    pub(super) facts: Vec<&'static Fact>,
}

/// Compiles an expression that is true or false.
pub(super) fn compile(source: &str) -> Result<Compiled, Fault> {
    if source.len() > MAX_LENGTH {
        let (length, limit) = (source.len(), MAX_LENGTH);
        return Err(Fault {
            at: 0,
            problem: Problem::TooLong { what: "the expression", length, limit },
        });
    }
    if source.trim().is_empty() {
        return Err(Fault::syntax(0, "the expression is empty"));
    }
    let cel = sugar::to_cel(source)?;
    // Of several errors only the first is told, so there is little to recover for.
    let parser = Parser::new().error_recovery_limit(1);
    let (expression, info) = parser
        .parse_with_source_info(&cel.text)
        .map_err(|errors| syntax(source, &cel, &errors.errors))?;
    let mut lowering = Lowering::new(&cel, &info);
    let test = match lowering.lower(&expression)? {
        Typed::Test(test) => test,
        other => {
            let message = format!("a rule is true or false, and this is a {}", other.kind());
            return Err(Fault::misfit(0, message));
        }
    };
    Ok(Compiled { test, facts: lowering.into_facts() })
}

/// The first error of the parser, in words for a person.
fn syntax(source: &str, cel: &Cel, errors: &[cel::ParseError]) -> Fault {
    // That it has given up says nothing about what is wrong.
    let telling = errors.iter().find(|error| !error.msg.contains("recovery attempt limit"));
    let Some(error) = telling.or(errors.first()) else {
        return Fault::syntax(0, "this is no expression");
    };
    let at = cel.origin(byte_at(&cel.text, error.pos));
    let here = source.get(at..).unwrap_or_default();
    // Of an infix word the parser has seen what stands for it.
    let message = match INFIX.iter().find(|(infix, _)| here.starts_with(infix)) {
        Some((infix, _)) => format!("{infix} does not belong here"),
        None => hint(here).map_or_else(|| in_words(&error.msg), str::to_owned),
    };
    Fault::syntax(at, message)
}

/// What is written otherwise in most languages that a person may come from.
fn hint(here: &str) -> Option<&'static str> {
    let word = here.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    match word {
        "and" => Some("write && for and"),
        "or" => Some("write || for or"),
        "" if here.starts_with('=') => Some("write == to compare"),
        "" if here.starts_with('&') && !here.starts_with("&&") => Some("write && for and"),
        "" if here.starts_with('|') && !here.starts_with("||") => Some("write || for or"),
        _ => None,
    }
}

/// What the parser says, without its own terms and without all that could stand there instead.
fn in_words(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message).replace('\n', " ");
    let message = message.split(" expecting ").next().unwrap_or_default();
    let unexpected = [
        "mismatched input ",
        "extraneous input ",
        "no viable alternative at input ",
        "token recognition error at: ",
    ];
    match unexpected.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        Some("'<EOF>'") => "something is missing here".to_owned(),
        Some(token) => format!("{} does not belong here", token.trim_matches('\'').trim()),
        None => message.replace("'<EOF>'", "the end"),
    }
}

/// The byte at a line and a column, both from 1, the column in characters.
fn byte_at(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line - 1).unwrap_or_default();
    let column = usize::try_from(column - 1).unwrap_or_default();
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let line = text.get(before..).unwrap_or_default();
    before + line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests;
