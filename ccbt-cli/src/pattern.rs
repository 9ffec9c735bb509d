//! Patterns for paths, as shells know them.

use globset::{GlobBuilder, GlobMatcher};

/// Reads a pattern. One without a `/` is about names at any depth, any other about paths below the torrent's
/// folder.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn matcher(text: &str) -> Result<GlobMatcher, String> {
    let path = text.strip_suffix('/').unwrap_or(text);
    let path = match path.strip_prefix('/') {
        Some(path) => path.to_owned(),
        None if path.contains('/') => path.to_owned(),
        None => format!("**/{path}"),
    };
    if path.is_empty() || path == "**/" {
        return Err("the pattern is empty".to_owned());
    }
    let glob = GlobBuilder::new(&path).literal_separator(true).build();
    Ok(glob.map_err(|error| error.kind().to_string())?.compile_matcher())
}
