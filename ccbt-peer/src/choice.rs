//! Which files of a torrent are wanted, how much, and in which order their pieces come.

use ccbt_wire::{Metainfo, PieceIndex};

/// How much a file is wanted. The order is that of the variants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Not at all: no piece is asked for on its account, and it does not appear in the folder.
    Skip,
    /// After everything else.
    Low,
    /// As most.
    #[default]
    Normal,
    /// Before everything else.
    High,
}

/// A choice among the files of a torrent. A piece is wanted as much as the file in it that is wanted most;
/// of pieces that are wanted equally, the rarest come first, unless they are to come in order.
///
/// ```
/// use ccbt_peer::wire::metainfo::{Metainfo, build::Builder};
/// use ccbt_peer::{Choice, Priority};
///
/// let torrent = Builder::multi("n", 16_384, [("a", 20_000), ("b", 5), ("c", 20_000)]);
/// let metainfo = Metainfo::parse(&torrent.pieces([[0; 20]; 3]).encode())?;
/// let choice = Choice::only(&metainfo, [0]).with(1, Priority::High).sequential();
/// assert!(choice.wants(0) && choice.wants(1) && !choice.wants(2));
/// # Ok::<(), ccbt_peer::wire::MetainfoError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// One for each file of the metainfo, pad files too.
    files: Vec<Priority>,
    sequential: bool,
    ends_first: bool,
}

impl Choice {
    /// Every file alike.
    #[must_use]
    pub fn all(metainfo: &Metainfo) -> Self {
        let files = vec![Priority::Normal; metainfo.files().len()];
        Self { files, sequential: false, ends_first: false }
    }

    /// These files alone, by their places in [`Metainfo::files`], from 0. What the torrent does not have is
    /// left out.
    #[must_use]
    pub fn only(metainfo: &Metainfo, files: impl IntoIterator<Item = usize>) -> Self {
        let nothing = vec![Priority::Skip; metainfo.files().len()];
        let nothing = Self { files: nothing, ..Self::all(metainfo) };
        files.into_iter().fold(nothing, |choice, file| choice.with(file, Priority::Normal))
    }

    /// The same, but this file is wanted so much. Changes nothing if there is no such file.
    #[must_use]
    pub fn with(mut self, file: usize, priority: Priority) -> Self {
        if let Some(place) = self.files.get_mut(file) {
            *place = priority;
        }
        self
    }

    /// The same, but pieces that are wanted equally come in the order of the payload.
    #[must_use]
    pub fn sequential(self) -> Self {
        Self { sequential: true, ..self }
    }

    /// The same, but the first and the last piece of every chosen file come before all others: players and
    /// archivers look there.
    #[must_use]
    pub fn ends_first(self) -> Self {
        Self { ends_first: true, ..self }
    }

    /// How much a file is wanted; [`Priority::Skip`] if there is no such file.
    #[must_use]
    pub fn priority(&self, file: usize) -> Priority {
        self.files.get(file).copied().unwrap_or(Priority::Skip)
    }

    /// Whether a file is wanted at all.
    #[must_use]
    pub fn wants(&self, file: usize) -> bool {
        self.priority(file) != Priority::Skip
    }

    /// How many files it is about.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// A word for each file: whether it is wanted.
    #[must_use]
    pub fn wanted(&self) -> Vec<bool> {
        self.files.iter().map(|priority| *priority != Priority::Skip).collect()
    }

    /// What it means for the pieces of the torrent.
    #[must_use]
    pub fn pieces(&self, metainfo: &Metainfo) -> PieceChoice {
        let files = metainfo.files().iter().zip(&self.files);
        let mut content = files.clone().filter(|(file, _)| !file.pad);
        let whole = content.clone().all(|(_, priority)| *priority != Priority::Skip);
        let plain = whole && content.all(|(_, priority)| *priority == Priority::Normal);
        if plain && !self.ends_first {
            return PieceChoice { levels: None, sequential: self.sequential };
        }
        let mut levels = vec![Level::SKIP; metainfo.piece_count() as usize];
        for (file, priority) in files {
            // Padding is never wanted for itself, but a whole torrent has it, too.
            let pad = if whole { Priority::Low } else { Priority::Skip };
            let level = Level::of(if file.pad { pad } else { *priority });
            let Some(range) = pieces_of(metainfo, file.offset, file.length) else { continue };
            let (first, last) = (*range.start(), *range.end());
            for piece in range {
                let end = self.ends_first && !file.pad && (piece == first || piece == last);
                let level = if end && level != Level::SKIP { Level::ENDS } else { level };
                levels[piece] = levels[piece].max(level);
            }
        }
        PieceChoice { levels: Some(levels.into()), sequential: self.sequential }
    }
}

/// The pieces that hold so many bytes; `None` if there are none.
fn pieces_of(
    metainfo: &Metainfo,
    offset: u64,
    length: u64,
) -> Option<std::ops::RangeInclusive<usize>> {
    let piece_length = u64::from(metainfo.piece_length());
    let piece = |position: u64| usize::try_from(position / piece_length).ok();
    Some(piece(offset)?..=piece(offset + length.checked_sub(1)?)?)
}

/// Where a piece stands among others. Higher ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Level(u8);

impl Level {
    pub(crate) const SKIP: Self = Self(0);
    pub(crate) const NORMAL: Self = Self(2);
    const ENDS: Self = Self(4);
    /// Of pieces that are wanted.
    pub(crate) const COUNT: usize = 4;

    fn of(priority: Priority) -> Self {
        Self(priority as u8)
    }

    /// Its place among the levels of wanted pieces; `None` if it is not wanted.
    pub(crate) fn index(self) -> Option<usize> {
        usize::from(self.0).checked_sub(1)
    }
}

/// Which pieces of a torrent are wanted, and in which order they come: what a [`Choice`] of files comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PieceChoice {
    /// One for each piece; `None` if all are wanted alike.
    levels: Option<Box<[Level]>>,
    sequential: bool,
}

impl PieceChoice {
    /// Every piece as its priority says, one for each piece of the torrent.
    #[must_use]
    pub fn of(priorities: impl IntoIterator<Item = Priority>) -> Self {
        let levels = priorities.into_iter().map(Level::of).collect();
        Self { levels: Some(levels), sequential: false }
    }

    /// The same, but pieces that are wanted equally come in order.
    #[must_use]
    pub fn sequential(self) -> Self {
        Self { sequential: true, ..self }
    }

    /// Whether the piece is wanted.
    #[must_use]
    pub fn wants(&self, piece: PieceIndex) -> bool {
        self.level(piece) != Level::SKIP
    }

    /// Whether pieces come in order rather than the rarest first.
    #[must_use]
    pub fn is_sequential(&self) -> bool {
        self.sequential
    }

    pub(crate) fn level(&self, piece: PieceIndex) -> Level {
        match &self.levels {
            None => Level::NORMAL,
            Some(levels) => levels.get(piece.0 as usize).copied().unwrap_or(Level::SKIP),
        }
    }

    /// Whether it is about so many pieces.
    pub(crate) fn fits(&self, pieces: u32) -> bool {
        self.levels.as_ref().is_none_or(|levels| levels.len() == pieces as usize)
    }
}

#[cfg(test)]
mod tests {
    use ccbt_wire::metainfo::build::Builder;

    use super::*;

    /// Pieces of 16 KiB: a 0-1, b 1, c 1-3, d (empty), e 3.
    fn metainfo() -> Metainfo {
        let files = [("a", 20_000), ("b", 5), ("c", 40_000), ("d", 0), ("e", 100)];
        let builder = Builder::multi("n", 16_384, files).pieces([[0; 20]; 4]);
        Metainfo::parse(&builder.encode()).unwrap()
    }

    fn levels(choice: &Choice) -> Vec<u8> {
        let pieces = choice.pieces(&metainfo());
        (0..4).map(|piece| pieces.level(PieceIndex(piece)).0).collect()
    }

    #[test]
    fn a_piece_is_wanted_as_much_as_the_file_in_it_that_is_wanted_most() {
        let all = Choice::all(&metainfo());
        assert_eq!(all.pieces(&metainfo()), PieceChoice::default());
        assert_eq!(levels(&Choice::only(&metainfo(), [1])), [0, 2, 0, 0]);
        assert_eq!(levels(&Choice::only(&metainfo(), [0, 4])), [2, 2, 0, 2]);
        assert_eq!(levels(&Choice::only(&metainfo(), [3])), [0; 4], "an empty file has no piece");
        let mixed = all.with(0, Priority::Low).with(4, Priority::High);
        assert_eq!(levels(&mixed), [1, 2, 2, 3]);
    }

    #[test]
    fn the_ends_of_chosen_files_come_first_of_all() {
        let choice = Choice::only(&metainfo(), [2]).ends_first();
        assert_eq!(levels(&choice), [0, 4, 2, 4]);
    }

    #[test]
    fn a_file_that_the_torrent_does_not_have_changes_nothing() {
        let all = Choice::all(&metainfo());
        assert_eq!(all.clone().with(5, Priority::Skip), all);
        assert_eq!(Choice::only(&metainfo(), [9]), Choice::only(&metainfo(), []));
        assert!(!all.wants(5));
    }
}
