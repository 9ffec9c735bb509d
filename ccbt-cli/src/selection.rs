//! From what a person says about files to a choice among those of a torrent.

use std::path::Path;

use ccbt_peer::wire::Metainfo;
use ccbt_peer::wire::magnet::FileSelection;
use ccbt_peer::{Choice, Priority};
use globset::GlobMatcher;

use crate::args;
use crate::exit::{Exit, Failure};
use crate::pattern;
use crate::print::slashed;
use crate::report::{printable, units};

/// Files, in a person's words.
#[derive(Clone, Debug)]
pub(crate) struct FileSpec {
    text: String,
    /// All but these.
    except: bool,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    /// Numbers from 0, first and last; without a last, to the end.
    Numbers(Vec<(usize, Option<usize>)>),
    /// A pattern, or a name to the letter.
    Pattern { name: String, matcher: Option<GlobMatcher> },
}

impl FileSpec {
    /// Reads `0,3-5,9-`, a pattern or a path; with `!` in front, all but these.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (except, words) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let numeric = |c: char| c.is_ascii_digit() || c == ',' || c == '-';
        let is_numeric = words.contains(|c: char| c.is_ascii_digit()) && words.chars().all(numeric);
        let kind = if is_numeric {
            Kind::Numbers(words.split(',').map(range).collect::<Result<_, _>>()?)
        } else {
            let matcher = pattern::matcher(words);
            // A name is taken to the letter first, and need not be a pattern; but it must be something.
            if words.trim_matches('/').is_empty() {
                return Err("the pattern is empty".to_owned());
            }
            let name = words.trim_end_matches('/').to_owned();
            let brackets = |c| matches!(c, '[' | ']' | '{' | '}');
            match matcher {
                Err(why) if !words.contains(brackets) => return Err(why),
                matcher => Kind::Pattern { name, matcher: matcher.ok() },
            }
        };
        Ok(Self { text: text.to_owned(), except, kind })
    }

    /// The places of the files that it means.
    ///
    /// # Errors
    /// If it means none, or names one that the torrent does not have.
    fn find(&self, option: &str, metainfo: &Metainfo) -> Result<Vec<usize>, Failure> {
        let refused = |why: String| {
            Failure::new(Exit::Refused, format_args!("{option} {}: {why}", printable(&self.text)))
        };
        let files = metainfo.files();
        let mut found: Vec<usize> = match &self.kind {
            Kind::Numbers(ranges) => {
                let last = files.len() - 1;
                for number in ranges.iter().flat_map(|(first, to)| [Some(*first), *to]).flatten() {
                    if number > last {
                        let why = format!(
                            "there is no file {number}, only 0 to {last} (ccbt get --list)"
                        );
                        return Err(refused(why));
                    }
                }
                ranges.iter().flat_map(|(first, to)| *first..=to.unwrap_or(last)).collect()
            }
            Kind::Pattern { name, matcher } => {
                let paths = (0..).zip(files).map(|(index, file)| (index, slashed(&file.path)));
                let named: Vec<usize> = (paths.clone())
                    .filter(|(_, path)| is_named(path, name))
                    .map(|(index, _)| index)
                    .collect();
                if named.is_empty()
                    && let Some(matcher) = matcher
                {
                    paths.filter(|(_, path)| fits(path, matcher)).map(|(index, _)| index).collect()
                } else {
                    named
                }
            }
        };
        found.retain(|index| !files[*index].pad);
        if found.is_empty() {
            return Err(refused("no file is meant by it (ccbt get --list)".to_owned()));
        }
        Ok(found)
    }
}

fn range(text: &str) -> Result<(usize, Option<usize>), String> {
    let malformed = || format!("{text:?} is no number or range, as in 3, 1-4 or 7-");
    let number = |text: &str| text.parse::<usize>().map_err(|_| malformed());
    match text.split_once('-') {
        None => number(text).map(|only| (only, Some(only))),
        Some((first, "")) => number(first).map(|first| (first, None)),
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            if first > last {
                return Err(format!("{text} begins behind its end"));
            }
            Ok((first, Some(last)))
        }
    }
}

/// The path below the torrent's folder; a torrent of one file has none.
fn below(path: &str) -> &str {
    path.split_once('/').map_or(path, |(_, below)| below)
}

/// Whether the file, or a folder around it, has this name or path to the letter. With a / in front it is a
/// path from the top.
fn is_named(path: &str, name: &str) -> bool {
    let (name, anywhere) = match name.strip_prefix('/') {
        Some(name) => (name, false),
        None => (name, true),
    };
    let at = |path: &str| {
        path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'))
    };
    at(path) || at(below(path)) || (anywhere && path.rsplit('/').next() == Some(name))
}

/// Whether a pattern means the file or a folder around it. The torrent's own folder may be in front or not.
fn fits(path: &str, matcher: &GlobMatcher) -> bool {
    let around = |path: &str| {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.map(|end| path[..end].to_owned()).any(|path| matcher.is_match(path))
    };
    around(below(path)) || matcher.is_match(path)
}

/// The files that are meant, without order. `only`: what a magnet link asks for, if the person does not say.
///
/// # Errors
/// If something names no file, or nothing is left.
pub(crate) fn files(
    metainfo: &Metainfo,
    specs: &[FileSpec],
    only: Option<&FileSelection>,
) -> Result<Choice, Failure> {
    let mut choice = match (only, specs.first()) {
        (Some(only), None) => {
            let numbers = (0..metainfo.files().len())
                .filter(|file| u32::try_from(*file).is_ok_and(|file| only.contains(file)));
            Choice::only(metainfo, numbers)
        }
        (_, None | Some(FileSpec { except: true, .. })) => Choice::all(metainfo),
        (_, Some(_)) => Choice::only(metainfo, []),
    };
    for spec in specs {
        let priority = if spec.except { Priority::Skip } else { Priority::Normal };
        for file in spec.find("--files", metainfo)? {
            choice = choice.with(file, priority);
        }
    }
    if wanted(metainfo, &choice).next().is_none() {
        let why = match only {
            Some(_) if specs.is_empty() => "the magnet link selects no file of the torrent (so=)",
            _ => "--files leaves no file (ccbt get --list)",
        };
        return Err(Failure::new(Exit::Refused, why));
    }
    Ok(choice)
}

/// What is wanted of the torrent, and in which order. `only`: as for [`files`].
///
/// # Errors
/// If something names no file, or nothing is left.
pub(crate) fn choose(
    metainfo: &Metainfo,
    args: &args::Choice,
    only: Option<&FileSelection>,
) -> Result<Choice, Failure> {
    let mut choice = files(metainfo, &args.files, only)?;
    for spec in &args.first {
        if spec.except {
            let why =
                format!("--first {}: it says which files, not which not", printable(&spec.text));
            return Err(Failure::new(Exit::Refused, why));
        }
        for file in spec.find("--first", metainfo)? {
            if choice.wants(file) {
                choice = choice.with(file, Priority::High);
            }
        }
    }
    if args.sequential {
        choice = choice.sequential();
    }
    Ok(if args.first_last { choice.ends_first() } else { choice })
}

/// The files that are wanted and that people see, with their numbers.
fn wanted<'a>(
    metainfo: &'a Metainfo,
    choice: &Choice,
) -> impl Iterator<Item = (usize, &'a Path, u64)> {
    let files = metainfo.files().iter().enumerate();
    let files = files.filter(|(index, file)| !file.pad && choice.wants(*index));
    files.map(|(index, file)| (index, file.path.as_path(), file.length))
}

/// How many files are wanted, and how many bytes they have.
pub(crate) fn size(metainfo: &Metainfo, choice: &Choice) -> (usize, u64) {
    let files = wanted(metainfo, choice);
    files.fold((0, 0), |(count, sum), (_, _, length)| (count + 1, sum + length))
}

/// The wanted files, a line each: number, size, path.
pub(crate) fn lines(metainfo: &Metainfo, choice: &Choice) -> Vec<String> {
    let digits = metainfo.files().len().saturating_sub(1).to_string().len();
    let line = |(index, path, length): (usize, &Path, u64)| {
        let (size, path) = (units::bytes(length), slashed(path));
        printable(&format!("{index:>digits$}  {size:>8}  {path}"))
    };
    wanted(metainfo, choice).map(line).collect()
}

#[cfg(test)]
mod tests;
