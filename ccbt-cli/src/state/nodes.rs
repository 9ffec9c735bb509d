//! Nodes of the DHT by which a later run finds its way back.

use std::io;
use std::path::PathBuf;

use ccbt_peer::source::dht::DhtNodes;

use super::{recall, replace};

/// More than is ever written.
const FILE: usize = 1 << 16;

/// The file of the nodes; by default there is none, and nothing is known.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    file: Option<PathBuf>,
}

impl Nodes {
    pub(super) fn new(file: Option<PathBuf>) -> Self {
        Self { file }
    }

    /// What an earlier run knew. A file that cannot be read is set aside, and a word about it comes back.
    pub(crate) fn recall(&self) -> (DhtNodes, Option<String>) {
        let Some(file) = &self.file else { return Default::default() };
        recall(file, FILE, "file of DHT nodes", DhtNodes::parse)
    }

    /// Writes what is known now. Whoever has found nobody leaves what was there.
    pub(crate) fn keep(&self, nodes: &DhtNodes) -> io::Result<()> {
        match &self.file {
            Some(file) if !nodes.addresses().is_empty() => replace(file, &nodes.to_bytes()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_is_kept_is_recalled_and_nobody_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Nodes::new(Some(folder.path().join("deep/dht-nodes")));
        assert_eq!(memory.recall(), (DhtNodes::default(), None));
        let nodes = DhtNodes::new(["192.0.2.1:6881".parse().unwrap()]);
        memory.keep(&nodes).unwrap();
        memory.keep(&DhtNodes::default()).unwrap();
        assert_eq!(memory.recall(), (nodes, None));
    }

    #[test]
    fn a_broken_file_is_set_aside_and_without_a_folder_nothing_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dht-nodes");
        fs::write(&file, "what is this").unwrap();
        let memory = Nodes::new(Some(file));
        let (nodes, note) = memory.recall();
        assert_eq!(nodes, DhtNodes::default());
        assert!(note.is_some_and(|note| note.contains("not a file of DHT nodes; it is set aside")));
        assert!(folder.path().join("dht-nodes.broken").exists());
        assert_eq!(Nodes::new(None).recall(), (DhtNodes::default(), None));
    }
}
