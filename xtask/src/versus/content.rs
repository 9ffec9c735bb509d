//! The payload of a workload, its torrent, and the comparison of what was downloaded with it.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha1::{Digest, Sha1};

use crate::interop::torrent::hex;

/// Comparisons and files are done in parts of this.
const PART: usize = 1 << 20;
/// No two stretches of so many bytes are alike.
const DISTINCT: usize = 4096;

/// What a payload is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Bytes in all.
    pub(super) length: u64,
    /// Bytes of a piece.
    pub(super) piece: u64,
    /// In so many files of the same length below one folder; 0: one file.
    pub(super) files: u64,
}

/// A payload on disk.
pub(super) struct Content {
    pub(super) shape: Shape,
    /// The folder in which a client that seeds finds it.
    pub(super) folder: PathBuf,
    /// The whole payload as one file.
    pub(super) whole: PathBuf,
    pub(super) info_hash: [u8; 20],
    name: &'static str,
    info: Vec<u8>,
}

impl Content {
    /// Makes it in `folder`: pseudo-random bytes, the same each time.
    pub(super) fn make(folder: &Path, shape: Shape) -> Result<Self> {
        let name = if shape.files > 0 { "many" } else { "payload.bin" };
        let whole = folder.join("payload.bin");
        let mut out = BufWriter::with_capacity(PART, File::create(&whole)?);
        let mut part = vec![0; PART];
        fastrand::Rng::with_seed(7).fill(&mut part);
        let mut number = 0_u64;
        let mut left = shape.length;
        while left > 0 {
            for stretch in part.chunks_mut(DISTINCT) {
                stretch[..8].copy_from_slice(&number.to_be_bytes());
                number += 1;
            }
            let count = PART.min(usize::try_from(left).unwrap_or(PART));
            out.write_all(&part[..count])?;
            left -= count as u64;
        }
        out.into_inner()?;
        let info = info(name, shape, &hashes(&whole, shape.piece)?);
        let info_hash = Sha1::digest(&info).into();
        Ok(Content { shape, folder: folder.to_owned(), whole, info_hash, name, info })
    }

    /// Writes its torrent with this tracker.
    pub(super) fn torrent(&self, path: &Path, announce: &str) -> Result<()> {
        let head = format!("d8:announce{}:{announce}4:info", announce.len());
        Ok(fs::write(path, [head.as_bytes(), &self.info, b"e"].concat())?)
    }

    /// What the lean programs are told of it.
    pub(super) fn arguments(&self) -> Vec<String> {
        let (hash, Shape { length, piece, .. }) = (hex(&self.info_hash), self.shape);
        let pairs =
            [("info-hash", hash), ("length", length.to_string()), ("piece", piece.to_string())];
        pairs.into_iter().flat_map(|(name, value)| [format!("--{name}"), value]).collect()
    }

    /// Where a client that downloads into `output` puts a single file.
    pub(super) fn place(&self, output: &Path) -> PathBuf {
        output.join(self.name)
    }

    /// Fails unless all of it is in `output`.
    pub(super) fn compare(&self, output: &Path) -> Result<()> {
        let mut expected = File::open(&self.whole)?;
        if self.shape.files == 0 {
            return same(&mut expected, &self.place(output), self.shape.length);
        }
        // One client makes the torrent's folder inside its own, another takes its own for it.
        let inner = output.join(self.name);
        let top = if inner.is_dir() { inner } else { output.to_owned() };
        let each = self.shape.length / self.shape.files;
        (0..self.shape.files).try_for_each(|number| {
            same(
                &mut expected,
                &path(number).iter().fold(top.clone(), |at, part| at.join(part)),
                each,
            )
        })
    }
}

/// Where the file of this number lies: a hundred of them in a folder.
fn path(number: u64) -> [String; 2] {
    [format!("{:03}", number / 100), format!("{number:06}.bin")]
}

fn hashes(file: &Path, piece: u64) -> Result<Vec<u8>> {
    let (file, mut hashes) = (File::open(file)?, Vec::new());
    loop {
        let mut bytes = Vec::new();
        (&file).take(piece).read_to_end(&mut bytes)?;
        if bytes.is_empty() {
            return Ok(hashes);
        }
        hashes.extend(Sha1::digest(&bytes));
    }
}

/// The torrent's `info`, in the order of its keys.
fn info(name: &str, shape: Shape, hashes: &[u8]) -> Vec<u8> {
    let text = |text: &str| format!("{}:{text}", text.len());
    let mut info = "d".to_owned();
    if shape.files == 0 {
        info += &format!("6:lengthi{}e", shape.length);
    } else {
        info += "5:filesl";
        for number in 0..shape.files {
            let [folder, file] = path(number).map(|part| text(&part));
            let length = shape.length / shape.files;
            info += &format!("d6:lengthi{length}e4:pathl{folder}{file}ee");
        }
        info.push('e');
    }
    info +=
        &format!("4:name{}12:piece lengthi{}e6:pieces{}:", text(name), shape.piece, hashes.len());
    [info.as_bytes(), hashes, b"e"].concat()
}

/// Fails unless the file at `path` is the next `length` bytes of `expected`.
fn same(expected: &mut File, path: &Path, length: u64) -> Result<()> {
    let mut file = File::open(path).with_context(|| format!("no {}", path.display()))?;
    ensure!(file.metadata()?.len() == length, "{} has another length", path.display());
    let (mut ours, mut theirs, mut left) = (vec![0; PART], vec![0; PART], length);
    while left > 0 {
        let count = PART.min(usize::try_from(left).unwrap_or(PART));
        expected.read_exact(&mut ours[..count])?;
        file.read_exact(&mut theirs[..count])?;
        ensure!(ours[..count] == theirs[..count], "{} differs from the payload", path.display());
        left -= count as u64;
    }
    Ok(())
}

/// A size on the command line: bytes, or with KiB, MiB or GiB behind.
pub(super) fn size(text: &str) -> Result<u64> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)];
    let unit = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = unit.context("no size")?;
    let number: u64 = number.trim().parse().with_context(|| format!("{text:?} is no size"))?;
    number.checked_mul(*factor).filter(|&size| size > 0).context("a size of nothing, or too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_may_have_a_unit() {
        assert_eq!(size("3GiB").unwrap(), 3 << 30);
        assert_eq!(size("17").unwrap(), 17);
        assert!(size("GiB").is_err() && size("0").is_err() && size("99999999999GiB").is_err());
    }

    #[test]
    fn a_download_that_differs_in_one_byte_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let shape = Shape { length: 3 << 20, piece: 1 << 18, files: 0 };
        let content = Content::make(folder.path(), shape).unwrap();
        content.compare(folder.path()).unwrap();
        let output = tempfile::tempdir().unwrap();
        let mut bytes = fs::read(&content.whole).unwrap();
        assert_ne!(bytes[..DISTINCT], bytes[DISTINCT..2 * DISTINCT]);
        bytes[2 << 20] ^= 1;
        fs::write(output.path().join("payload.bin"), &bytes).unwrap();
        assert!(content.compare(output.path()).is_err());
        assert!(content.compare(Path::new("/nowhere")).is_err());
    }

    #[test]
    fn a_torrent_of_many_files_names_each_of_them() {
        let shape = Shape { length: 12, piece: 16384, files: 2 };
        let info = String::from_utf8(info("many", shape, b"01234567890123456789")).unwrap();
        let files = "d6:lengthi6e4:pathl3:00010:000000.binee\
                     d6:lengthi6e4:pathl3:00010:000001.binee";
        let rest = "4:name4:many12:piece lengthi16384e6:pieces20:01234567890123456789e";
        assert_eq!(info, format!("d5:filesl{files}e{rest}"));
    }
}
