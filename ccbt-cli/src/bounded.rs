//! Files that people name, read only as far as they can make sense.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The whole file, or an error before more than `limit` bytes of it are read. `what` says in the error
/// what was expected there.
pub(crate) fn read(path: &Path, limit: usize, what: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        let problem = format!("no {what} is larger than {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_may_have_its_limit_and_no_byte_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, [7; 4]).unwrap();
        assert_eq!(read(&path, 4, "list").unwrap(), [7; 4]);
        let error = read(&path, 3, "list").unwrap_err();
        assert_eq!(error.to_string(), "no list is larger than 3 bytes");
    }
}
