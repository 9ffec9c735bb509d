//! Whose path is whose: two torrents of one command must not write to the same file.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ccbt_peer::Choice;
use ccbt_peer::wire::Metainfo;

use crate::exit::{Exit, Failure};
use crate::print::slashed;

/// The torrents that have their place in the folder.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<Vec<(Metainfo, Choice)>>);

impl Claims {
    /// Takes the torrent's place in `folder`.
    ///
    /// # Errors
    /// If files of another one lie there.
    pub(super) fn take(
        &self,
        metainfo: &Metainfo,
        choice: &Choice,
        folder: &Path,
    ) -> Result<(), Failure> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (other, chosen) in &*claims {
            if let Some(path) = collision((metainfo, choice), (other, chosen)) {
                let (path, hash) = (folder.join(path), other.info_hash());
                let problem = format!("{} belongs to {hash}, which is here, too", path.display());
                return Err(Failure::new(Exit::Refused, problem));
            }
        }
        claims.push((metainfo.clone(), choice.clone()));
        Ok(())
    }
}

/// A path that files of both would have, or one of them as a folder.
fn collision(one: (&Metainfo, &Choice), other: (&Metainfo, &Choice)) -> Option<String> {
    if folded(one.0.name()) != folded(other.0.name()) {
        return None;
    }
    let mut taken: Vec<String> = paths(other).collect();
    taken.sort_unstable();
    paths(one).find(|path| collides(&taken, path))
}

/// Files that are wanted.
fn paths<'a>((metainfo, choice): (&'a Metainfo, &'a Choice)) -> impl Iterator<Item = String> + 'a {
    let files = (0..).zip(metainfo.files());
    let wanted = files.filter(|(index, file)| !file.pad && choice.wants(*index));
    wanted.map(|(_, file)| folded(&slashed(&file.path)))
}

/// Whether `path`, a folder above it or a file below it is in `taken`, which is sorted.
fn collides(taken: &[String], path: &str) -> bool {
    let is_taken = |path: &str| taken.binary_search_by(|other| other.as_str().cmp(path)).is_ok();
    let below = format!("{path}/");
    let from = taken.partition_point(|other| *other < below);
    let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    is_taken(path)
        || folders.any(is_taken)
        || taken.get(from).is_some_and(|other| other.starts_with(&below))
}

/// As file systems that take capitals for small letters see it.
fn folded(name: &str) -> String {
    let folds = cfg!(any(windows, target_os = "macos"));
    if folds { name.to_lowercase() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use ccbt_peer::wire::metainfo::build;

    use super::*;

    #[test]
    fn paths_collide_with_the_same_a_folder_above_or_a_file_below() {
        let mut taken = ["x/a/b", "x/c", "x/d-e"].map(str::to_owned);
        taken.sort_unstable();
        for (path, is_taken) in [
            ("x/a/b", true),
            ("x/a", true),
            ("x/c/y/z", true),
            ("x", true),
            ("x/a/c", false),
            ("x/d", false),
            ("x/ab", false),
        ] {
            assert_eq!(collides(&taken, path), is_taken, "{path}");
        }
    }

    #[test]
    fn only_files_that_are_wanted_take_a_place() {
        let of = |files: [&str; 2]| {
            let files = files.map(|path| (path, 9));
            let torrent = build::Builder::multi("x", 16_384, files).pieces([[0; 20]]);
            Metainfo::parse(&torrent.encode()).unwrap()
        };
        let (one, other) = (of(["a", "b"]), of(["b", "c"]));
        let claims = Claims::default();
        claims.take(&one, &Choice::all(&one), Path::new("o")).unwrap();
        let refused = claims.take(&other, &Choice::all(&other), Path::new("o")).unwrap_err();
        assert_eq!(refused.exit, Exit::Refused);
        assert!(refused.message.contains("x/b belongs to "), "{}", refused.message);
        claims.take(&other, &Choice::only(&other, [1]), Path::new("o")).unwrap();
    }
}
