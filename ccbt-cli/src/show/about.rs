//! What there is to tell, in the form of `--json`.

use std::fmt;

use ccbt_peer::wire::{InfoHash, Magnet, Metainfo};
use serde::Serialize;

use super::scrape::Answer;
use crate::print::slashed;

/// A torrent or a magnet link.
#[derive(Debug, Default, Serialize)]
pub(super) struct About {
    pub(super) name: Option<String>,
    #[serde(serialize_with = "display")]
    pub(super) info_hash: Option<InfoHash>,
    pub(super) magnet: String,
    /// Bytes of payload.
    pub(super) length: Option<u64>,
    /// In tiers (BEP 12).
    pub(super) trackers: Vec<Vec<String>>,
    pub(super) web_seeds: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) torrent: Option<Torrent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) link: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scrape: Option<Vec<Answer>>,
}

/// What only a torrent says.
#[derive(Debug, Serialize)]
pub(super) struct Torrent {
    pub(super) piece_length: u32,
    pub(super) pieces: u32,
    pub(super) private: bool,
    pub(super) comment: Option<String>,
    pub(super) created_by: Option<String>,
    /// Seconds since 1970 began, UTC.
    pub(super) creation_date: Option<u64>,
    pub(super) source: Option<String>,
    pub(super) files: Vec<File>,
}

/// A file of a torrent.
#[derive(Debug, Serialize)]
pub(super) struct File {
    /// With `/` between names, and the torrent's in front if it has a folder.
    pub(super) path: String,
    pub(super) length: u64,
    /// Where it begins in the payload, in bytes.
    pub(super) offset: u64,
    /// Filling between files (BEP 47).
    pub(super) pad: bool,
}

/// What only a magnet link says.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    /// 64 hexadecimal digits.
    pub(super) info_hash_v2: Option<String>,
    pub(super) peers: Vec<String>,
    /// Numbers of files, such as `0,2,4-6` (BEP 53).
    pub(super) select_only: Option<String>,
}

impl About {
    pub(super) fn torrent(metainfo: &Metainfo) -> Self {
        let files = metainfo.files().iter().map(|file| File {
            path: slashed(&file.path),
            length: file.length,
            offset: file.offset,
            pad: file.pad,
        });
        let torrent = Torrent {
            piece_length: metainfo.piece_length(),
            pieces: metainfo.piece_count(),
            private: metainfo.is_private(),
            comment: metainfo.comment().map(str::to_owned),
            created_by: metainfo.created_by().map(str::to_owned),
            creation_date: metainfo.creation_date(),
            source: metainfo.source().map(str::to_owned),
            files: files.collect(),
        };
        Self {
            name: Some(metainfo.name().to_owned()),
            info_hash: Some(metainfo.info_hash()),
            magnet: Magnet::of(metainfo).to_string(),
            length: Some(metainfo.total_len()),
            trackers: metainfo.trackers().to_vec(),
            web_seeds: metainfo.url_list().to_vec(),
            torrent: Some(torrent),
            ..Self::default()
        }
    }

    pub(super) fn magnet(magnet: &Magnet) -> Self {
        let v2 = magnet.info_hash_v2.map(|hash| hash.iter().map(|b| format!("{b:02x}")).collect());
        let link = Link {
            info_hash_v2: v2,
            peers: magnet.peers.iter().map(ToString::to_string).collect(),
            select_only: magnet.select_only.as_ref().map(ToString::to_string),
        };
        Self {
            name: magnet.name.clone(),
            info_hash: magnet.info_hash,
            magnet: magnet.to_string(),
            length: magnet.length,
            trackers: magnet.trackers.iter().map(|url| vec![url.clone()]).collect(),
            web_seeds: magnet.web_seeds.clone(),
            link: Some(link),
            ..Self::default()
        }
    }

    /// A magnet link, and what it leads to.
    pub(super) fn known(magnet: &Magnet, metainfo: &Metainfo) -> Self {
        let link = Self::magnet(magnet);
        Self { link: link.link, magnet: link.magnet, ..Self::torrent(metainfo) }
    }

    /// What a person would call it.
    pub(super) fn title(&self) -> String {
        let hash = || self.info_hash.map_or_else(|| self.magnet.clone(), |hash| hash.to_string());
        self.name.clone().unwrap_or_else(hash)
    }
}

fn display<T: fmt::Display, S: serde::Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
