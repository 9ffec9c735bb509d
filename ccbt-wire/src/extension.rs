//! The extension protocol (BEP 10): its handshake, and names mapped to ids per direction.

mod handshake;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use handshake::{ExtensionError, ExtensionHandshake};

/// The extended id of the extension handshake, in both directions.
pub const EXTENDED_HANDSHAKE: u8 = 0;

/// The extensions of one connection: names mapped to ids, per direction.
///
/// Ids differ by direction. What comes in carries *our* id ([`name_of`](Self::name_of)), what goes out *theirs*
/// ([`theirs`](Self::theirs)). Names that we do not list are not kept, so that a connection costs one byte
/// per extension of ours.
///
/// ```
/// use ccbt_wire::{ExtensionHandshake, Extensions};
///
/// let mut extensions = Extensions::new(&["ut_metadata", "ut_pex"]);
/// let ours = ExtensionHandshake { m: extensions.handshake_names(), ..Default::default() };
/// assert_eq!(ours.encode(), b"d1:md11:ut_metadatai1e6:ut_pexi2eee");
///
/// extensions.apply(&ExtensionHandshake::parse(b"d1:md6:ut_pexi9eee")?);
/// assert_eq!(extensions.theirs("ut_pex"), Some(9)); // send with 9 ...
/// assert_eq!(extensions.name_of(2), Some("ut_pex")); // ... receive with 2
/// assert_eq!(extensions.theirs("ut_metadata"), None);
/// # Ok::<(), ccbt_wire::ExtensionError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Extensions {
    /// Our id is the position plus one. One list for all connections.
    ours: Arc<[Box<str>]>,
    /// Their id for the same name; 0 is off.
    theirs: Box<[u8]>,
}

impl Extensions {
    /// With these extensions of ours, which get the ids from 1. Names beyond the 255th get none.
    ///
    /// Clone it for further connections: the names are shared.
    pub fn new(names: &[&str]) -> Self {
        let ours: Arc<[Box<str>]> = names.iter().take(255).map(|&name| name.into()).collect();
        let theirs = vec![0; ours.len()].into();
        Self { ours, theirs }
    }

    /// Our names with our ids.
    pub fn ours(&self) -> impl Iterator<Item = (&str, u8)> {
        self.ours.iter().zip(1..=u8::MAX).map(|(name, id)| (&**name, id))
    }

    /// Our names with our ids, as the `m` of our handshake.
    pub fn handshake_names(&self) -> Vec<(String, u8)> {
        self.ours().map(|(name, id)| (name.to_owned(), id)).collect()
    }

    /// The name behind the extended id of an incoming message. `None` for the handshake and for ids that we
    /// did not give out.
    pub fn name_of(&self, our_id: u8) -> Option<&str> {
        self.ours.get(usize::from(our_id).checked_sub(1)?).map(|name| &**name)
    }

    /// The extended id for an outgoing message. `None` if the peer does not take it (now), or if the name is
    /// not one of ours.
    pub fn theirs(&self, name: &str) -> Option<u8> {
        let position = self.ours.iter().position(|ours| **ours == *name)?;
        Some(self.theirs[position]).filter(|&id| id != 0)
    }

    /// Takes over the ids of the peer's handshake. It may be repeated: names that it does not mention stay as
    /// they are, id 0 turns one off.
    pub fn apply(&mut self, handshake: &ExtensionHandshake) {
        for (name, id) in &handshake.m {
            if let Some(position) = self.ours.iter().position(|ours| **ours == **name) {
                self.theirs[position] = *id;
            }
        }
    }
}
