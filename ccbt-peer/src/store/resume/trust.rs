//! Which pieces of a state still stand, from what is seen of the files now.

use ccbt_wire::{Bitfield, Metainfo, PieceIndex};

use super::{Mark, ResumeState};

/// What is known without reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trust {
    /// Pieces that are right.
    pub(crate) have: Bitfield,
    /// Pieces that may or may not be right; what is neither here nor there is missing.
    pub(crate) unsure: Bitfield,
}

impl Trust {
    /// Nothing is known.
    pub(crate) fn nothing(pieces: u32) -> Self {
        Self { have: Bitfield::new(pieces), unsure: Bitfield::full(pieces) }
    }
}

/// Compares the files with what is remembered of them. `now` has a mark for each file, and behind them that of
/// the part file.
pub(crate) fn trust(state: &ResumeState, now: &[Mark], metainfo: &Metainfo) -> Trust {
    let files = metainfo.files();
    let (Some(part_then), Some(part_now)) = (state.marks.get(files.len()), now.get(files.len()))
    else {
        return Trust::nothing(metainfo.piece_count());
    };
    let part_is_there = part_now.stamp.is_some();
    let part_is_same = part_then.stamp == part_now.stamp;
    let stored = || files.iter().zip(state.marks.iter().zip(now)).filter(|(file, _)| !file.pad);
    // A piece of nothing but pads is in no file, so nothing was seen of it.
    let mut unsure = Bitfield::full(metainfo.piece_count());
    for (file, _) in stored() {
        for piece in metainfo.pieces_of(file.offset, file.length) {
            unsure.set(PieceIndex(piece), false);
        }
    }
    for (file, (then, now)) in stored() {
        let pieces = metainfo.pieces_of(file.offset, file.length);
        // What lies aside is read from the part file, whatever lies at its path.
        let is_same = then.stamp == now.stamp && !then.aside && !now.aside;
        let first_and_last = [pieces.start, pieces.end.saturating_sub(1)];
        let length = now.stamp.map_or(0, |stamp| stamp.length);
        for piece in pieces {
            let index = PieceIndex(piece);
            let end = metainfo.piece_offset(index) + u64::from(metainfo.piece_len(index));
            // Bytes of the piece that the file should have.
            let needed = end.min(file.offset + file.length) - file.offset;
            let stands = match now.stamp {
                Some(_) => is_same && (!state.have.get(index) || needed <= length),
                // What it has of pieces that it shares is in the part file.
                None if first_and_last.contains(&piece) => {
                    is_same && part_is_same && (part_is_there || !state.have.get(index))
                }
                None => is_same && !state.have.get(index),
            };
            if !stands {
                unsure.set(index, true);
            }
        }
    }
    let mut have = Bitfield::new(metainfo.piece_count());
    for piece in state.have.iter_ones().filter(|piece| !unsure.get(*piece)) {
        have.set(piece, true);
    }
    Trust { have, unsure }
}
