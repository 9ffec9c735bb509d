//! Why a swarm did not start, or did not do what was asked of it.

use std::io;
use std::net::SocketAddr;

use crate::store::StoreError;

/// Why a swarm did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, or not ours.
    #[error("cannot listen at {addr}: {source}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The system's word.
        source: io::Error,
    },
    /// The bitfield is for another number of pieces.
    #[error("the bitfield is for {bits} pieces, but the torrent has {pieces}")]
    Bitfield {
        /// Pieces of the bitfield.
        bits: u32,
        /// Pieces of the torrent.
        pieces: u32,
    },
    /// The magnet link names a torrent of version 2 alone.
    #[error("the magnet link has no info hash of version 1 (xt=urn:btih:)")]
    NoInfoHash,
    /// A store or a choice was given for a magnet link, which is to have them when it is known what for.
    #[error(
        "the store of a magnet link, and the choice of its files, come when its metadata is known"
    )]
    StoreOfMagnet,
    /// The choice is about another number of files.
    #[error("the choice is about {chosen} files, but the torrent has {files}")]
    Choice {
        /// Files of the choice.
        chosen: usize,
        /// Files of the torrent.
        files: usize,
    },
    /// There is no thread to be had.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// Why a running swarm did not take another choice of files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChooseError {
    /// The choice is about another number of files.
    #[error("the choice is about {chosen} files, but the torrent has {files}")]
    Files {
        /// Files of the choice.
        chosen: usize,
        /// Files of the torrent.
        files: usize,
    },
    /// The metadata of the magnet link has not come, or its files are not checked yet.
    #[error("which files the magnet link leads to is not known yet")]
    Unknown,
    /// A file cannot be had in its place.
    #[error(transparent)]
    Store(StoreError),
    /// The swarm has stopped.
    #[error("the swarm has stopped")]
    Stopped,
}
