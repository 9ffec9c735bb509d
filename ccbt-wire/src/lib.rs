#![doc = include_str!("../README.md")]

pub mod bencode;
mod bitfield;
#[cfg(feature = "codec")]
mod codec;
mod extension;
mod fast;
mod handshake;
mod hex;
mod ids;
pub mod local;
pub mod magnet;
mod message;
mod metadata;
pub mod metainfo;
mod percent;
mod pex;
mod stream;
mod text;
pub mod tracker;

pub use bitfield::{Bitfield, BitfieldError, Pieces};
#[cfg(feature = "codec")]
pub use codec::{CodecError, MessageCodec};
pub use extension::{EXTENDED_HANDSHAKE, ExtensionError, ExtensionHandshake, Extensions};
pub use fast::allowed_fast;
pub use handshake::{Handshake, HandshakeDecoder, HandshakeError, Reserved};
pub use ids::{BLOCK_LEN, Block, InfoHash, ParseInfoHashError, PeerId, PieceIndex};
pub use magnet::{Magnet, MagnetError};
pub use message::{Message, PIECE_HEAD, encode_piece_header};
pub use metadata::{
    MAX_METADATA_LEN, MetadataError, MetadataMessage, UT_METADATA, metadata_block_len,
    metadata_blocks,
};
pub use metainfo::{File, Metainfo, MetainfoError, PathError};
pub use pex::{MAX_PEX_PEERS, PexMessage, PexPeer, UT_PEX};
pub use stream::{DecodeError, Decoder, Item, Limits, MessageDecoder};
