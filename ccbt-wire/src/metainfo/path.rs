//! Paths that may be joined to an output folder.

use super::PathError;
use std::path::PathBuf;

/// What file systems take for one component, in bytes.
const MAX_COMPONENT: usize = 255;
/// What systems take for a whole path, in bytes.
const MAX_PATH: usize = 4096;

/// Refuses a component that is not the name of one file or folder on every system.
pub(super) fn check_component(name: &str) -> Result<(), PathError> {
    if name.is_empty() {
        return Err(PathError::EmptyComponent);
    }
    if name.len() > MAX_COMPONENT {
        return Err(PathError::ComponentTooLong { length: name.len(), limit: MAX_COMPONENT });
    }
    let component = name.to_owned();
    if name == "." || name == ".." {
        return Err(PathError::Dots { component });
    }
    if name.contains(['/', '\\']) {
        return Err(PathError::Separator { component });
    }
    if name.contains(char::is_control) {
        return Err(PathError::Control { component });
    }
    if let [letter, b':', ..] = name.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        return Err(PathError::DriveLetter { component });
    }
    if name.ends_with(['.', ' ']) {
        return Err(PathError::TrailingDotOrSpace { component });
    }
    if is_reserved(name) {
        return Err(PathError::Reserved { component });
    }
    Ok(())
}

/// The path of the components; `root` is the folder of a torrent of many files, checked before.
pub(super) fn join<'a>(
    root: &str,
    components: impl IntoIterator<Item = &'a str>,
) -> Result<PathBuf, PathError> {
    let mut path = PathBuf::from(root);
    let mut length = root.len();
    let mut count = 0;
    for component in components {
        check_component(component)?;
        length += 1 + component.len();
        if length > MAX_PATH {
            return Err(PathError::TooLong { length, limit: MAX_PATH });
        }
        path.push(component);
        count += 1;
    }
    if count == 0 { Err(PathError::Empty) } else { Ok(path) }
}

/// Device names of Windows: they mean the device in any folder and with any extension.
fn is_reserved(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = name.split('.').next().unwrap_or(name).trim_end_matches(' ');
    if DEVICES.iter().any(|device| stem.eq_ignore_ascii_case(device)) {
        return true;
    }
    let Some((port, digit)) = stem.split_at_checked(3) else {
        return false;
    };
    let port = port.eq_ignore_ascii_case("com") || port.eq_ignore_ascii_case("lpt");
    // The superscript digits count too.
    port && (matches!(digit.as_bytes(), [b'0'..=b'9']) || matches!(digit, "¹" | "²" | "³"))
}
