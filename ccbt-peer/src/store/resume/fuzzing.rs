//! What the fuzzer does with resume states: `cargo xtask fuzz resume_state`.

use ccbt_wire::Metainfo;
use ccbt_wire::metainfo::build;
use sha1::{Digest, Sha1};

use super::{About, ResumeState, trust};

const FOLDER: &[u8] = b"/downloads";
const BOOT: [u8; 16] = [7; 16];

/// Reads a state; what it says must be about the torrent, be written and read back as it is, and never make a
/// piece both known and unsure. True if it was one.
///
/// With bit 0 of the first byte set, checksums are right: two bytes say how long the body is, and behind it each
/// record begins with a byte for its length. With bit 1 set, the body begins as that of the torrent does.
///
/// # Panics
/// If a promise is broken.
#[cfg_attr(not(fuzzing), allow(unreachable_pub, reason = "the fuzzer calls it from outside"))]
pub fn resume_state(data: &[u8]) -> bool {
    let Some((mode, data)) = data.split_first() else { return false };
    let torrent = build::single_file("payload", 16_384, &[5; 100_000], None);
    let torrent = Metainfo::parse(&torrent).expect("a torrent");
    let about = About {
        info_hash: torrent.info_hash(),
        folder: FOLDER,
        files: torrent.files().len(),
        pieces: torrent.piece_count(),
    };
    let bytes = match mode & 3 {
        1 => sealed(&[], data),
        3 => sealed(&beginning(about), data),
        _ => data.to_vec(),
    };
    let Ok((state, _)) = ResumeState::parse(&bytes, about, BOOT) else { return false };
    assert_eq!((state.info_hash, &*state.folder), (about.info_hash, FOLDER));
    assert_eq!((state.marks.len(), state.have.len()), (about.files + 1, about.pieces));
    let (again, _) = state.to_bytes(BOOT);
    assert_eq!(ResumeState::parse(&again, about, BOOT), Ok((state.clone(), false)));
    let known = trust(&state, &state.marks, &torrent);
    for piece in known.have.iter_ones() {
        assert!(state.have.get(piece) && !known.unsure.get(piece), "{piece}");
    }
    true
}

fn beginning(about: About<'_>) -> Vec<u8> {
    let length = u32::try_from(FOLDER.len()).unwrap_or(0).to_be_bytes();
    [about.info_hash.0.as_slice(), &BOOT, &length, FOLDER].concat()
}

/// The same with right lengths and checksums.
fn sealed(beginning: &[u8], data: &[u8]) -> Vec<u8> {
    let (length, data) = data.split_at(data.len().min(2));
    let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    let (body, mut records) = data.split_at(length.min(data.len()));
    let body = [beginning, body].concat();
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(0).to_be_bytes();
    let mut bytes = [b"ccbt-resume\n".as_slice(), &[0, 0, 0, 1], &length(&body), &body].concat();
    let sum = Sha1::digest(&bytes);
    bytes.extend(sum);
    while let Some((length_of, rest)) = records.split_first() {
        let (record, rest) = rest.split_at(rest.len().min(usize::from(*length_of)));
        bytes.extend(length(record));
        bytes.extend(record);
        bytes.extend(&Sha1::new().chain_update(sum).chain_update(record).finalize()[..8]);
        records = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::replay;

    #[test]
    fn the_corpus_of_resume_states_does_no_harm() {
        let mut states = 0;
        replay("resume_state", |bytes| states += usize::from(resume_state(bytes)));
        assert_eq!(states, 6, "the others are refused");
    }
}
