//! From CEL's tree to a [`Test`]: names are looked up, types are checked, all at once. What CEL has
//! and a rule does not is refused here.

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SourceInfo};

use super::address::Ranges;
use super::error::{Fault, Problem};
use super::facts::{FACTS, Fact, Read};
use super::sugar::{Cel, INFIX};
use super::test::{Arithmetic, How, Number, Relation, Test};
use super::typing::{TextFact, Typed};
use crate::registry::parse_duration;

const RELATIONS: &[(&str, &str, Relation)] = &[
    ("_<_", "<", Relation::Less),
    ("_<=_", "<=", Relation::LessOrEqual),
    ("_==_", "==", Relation::Equal),
    ("_!=_", "!=", Relation::Unequal),
    ("_>=_", ">=", Relation::GreaterOrEqual),
    ("_>_", ">", Relation::Greater),
];

const ARITHMETIC: &[(&str, &str, Arithmetic)] = &[
    ("_+_", "+", Arithmetic::Add),
    ("_-_", "-", Arithmetic::Subtract),
    ("_*_", "*", Arithmetic::Multiply),
    ("_/_", "/", Arithmetic::Divide),
];

/// How CEL and the infix words call what is done with texts.
const TEXTS: &[(&str, &str, How)] = &[
    ("starts_with", "startsWith", How::StartsWith),
    ("ends_with", "endsWith", How::EndsWith),
    ("contains", "contains", How::Contains),
];

/// A walk over one tree.
pub(super) struct Lowering<'c> {
    cel: &'c Cel,
    info: &'c SourceInfo,
    facts: Vec<&'static Fact>,
}

impl<'c> Lowering<'c> {
    pub(super) fn new(cel: &'c Cel, info: &'c SourceInfo) -> Self {
        Self { cel, info, facts: Vec::new() }
    }

    /// The facts that were named, each once.
    pub(super) fn into_facts(self) -> Vec<&'static Fact> {
        self.facts
    }

    pub(super) fn lower<'e>(&mut self, node: &'e IdedExpr) -> Result<Typed<'e>, Fault> {
        let at = self.at(node);
        match &node.expr {
            Expr::Ident(name) => self.fact(at, name),
            Expr::Literal(literal) => literal_of(at, literal),
            Expr::List(list) => {
                let parts = list.elements.iter().map(|part| Ok((self.at(part), self.lower(part)?)));
                parts.collect::<Result<_, _>>().map(Typed::List)
            }
            Expr::Call(call) => self.call(at, call),
            Expr::Select(_) => {
                Err(Fault::misfit(at, "a fact has no parts, so no dot belongs here"))
            }
            Expr::Comprehension(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err(Fault::misfit(
                    at,
                    "this has no place in a rule: there are facts, texts, numbers and lists",
                ))
            }
        }
    }

    /// The byte of the expression at which `node` begins. CEL has the place of the operator for
    /// what is made of two.
    fn at(&self, node: &IdedExpr) -> usize {
        let start = self.info.offset_for(node.id).map_or(0, |(start, _)| start);
        self.cel.origin(usize::try_from(start).unwrap_or(usize::MAX))
    }

    fn fact(&mut self, at: usize, name: &str) -> Result<Typed<'static>, Fault> {
        let Some(fact) = FACTS.iter().find(|fact| fact.name == name) else {
            if let Some((infix, _)) = INFIX.iter().find(|(_, marker)| *marker == name) {
                return Err(Fault::syntax(at, format!("{infix} stands between two texts")));
            }
            let name = name.to_owned();
            let like = alike(&name);
            return Err(Fault { at, problem: Problem::UnknownFact { name, like } });
        };
        if !self.facts.iter().any(|known| known.name == fact.name) {
            self.facts.push(fact);
        }
        Ok(match fact.read {
            Read::Flag(of) => Typed::Test(Test::Flag(of)),
            Read::Until(of) => Typed::Test(Test::Until(of)),
            Read::Number(of) => Typed::Number(Number::Fact(of)),
            Read::Age(of) => Typed::Age(of),
            Read::Text(of, values) => {
                Typed::Text(TextFact { name: fact.name, of, values, lower: false })
            }
            Read::Address(of) => Typed::Address(of),
        })
    }

    fn call<'e>(&mut self, at: usize, call: &'e CallExpr) -> Result<Typed<'e>, Fault> {
        let name = call.func_name.as_str();
        match (&call.target, call.args.as_slice()) {
            (None, [a, b]) => match infix(name, a) {
                Some((text, how)) => {
                    let (text, parts) = (self.lower(text)?, self.lower(b)?);
                    text_test(at, how, text, parts)
                }
                None => self.binary(at, name, a, b),
            },
            (None, [a]) => self.unary(at, name, a),
            (Some(text), [part]) if TEXTS.iter().any(|(_, method, _)| *method == name) => {
                let how = TEXTS.iter().find(|(_, method, _)| *method == name).map(|text| text.2);
                let (text, part) = (self.lower(text)?, self.lower(part)?);
                text_test(at, how.unwrap_or(How::Contains), text, part)
            }
            _ => Err(unknown_function(at, name)),
        }
    }

    fn unary<'e>(&mut self, at: usize, name: &str, a: &'e IdedExpr) -> Result<Typed<'e>, Fault> {
        let value = self.lower(a)?;
        match (name, value) {
            ("!_", Typed::Test(test)) => Ok(Typed::Test(Test::Not(Box::new(test)))),
            ("-_", Typed::Number(number)) => Ok(Typed::Number(Number::Minus(Box::new(number)))),
            ("lower", Typed::Text(text)) => Ok(Typed::Text(TextFact { lower: true, ..text })),
            ("duration", Typed::Literal(text)) => parse_duration(text)
                .map(|duration| {
                    Typed::Duration(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
                })
                .map_err(|error| Fault { at, problem: Problem::Duration(error) }),
            ("!_" | "-_" | "lower" | "duration", value) => {
                let name = name.trim_end_matches('_');
                Err(Fault::misfit(at, format!("{name} does not go with a {}", value.kind())))
            }
            _ => Err(unknown_function(at, name)),
        }
    }

    fn binary<'e>(
        &mut self,
        at: usize,
        name: &str,
        a: &'e IdedExpr,
        b: &'e IdedExpr,
    ) -> Result<Typed<'e>, Fault> {
        let (a, b) = (self.lower(a)?, self.lower(b)?);
        if let Some((_, sign, relation)) = RELATIONS.iter().find(|row| row.0 == name) {
            return relate(at, sign, *relation, a, b).map(Typed::Test);
        }
        if let Some((_, sign, arithmetic)) = ARITHMETIC.iter().find(|row| row.0 == name) {
            return match (a, b) {
                (Typed::Number(a), Typed::Number(b)) => {
                    Ok(Typed::Number(Number::Sum(*arithmetic, Box::new(a), Box::new(b))))
                }
                (a, b) => Err(mismatch(at, sign, &a, &b)),
            };
        }
        match (name, a, b) {
            ("_&&_", Typed::Test(a), Typed::Test(b)) => Ok(Typed::Test(all(a, b))),
            ("_||_", Typed::Test(a), Typed::Test(b)) => Ok(Typed::Test(any(a, b))),
            ("@in", a, b) => within(at, a, b).map(Typed::Test),
            ("in_range", a @ Typed::Address(_), b @ (Typed::Literal(_) | Typed::List(_))) => {
                within(at, a, b).map(Typed::Test)
            }
            ("_&&_" | "_||_" | "in_range", a, b) => {
                Err(mismatch(at, name.trim_matches('_'), &a, &b))
            }
            _ => Err(unknown_function(at, name)),
        }
    }
}

/// `a == MARKER`, which an infix word leaves at the left of `== b`.
fn infix<'e>(name: &str, left: &'e IdedExpr) -> Option<(&'e IdedExpr, How)> {
    let Expr::Call(call) = &left.expr else { return None };
    let [text, marker] = call.args.as_slice() else { return None };
    let Expr::Ident(marker) = &marker.expr else { return None };
    let (word, _) = INFIX.iter().find(|(_, known)| known == marker)?;
    let how = TEXTS.iter().find(|(infix, ..)| infix == word)?.2;
    (name == "_==_" && call.func_name == "_==_").then_some((text, how))
}

fn literal_of(at: usize, literal: &LiteralValue) -> Result<Typed<'_>, Fault> {
    // Numbers beyond 2^53 are beyond every count that they are compared with.
    #[expect(clippy::cast_precision_loss)]
    Ok(match literal {
        LiteralValue::Boolean(value) => Typed::Test(Test::Constant(*value.inner())),
        LiteralValue::Int(value) => Typed::Number(Number::Constant(*value.inner() as f64)),
        LiteralValue::UInt(value) => Typed::Number(Number::Constant(*value.inner() as f64)),
        LiteralValue::Double(value) => Typed::Number(Number::Constant(*value.inner())),
        LiteralValue::String(text) => Typed::Literal(text.inner()),
        LiteralValue::Bytes(_) | LiteralValue::Null => {
            return Err(Fault::misfit(
                at,
                "there are texts, numbers, true and false, nothing else",
            ));
        }
    })
}

fn relate(
    at: usize,
    sign: &str,
    relation: Relation,
    a: Typed<'_>,
    b: Typed<'_>,
) -> Result<Test, Fault> {
    let equality = matches!(relation, Relation::Equal | Relation::Unequal);
    let says = |test: Test| match relation {
        Relation::Unequal => Test::Not(Box::new(test)),
        _ => test,
    };
    match (a, b) {
        (Typed::Number(a), Typed::Number(b)) => Ok(Test::Numbers(relation, a, b)),
        (Typed::Age(a), Typed::Duration(b)) => Ok(Test::Age(relation, a, b)),
        (Typed::Duration(a), Typed::Age(b)) => Ok(Test::Age(relation.mirrored(), b, a)),
        (Typed::Age(a), Typed::Age(b)) => Ok(Test::Ages(relation, a, b)),
        (Typed::Test(a), Typed::Test(b)) if equality => {
            Ok(says(Test::Same(Box::new(a), Box::new(b))))
        }
        (text @ Typed::Text(_), literal @ Typed::Literal(_))
        | (literal @ Typed::Literal(_), text @ Typed::Text(_))
            if equality =>
        {
            equals(at, text, literal).map(says)
        }
        (address @ Typed::Address(_), literal @ Typed::Literal(_))
        | (literal @ Typed::Literal(_), address @ Typed::Address(_))
            if equality =>
        {
            within(at, address, literal).map(says)
        }
        (a, b) => Err(mismatch(at, sign, &a, &b)),
    }
}

/// Whether a text is one of those given.
fn equals(at: usize, text: Typed<'_>, parts: Typed<'_>) -> Result<Test, Fault> {
    if let Typed::Text(TextFact { name, values, .. }) = text {
        let literals = match &parts {
            Typed::List(parts) => parts.as_slice(),
            other => &[(at, other.clone())],
        };
        for (at, literal) in literals {
            if let Typed::Literal(value) = literal
                && !values.is_empty()
                && !values.contains(value)
            {
                let value = (*value).to_owned();
                return Err(Fault {
                    at: *at,
                    problem: Problem::NeverSo { fact: name, value, values },
                });
            }
        }
    }
    match text_test(at, How::Equals, text, parts)? {
        Typed::Test(test) => Ok(test),
        other => Err(Fault::misfit(at, other.kind())),
    }
}

fn text_test<'e>(
    at: usize,
    how: How,
    text: Typed<'_>,
    parts: Typed<'_>,
) -> Result<Typed<'e>, Fault> {
    let word = match how {
        How::Equals => "==",
        how => TEXTS.iter().find(|text| text.2 == how).map_or("", |text| text.0),
    };
    let Typed::Text(fact) = text else {
        return Err(mismatch(at, word, &text, &parts));
    };
    let parts = match parts {
        Typed::Literal(part) => [Box::from(part)].into(),
        Typed::List(parts) => parts
            .into_iter()
            .map(|(at, part)| match part {
                Typed::Literal(part) => Ok(Box::from(part)),
                other => Err(mismatch(at, word, &text, &other)),
            })
            .collect::<Result<_, _>>()?,
        other => return Err(mismatch(at, word, &text, &other)),
    };
    Ok(Typed::Test(Test::Text { of: fact.of, lower: fact.lower, how, parts }))
}

/// `a in b`.
fn within(at: usize, a: Typed<'_>, b: Typed<'_>) -> Result<Test, Fault> {
    match (a, b) {
        (Typed::Address(of), Typed::Literal(range)) => {
            let ranges = Ranges::parse([range].into_iter());
            ranges.map(|ranges| Test::Address(of, ranges)).map_err(|problem| Fault { at, problem })
        }
        (a @ Typed::Address(of), Typed::List(parts)) => {
            let mut texts = Vec::with_capacity(parts.len());
            for (at, part) in parts {
                let Typed::Literal(range) = part else {
                    return Err(mismatch(at, "in", &a, &part));
                };
                // One by one, so that an error has its own place.
                Ranges::parse([range].into_iter()).map_err(|problem| Fault { at, problem })?;
                texts.push(range);
            }
            let ranges = Ranges::parse(texts.into_iter());
            ranges.map(|ranges| Test::Address(of, ranges)).map_err(|problem| Fault { at, problem })
        }
        (a @ Typed::Text(_), b @ Typed::List(_)) => equals(at, a, b),
        (Typed::Number(number), Typed::List(parts)) => parts
            .into_iter()
            .map(|(at, part)| {
                relate(at, "in", Relation::Equal, Typed::Number(number.clone()), part)
            })
            .collect::<Result<_, _>>()
            .map(Test::Any),
        (a, b) => Err(mismatch(at, "in", &a, &b)),
    }
}

fn all(a: Test, b: Test) -> Test {
    let parts = |test| if let Test::All(parts) = test { parts } else { vec![test] };
    let mut tests = parts(a);
    tests.extend(parts(b));
    Test::All(tests)
}

fn any(a: Test, b: Test) -> Test {
    let parts = |test| if let Test::Any(parts) = test { parts } else { vec![test] };
    let mut tests = parts(a);
    tests.extend(parts(b));
    Test::Any(tests)
}

fn mismatch(at: usize, sign: &str, a: &Typed<'_>, b: &Typed<'_>) -> Fault {
    let hint = match (a, b) {
        (Typed::Age(_), Typed::Number(_)) | (Typed::Number(_), Typed::Age(_)) => {
            "; an age is compared with a duration such as 2m"
        }
        (Typed::Number(_), Typed::Duration(_)) | (Typed::Duration(_), Typed::Number(_)) => {
            "; a duration is compared with an age"
        }
        _ => "",
    };
    Fault::misfit(at, format!("{sign} does not go between {} and {}{hint}", a.kind(), b.kind()))
}

fn unknown_function(at: usize, name: &str) -> Fault {
    let message = match name.trim_matches(['_', '@']) {
        name if name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            format!(
                "there is no {name}(...) with so many parts; there are lower, in_range, duration"
            )
        }
        sign => format!("{sign} has no place in a rule"),
    };
    Fault::misfit(at, message)
}

/// The fact whose name takes the fewest changes to become `name`, if they are few.
fn alike(name: &str) -> Option<&'static str> {
    // More would only be longer than every fact.
    let name = name.get(..name.len().min(40))?;
    FACTS
        .iter()
        .map(|fact| (distance(name, fact.name), fact.name))
        .filter(|&(distance, fact)| distance <= fact.len().max(name.len()) / 3)
        .min()
        .map(|(_, fact)| fact)
}

/// How many letters must be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
