//! Payloads with awkward sizes and names, and torrents of them made by ccbt and by other tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::place::Place;
use super::tools::Tool;

const CREATE: &str = include_str!("../../interop/create_torrent.py");

/// Files on disk that a torrent is made of.
pub(super) struct Payload {
    /// The folder that the payload lies in: what a seed calls its download folder.
    pub(super) folder: PathBuf,
    name: &'static str,
    /// Paths below `name` (empty for a single file) with their bytes.
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Payload {
    /// One file, with a short last piece.
    pub(super) fn single(place: &Place) -> Result<Self> {
        Self::single_of(place, 3 * 1_048_576 + 12_345)
    }

    /// One file of so many bytes.
    pub(super) fn single_of(place: &Place, length: usize) -> Result<Self> {
        Self::write(place, "a single päyload.bin", vec![("", random(length))])
    }

    /// One file of another name, so that it may lie beside the others.
    pub(super) fn another(place: &Place) -> Result<Self> {
        Self::write(place, "another.bin", vec![("", random(1_500_003))])
    }

    /// Files in folders: a piece spans several of them, one is empty, names hold spaces and more than ASCII.
    pub(super) fn multi(place: &Place) -> Result<Self> {
        let files = vec![
            ("a large one.bin", random(2 * 1_048_576 + 1)),
            ("empty", Vec::new()),
            ("nested/deeper still/\u{fc}n\u{ef} \u{2013} \u{540d}\u{524d}.txt", random(70_001)),
            ("nested/one byte", random(1)),
            ("nested/small", random(16_383)),
            ("z last.bin", random(500_000)),
        ];
        Self::write(place, "m\u{fc}lti folder", files)
    }

    /// Some megabytes in files of all sizes, with many small ones in one piece.
    pub(super) fn many(place: &Place) -> Result<Self> {
        const SMALL: [&str; 12] = [
            "small/a", "small/b", "small/c", "small/d", "small/e", "small/f", "small/g", "small/h",
            "small/i", "small/j", "small/k", "small/l",
        ];
        let mut files = vec![("a", random(9_000_001)), ("b", random(4_000_000))];
        files.extend(SMALL.map(|name| (name, random(5_003))));
        files.extend([("y", random(3_000_000)), ("z", random(8_000_000))]);
        Self::write(place, "many", files)
    }

    fn write(
        place: &Place,
        name: &'static str,
        files: Vec<(&'static str, Vec<u8>)>,
    ) -> Result<Self> {
        let payload = Payload { folder: place.folder("payload")?, name, files };
        for (path, bytes) in &payload.files {
            let path = payload.file(&payload.folder, path);
            fs::create_dir_all(path.parent().context("a file without folder")?)?;
            fs::write(path, bytes)?;
        }
        Ok(payload)
    }

    /// Fails unless the download in `output` is this payload, byte for byte; files without content
    /// count only `with_empty`.
    pub(super) fn compare(&self, output: &Path, with_empty: bool) -> Result<()> {
        let expected = self.files.iter().filter(|(_, bytes)| with_empty || !bytes.is_empty());
        for (path, bytes) in expected {
            let path = self.file(output, path);
            let got = fs::read(&path).with_context(|| format!("no {}", path.display()))?;
            ensure!(got == *bytes, "{} differs from the payload", path.display());
        }
        Ok(())
    }

    /// Fails unless the files in `output` for which `chosen` holds are those of this payload, and the others
    /// are not there.
    pub(super) fn compare_chosen(
        &self,
        output: &Path,
        chosen: impl Fn(&str) -> bool,
    ) -> Result<()> {
        for (path, bytes) in &self.files {
            let place = self.file(output, path);
            if chosen(path) {
                let got = fs::read(&place).with_context(|| format!("no {}", place.display()))?;
                ensure!(got == *bytes, "{} differs from the payload", place.display());
            } else {
                ensure!(!place.exists(), "{} was not chosen and is there", place.display());
            }
        }
        Ok(())
    }

    /// The file, or the folder of the files.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.join(self.name)
    }

    /// Bytes of all files together.
    pub(super) fn length(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }

    /// Bytes of the files for which `chosen` holds.
    pub(super) fn length_of(&self, chosen: impl Fn(&str) -> bool) -> u64 {
        let files = self.files.iter().filter(|(path, _)| chosen(path));
        files.map(|(_, bytes)| bytes.len() as u64).sum()
    }

    fn file(&self, folder: &Path, path: &str) -> PathBuf {
        let top = folder.join(self.name);
        if path.is_empty() { top } else { top.join(path) }
    }
}

fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fastrand::fill(&mut bytes);
    bytes
}

/// Who makes the torrent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Maker {
    Ccbt,
    Mktorrent,
    Transmission,
    Libtorrent,
}

impl Maker {
    /// The program of others that it takes.
    pub(super) fn tool(self) -> Option<Tool> {
        match self {
            Maker::Ccbt => None,
            Maker::Mktorrent => Some(Tool::Mktorrent),
            Maker::Transmission => Some(Tool::TransmissionCreate),
            Maker::Libtorrent => Some(Tool::Libtorrent),
        }
    }

    /// transmission-create leaves files without content out.
    pub(super) fn keeps_empty_files(self) -> bool {
        !matches!(self, Maker::Transmission)
    }

    /// Makes a torrent of `payload`, in pieces of 32 KiB.
    pub(super) fn make(self, place: &Place, payload: &Payload, announce: &str) -> Result<PathBuf> {
        self.make_with(place, payload, announce, &[])
    }

    /// As `make`, with further options of the program.
    pub(super) fn make_with(
        self,
        place: &Place,
        payload: &Payload,
        announce: &str,
        options: &[&str],
    ) -> Result<PathBuf> {
        let torrent = place.path("made.torrent");
        let source = payload.folder.join(payload.name);
        let mut command = match self {
            Maker::Ccbt => {
                let mut command = place.ccbt("create")?;
                command.args(["create", "-l", "32KiB", "-t", announce, "-o"]).arg(&torrent);
                command.arg(source);
                command
            }
            Maker::Mktorrent => {
                let mut command = Command::new("mktorrent");
                command.args(["-d", "-l", "15", "-a", announce, "-o"]).arg(&torrent).arg(source);
                command
            }
            Maker::Transmission => {
                let mut command = Command::new("transmission-create");
                command.args(["-s", "32", "-t", announce, "-o"]).arg(&torrent).arg(source);
                command
            }
            Maker::Libtorrent => {
                let mut command = Command::new("python3");
                command.args(["-c", CREATE]).arg(source).arg(&torrent).arg(announce);
                command
            }
        };
        command.args(options);
        let status = place.start("make-torrent", &mut command)?.wait()?;
        ensure!(status.success(), "{self:?} made no torrent: {status}");
        Ok(torrent)
    }
}
