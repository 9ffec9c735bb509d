//! `ccbt create`: a torrent of what lies on the disk.

mod exclude;
mod hash;
mod output;
mod piece_length;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use ccbt_peer::wire::metainfo::MAX_PIECES;
use ccbt_peer::wire::metainfo::build::Builder;
use ccbt_peer::wire::{Magnet, Metainfo};

use crate::args::Create;
use crate::content::{Content, Origin};
use crate::exit::{Exit, Failure};
use crate::hashing;
use crate::report::{Detail, Report, Stream, units};
use crate::signals::Signals;
use exclude::Excluded;
use tree::{Tree, Wish};

const CREATED_BY: &str = concat!("ccbt ", env!("CARGO_PKG_VERSION"));

/// Makes the torrent, and tells its info hash.
pub(crate) async fn run(args: &Create, signals: &mut Signals) -> Result<(), Failure> {
    let mut report = Report::new(Stream::Stdout, Detail::unless(args.quiet));
    let (plan, left_out) = Plan::of(args)?;
    report.say(&plan.heading());
    left_out.iter().for_each(|line| report.say(line));

    let hashes = plan.hash(&mut report, signals).await?;
    plan.tree.is_unchanged()?;
    let (torrent, metainfo) = plan.torrent(args, hashes)?;
    output::write(&plan.output, &torrent, args.force)?;
    report.say(&format!("info hash  {}", metainfo.info_hash()));
    report.say(&format!("magnet     {}", Magnet::of(&metainfo)));
    report.say(&format!("torrent    {}", plan.output.display()));
    Ok(())
}

/// Everything that is known before the content is read.
struct Plan {
    root: PathBuf,
    output: PathBuf,
    tree: Tree,
    piece_length: u32,
    total: u64,
}

impl Plan {
    /// Looks at the files, and refuses what would be refused in the end.
    fn of(args: &Create) -> Result<(Self, Vec<String>), Failure> {
        let mut excluded = Excluded::of(&args.excluded)?;
        let output = match &args.output {
            Some(path) => path.clone(),
            None => PathBuf::from(format!("{}.torrent", tree::name_of(&args.path)?)),
        };
        let torrent = fs::canonicalize(&output).ok();
        if torrent.is_some() && torrent == fs::canonicalize(&args.path).ok() {
            return Err(refused(&args.path, "is both the content and the torrent to write"));
        }
        let wish = Wish { hidden: args.include_hidden, excluded: &mut excluded, torrent };
        let tree = Tree::of(&args.path, wish)?;
        output::is_free(&output, args.force)?;

        let left_out = left_out(&tree, &excluded);
        let total = tree.total();
        if total == 0 {
            return Err(refused(&args.path, "holds no byte that could be shared"));
        }
        let piece_length = args.piece_length.unwrap_or_else(|| piece_length::fitting(total));
        let plan = Self { root: args.path.clone(), output, tree, piece_length, total };
        // With hashes of nothing it is refused for the same reasons, but before hours of hashing.
        let pieces = plan.pieces();
        if pieces > u64::from(MAX_PIECES) {
            let size = units::bytes(piece_length.into());
            let why = format!("{pieces} pieces of {size} are over the limit of {MAX_PIECES}");
            return Err(refused(&args.path, &format!("{why}; larger ones are needed")));
        }
        plan.torrent(args, vec![[0; 20]; usize::try_from(pieces).unwrap_or_default()])?;
        Ok((plan, left_out))
    }

    fn pieces(&self) -> u64 {
        self.total.div_ceil(self.piece_length.into())
    }

    fn heading(&self) -> String {
        format!(
            "{}: {} in {}, {} of {}",
            self.tree.name,
            units::bytes(self.total),
            units::count(self.tree.files.len(), "file", "files"),
            units::count(usize::try_from(self.pieces()).unwrap_or_default(), "piece", "pieces"),
            units::bytes(self.piece_length.into()),
        )
    }

    async fn hash(
        &self,
        report: &mut Report,
        signals: &mut Signals,
    ) -> Result<Vec<[u8; 20]>, Failure> {
        let files = self.tree.files.iter();
        let content =
            Content::new(files.map(|file| (Origin::Disk(file.path.clone()), file.length)));
        let (piece_length, total) = (self.piece_length, self.total);
        hashing::run("hashing", total, report, signals, move |done| {
            hash::pieces(&content, piece_length, total, done).map_err(|error| {
                let path = error.path.display();
                Failure::new(Exit::Disk, format_args!("{path}: cannot read: {}", error.source))
            })
        })
        .await
    }

    /// The torrent with these hashes, read back: what we make is what everybody will see.
    fn torrent(
        &self,
        args: &Create,
        hashes: Vec<[u8; 20]>,
    ) -> Result<(Vec<u8>, Metainfo), Failure> {
        let Tree { name, files, is_folder, .. } = &self.tree;
        let mut builder = if *is_folder {
            let files = files.iter().map(|file| (file.name.as_str(), file.length));
            Builder::multi(name, self.piece_length, files)
        } else {
            Builder::single(name, self.piece_length, self.total)
        };
        builder = builder.pieces(hashes).private(args.private).created_by(CREATED_BY);
        for tier in &args.tiers {
            builder = builder.tier(tier.0.iter().map(String::as_str));
        }
        for url in &args.web_seeds {
            builder = builder.web_seed(&web_seed(url, *is_folder));
        }
        if let Some(comment) = &args.comment {
            builder = builder.comment(comment);
        }
        if let Some(source) = &args.source {
            builder = builder.source(source);
        }
        let culprit = self.root.display().to_string();
        let refused = || Failure::of(Exit::Refused, culprit.clone());
        let torrent = builder.build().map_err(refused())?;
        let metainfo = Metainfo::parse(&torrent).map_err(refused())?;

        let unreadable = |option: &str| {
            let why = "empty, too long, or not printable in one line";
            Err(Failure::new(Exit::Refused, format_args!("{option}: {why}")))
        };
        if metainfo.comment() != args.comment.as_deref() {
            return unreadable("--comment");
        }
        if metainfo.source() != args.source.as_deref() {
            return unreadable("--source");
        }
        Ok((torrent, metainfo))
    }
}

/// A web seed of a folder is a folder, too: clients put the torrent's name behind it (BEP 19).
fn web_seed(url: &str, is_folder: bool) -> String {
    let slash = if is_folder && !url.ends_with('/') { "/" } else { "" };
    format!("{url}{slash}")
}

fn left_out(tree: &Tree, excluded: &Excluded) -> Vec<String> {
    let mut lines = Vec::new();
    if tree.hidden > 0 {
        let count = units::count(tree.hidden, "hidden name", "hidden names");
        lines.push(format!("left out: {count} (--include-hidden takes them in)"));
    }
    if tree.excluded > 0 {
        let count = units::count(tree.excluded, "name", "names");
        lines.push(format!("left out: {count} by --exclude"));
    }
    lines.extend(excluded.unmet().map(|glob| format!("--exclude {glob}: nothing has such a name")));
    lines
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::new(Exit::Refused, format_args!("{}: {why}", path.display()))
}
