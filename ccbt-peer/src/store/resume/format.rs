//! A state as bytes: numbers are big-endian, everything has a checksum.

use ccbt_wire::{Bitfield, InfoHash, PieceIndex};
use sha1::{Digest, Sha1};

use super::{About, Mark, Record, ResumeError, ResumeState, Stamp};

pub(super) const VERSION: u32 = 1;
const MAGIC: &[u8; 12] = b"ccbt-resume\n";
/// Magic, version, length of the body.
const HEAD: usize = 12 + 4 + 4;
const SUM: usize = 20;
/// Of a record's checksum.
const SHORT: usize = 8;

const PRESENT: u8 = 1;
const OURS: u8 = 2;
const ASIDE: u8 = 4;

/// Which run of the system wrote something: zeros if that is not known.
pub(crate) type Boot = [u8; 16];

impl ResumeState {
    /// The base, and its checksum, which goes into those of its records.
    pub(crate) fn to_bytes(&self, boot: Boot) -> (Vec<u8>, [u8; SUM]) {
        let mut body = Vec::with_capacity(64 + self.marks.len() * 25);
        body.extend(self.info_hash.0);
        body.extend(boot);
        put_len(&mut body, self.folder.len());
        body.extend(&self.folder);
        put_len(&mut body, self.marks.len());
        self.marks.iter().for_each(|mark| put_mark(&mut body, *mark));
        body.extend(self.have.len().to_be_bytes());
        body.extend(self.have.as_bytes());
        let mut bytes = Vec::with_capacity(HEAD + body.len() + SUM);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_be_bytes());
        put_len(&mut bytes, body.len());
        bytes.extend(body);
        let sum: [u8; SUM] = Sha1::digest(&bytes).into();
        bytes.extend(sum);
        (bytes, sum)
    }

    /// Reads a state and the records behind it, of which those count that the running system wrote. True if
    /// there were such.
    pub(crate) fn parse(
        bytes: &[u8],
        about: About<'_>,
        boot: Boot,
    ) -> Result<(Self, bool), ResumeError> {
        let mut input = Input(bytes);
        if input.take(MAGIC.len()) != Some(MAGIC) {
            return Err(ResumeError::NoState);
        }
        let version = input.u32()?;
        if version != VERSION {
            return Err(ResumeError::Version(version));
        }
        let length = input.u32()? as usize;
        let body = input.take(length).ok_or(ResumeError::Damaged)?;
        let sum = input.take(SUM).ok_or(ResumeError::Damaged)?;
        let right: [u8; SUM] = Sha1::digest(&bytes[..HEAD + length]).into();
        if sum != right {
            return Err(ResumeError::Damaged);
        }
        let (mut state, wrote) = Self::parse_body(body, about)?;
        let same_boot = boot != Boot::default() && boot == wrote;
        let mut has_records = false;
        while same_boot
            && let Some(record) = next_record(&mut input, &right)
            && state.add(&record)
        {
            has_records = true;
        }
        Ok((state, has_records))
    }

    fn parse_body(body: &[u8], about: About<'_>) -> Result<(Self, Boot), ResumeError> {
        let mut input = Input(body);
        let info_hash = InfoHash(input.array()?);
        let boot = input.array()?;
        let length = input.u32()? as usize;
        let folder = input.take(length).ok_or(ResumeError::Damaged)?.to_vec();
        if info_hash != about.info_hash {
            return Err(ResumeError::Foreign("torrent"));
        }
        if folder != about.folder {
            return Err(ResumeError::Foreign("folder"));
        }
        // One more for the part file.
        if input.u32()? as usize != about.files + 1 {
            return Err(ResumeError::Foreign("number of files"));
        }
        let marks = (0..=about.files).map(|_| input.mark()).collect::<Result<Vec<_>, _>>()?;
        if input.u32()? != about.pieces {
            return Err(ResumeError::Foreign("number of pieces"));
        }
        let have = Bitfield::from_wire(input.0, about.pieces).map_err(|_| ResumeError::Damaged)?;
        Ok((Self { info_hash, folder, marks, have }, boot))
    }
}

impl Record {
    /// The record behind the base with this checksum.
    pub(crate) fn to_bytes(&self, base: &[u8; SUM]) -> Vec<u8> {
        let mut body = Vec::with_capacity(8 + self.marks.len() * 29 + self.pieces.len() * 4);
        put_len(&mut body, self.marks.len());
        for (file, mark) in &self.marks {
            body.extend(file.to_be_bytes());
            put_mark(&mut body, *mark);
        }
        put_len(&mut body, self.pieces.len());
        self.pieces.iter().for_each(|piece| body.extend(piece.0.to_be_bytes()));
        let mut bytes = Vec::with_capacity(4 + body.len() + SHORT);
        put_len(&mut bytes, body.len());
        bytes.extend(&body);
        bytes.extend(short_sum(base, &body));
        bytes
    }
}

/// The next record; `None` at the end, and where one is torn or of another base.
fn next_record(input: &mut Input<'_>, base: &[u8; SUM]) -> Option<Record> {
    let length = input.u32().ok()? as usize;
    let body = input.take(length)?;
    if input.take(SHORT)? != short_sum(base, body) {
        return None;
    }
    let mut input = Input(body);
    let mut record = Record::default();
    for _ in 0..input.u32().ok()? {
        record.marks.push((input.u32().ok()?, input.mark().ok()?));
    }
    for _ in 0..input.u32().ok()? {
        record.pieces.push(PieceIndex(input.u32().ok()?));
    }
    input.0.is_empty().then_some(record)
}

fn short_sum(base: &[u8; SUM], body: &[u8]) -> [u8; SHORT] {
    let sum = Sha1::new().chain_update(base).chain_update(body).finalize();
    std::array::from_fn(|i| sum[i])
}

fn put_len(bytes: &mut Vec<u8>, length: usize) {
    // Of what is longer the reader says that it is damaged.
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

fn put_mark(bytes: &mut Vec<u8>, mark: Mark) {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags =
        flag(mark.stamp.is_some(), PRESENT) | flag(mark.ours, OURS) | flag(mark.aside, ASIDE);
    let stamp = mark.stamp.unwrap_or(Stamp { length: 0, modified: 0 });
    bytes.push(flags);
    bytes.extend(stamp.length.to_be_bytes());
    bytes.extend(stamp.modified.to_be_bytes());
}

/// What is left to be read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ResumeError> {
        let bytes = self.take(N).and_then(|bytes| bytes.try_into().ok());
        bytes.ok_or(ResumeError::Damaged)
    }

    fn u32(&mut self) -> Result<u32, ResumeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn mark(&mut self) -> Result<Mark, ResumeError> {
        let [flags] = self.array()?;
        let length = u64::from_be_bytes(self.array()?);
        let modified = i128::from_be_bytes(self.array()?);
        let stamp = (flags & PRESENT != 0).then_some(Stamp { length, modified });
        Ok(Mark { stamp, ours: flags & OURS != 0, aside: flags & ASIDE != 0 })
    }
}
