#![doc = include_str!("../README.md")]

pub mod bencode;
mod bitfield;
mod extension;
mod handshake;
mod ids;
mod message;
pub mod metainfo;
mod stream;
mod text;
pub mod tracker;

pub use bitfield::{Bitfield, BitfieldError, Pieces};
pub use extension::{EXTENDED_HANDSHAKE, ExtensionError, ExtensionHandshake, Extensions};
pub use handshake::{Handshake, HandshakeDecoder, HandshakeError, Reserved};
pub use ids::{BLOCK_LEN, Block, InfoHash, ParseInfoHashError, PeerId, PieceIndex};
pub use message::{Message, encode_piece_header};
pub use metainfo::{File, Metainfo, MetainfoError, PathError};
pub use stream::{DecodeError, Decoder, Item, Limits, MessageDecoder};
