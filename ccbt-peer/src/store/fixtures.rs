//! Torrents for the tests of stores.

use std::path::Path;

use ccbt_wire::Metainfo;
use sha1::{Digest, Sha1};

/// A torrent and what it describes.
#[derive(Debug)]
pub(crate) struct Torrent {
    pub(crate) metainfo: Metainfo,
    pub(crate) payload: Vec<u8>,
}

/// A torrent of one file.
pub(crate) fn single(name: &str, length: usize, piece_length: u32) -> Torrent {
    let payload = noise(length);
    torrent(&format!("6:lengthi{length}e"), name, piece_length, payload)
}

/// A torrent of files in the folder `t`; a path that begins with `.pad/` is a pad file.
pub(crate) fn multi(files: &[(&str, usize)], piece_length: u32) -> Torrent {
    let mut list = String::new();
    let mut payload = noise(files.iter().map(|(_, length)| length).sum());
    let mut offset = 0;
    for (path, length) in files {
        let names: String = path.split('/').map(string).collect();
        let attr = if path.starts_with(".pad/") { "4:attr1:p" } else { "" };
        list += &format!("d{attr}6:lengthi{length}e4:pathl{names}ee");
        if !attr.is_empty() {
            payload[offset..offset + length].fill(0);
        }
        offset += length;
    }
    torrent(&format!("5:filesl{list}e"), "t", piece_length, payload)
}

impl Torrent {
    /// Writes the torrent's files from their bytes, as another program would.
    pub(crate) fn lay_out(&self, folder: &Path, keep: impl Fn(&str) -> bool) {
        for file in self.metainfo.files().iter().filter(|file| !file.pad) {
            if keep(&file.path.to_string_lossy()) {
                let path = folder.join(&file.path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                let start = usize::try_from(file.offset).unwrap();
                let end = start + usize::try_from(file.length).unwrap();
                std::fs::write(path, &self.payload[start..end]).unwrap();
            }
        }
    }
}

fn torrent(files: &str, name: &str, piece_length: u32, payload: Vec<u8>) -> Torrent {
    let hashes = payload.chunks(piece_length as usize).flat_map(Sha1::digest).collect::<Vec<u8>>();
    let name = string(name);
    let count = hashes.len();
    let head =
        format!("d4:infod{files}4:name{name}12:piece lengthi{piece_length}e6:pieces{count}:");
    let mut bytes = head.into_bytes();
    bytes.extend(hashes);
    bytes.extend(b"ee");
    Torrent { metainfo: Metainfo::parse(&bytes).unwrap(), payload }
}

fn string(text: &str) -> String {
    format!("{}:{text}", text.len())
}

/// Bytes that repeat nowhere soon, with no zero among them: a zero may be replaced in any file.
fn noise(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(length as u64);
    std::iter::repeat_with(|| random.u8(1..)).take(length).collect()
}
