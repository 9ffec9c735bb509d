//! Where a program keeps what it wants to know the next time.

use std::ffi::OsString;
use std::path::PathBuf;

/// `ccbt` in `$XDG_STATE_HOME` (XDG Base Directory Specification: one that is not absolute does not
/// count), or else where the platform has such things; `None` if the user has no home.
pub(super) fn of_user(set: impl Fn(&'static str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| set(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = set("XDG_STATE_HOME").or_else(|| {
        if cfg!(windows) {
            set("LOCALAPPDATA")
        } else {
            let inside = if cfg!(target_os = "macos") {
                "Library/Application Support"
            } else {
                ".local/state"
            };
            Some(set("HOME")?.join(inside))
        }
    });
    Some(folder?.join("ccbt"))
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    fn found(state: Option<&str>, home: Option<&str>) -> Option<PathBuf> {
        of_user(|name| match name {
            "XDG_STATE_HOME" => state.map(OsString::from),
            "HOME" => home.map(OsString::from),
            _ => None,
        })
    }

    #[test]
    fn the_folder_is_found_by_variable_then_home() {
        assert_eq!(found(Some("/s"), Some("/h")), Some("/s/ccbt".into()));
        assert_eq!(found(Some("s"), Some("/h")), Some("/h/.local/state/ccbt".into()));
        assert_eq!(found(Some(""), Some("/h")), Some("/h/.local/state/ccbt".into()));
        assert_eq!(found(None, None), None);
    }
}
