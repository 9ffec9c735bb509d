//! A torrent, peers for it, and the program.

mod listening;
mod running;

use std::cell::RefCell;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use bytes::Bytes;
use ccbt_peer::store::MemoryStore;
use ccbt_peer::wire::metainfo::build;
use ccbt_peer::wire::{Bitfield, Message, Metainfo, PeerId};
use ccbt_peer::{Connection, ConnectionOptions, Events, Swarm};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

pub(crate) use listening::Listening;
pub(crate) use running::Running;

const PIECE: u32 = 16 << 10;

/// A folder with a torrent in it, and room for what is downloaded.
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) payload: Vec<u8>,
    runtime: Runtime,
    seeds: RefCell<Vec<(Swarm, Events)>>,
}

impl Stage {
    /// A torrent of one file, `payload.bin`, which knows this tracker.
    pub(crate) fn new(tracker: Option<SocketAddr>) -> Self {
        let payload: Vec<u8> = (0..300_001_u32)
            .flat_map(|n| [n.wrapping_mul(2_654_435_761).to_le_bytes()[3]])
            .collect();
        let folder = tempfile::tempdir().expect("a folder");
        let stage = Self {
            folder,
            payload,
            runtime: Runtime::new().expect("a runtime"),
            seeds: RefCell::default(),
        };
        fs::write(stage.torrent(), stage.metainfo_bytes(tracker)).expect("a torrent");
        stage
    }

    pub(crate) fn metainfo_bytes(&self, tracker: Option<SocketAddr>) -> Vec<u8> {
        let url = tracker.map(|tracker| format!("http://{tracker}/announce"));
        build::single_file("payload.bin", PIECE, &self.payload, url.as_deref())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn torrent(&self) -> PathBuf {
        self.folder().join("a.torrent")
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.folder().join("output")
    }

    /// What was downloaded.
    pub(crate) fn downloaded(&self) -> Vec<u8> {
        fs::read(self.output().join("payload.bin")).expect("the payload")
    }

    /// A peer that has everything, for as long as the stage stands.
    pub(crate) fn seed(&self) -> SocketAddr {
        let metainfo = Metainfo::parse(&self.metainfo_bytes(None)).expect("a torrent");
        let (swarm, events) = self.runtime.block_on(async {
            let store = MemoryStore::with(&metainfo, self.payload.clone());
            let have = Bitfield::full(metainfo.piece_count());
            let seed = Swarm::builder(metainfo).store(store).have(have);
            // It meets nobody but those who come to it.
            let seed = seed.listen((Ipv4Addr::LOCALHOST, 0).into()).pex(false);
            seed.start().expect("a seed")
        });
        let addr = swarm.local_addr().expect("an address");
        self.seeds.borrow_mut().push((swarm, events));
        addr
    }

    /// A peer with such an id that calls at this address, tells what it has, and says nothing more.
    pub(crate) fn caller(&self, id: u8, addr: &str, have: Bitfield) -> Connection<TcpStream> {
        let metainfo = Metainfo::parse(&self.metainfo_bytes(None)).expect("a torrent");
        let options = ConnectionOptions::new(metainfo.info_hash(), PeerId([id; 20]));
        let told = Message::Bitfield(Bytes::copy_from_slice(have.as_bytes()));
        self.runtime.block_on(async {
            let stream = TcpStream::connect(addr).await.expect("somebody listens");
            let mut peer = Connection::connect(stream, options).await.expect("a handshake");
            peer.send(told).await.expect("a message");
            peer
        })
    }

    /// A web server with the same answer for everybody.
    pub(crate) fn serve(&self, body: Vec<u8>) -> SocketAddr {
        let listener = self.listen();
        let addr = listener.local_addr().expect("an address");
        self.runtime.spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        break;
                    }
                }
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all(head.as_bytes()).await;
                let _ = stream.write_all(&body).await;
            }
        });
        addr
    }

    /// Takes connections in its backlog and never says a word.
    pub(crate) fn listen(&self) -> TcpListener {
        let _guard = self.runtime.enter();
        let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        socket.set_nonblocking(true).expect("a socket");
        TcpListener::from_std(socket).expect("a socket")
    }

    /// `ccbt get` of this torrent into the output folder, with more arguments, on loopback.
    pub(crate) fn get(&self, more: &[&str]) -> Command {
        self.get_from(&self.torrent().to_string_lossy(), more)
    }

    pub(crate) fn get_from(&self, torrent: &str, more: &[&str]) -> Command {
        let mut command = ccbt();
        command.arg("get").arg(torrent).arg("-o").arg(self.output());
        on_loopback(command.args(more), more);
        command.env("XDG_STATE_HOME", self.state());
        // A test that goes wrong has an end, too.
        if !more.contains(&"--stop-timeout") {
            command.args(["--stop-timeout", "20s"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `ccbt seed` of the first torrent on loopback, with more arguments.
    pub(crate) fn share(&self, more: &[&str]) -> Command {
        let mut command = ccbt();
        command.arg("seed").arg(self.torrent()).args(more).arg("--data").arg(self.data());
        on_loopback(&mut command, more);
        command.env("XDG_STATE_HOME", self.state());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `ccbt doctor` of this torrent and the output folder on loopback, with more arguments.
    pub(crate) fn doctor(&self, more: &[&str]) -> Command {
        let mut command = ccbt();
        command.arg("doctor").arg(self.torrent()).arg("-o").arg(self.output());
        on_loopback(command.args(more), more);
        command.env("XDG_STATE_HOME", self.state());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What is kept from run to run.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder().join("state")
    }

    pub(crate) fn info_hash(&self) -> String {
        let metainfo = Metainfo::parse(&self.metainfo_bytes(None)).expect("a torrent");
        metainfo.info_hash().to_string()
    }

    /// A file with this text.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder().join(name);
        fs::write(&path, text).expect("a file");
        path.to_string_lossy().into_owned()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Puts content where `--data` looks for it.
    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        fs::create_dir_all(self.data()).expect("a folder");
        fs::write(self.data().join(name), content).expect("a file");
    }

    /// One more torrent beside the first, and its content.
    pub(crate) fn other(&self) -> (PathBuf, Vec<u8>) {
        let content: Vec<u8> = self.payload.iter().map(|byte| !byte).collect();
        let path = self.folder().join("b.torrent");
        let torrent = build::single_file("other.bin", 32 << 10, &content, None);
        fs::write(&path, torrent).expect("a torrent");
        (path, content)
    }
}

/// Listens where nobody else does, if the arguments do not say where.
fn on_loopback(command: &mut Command, more: &[&str]) {
    if !more.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
}

/// The program, without the configuration and the memory of whoever runs the tests.
pub(crate) fn ccbt() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ccbt"));
    command.env("XDG_CONFIG_HOME", "/nowhere").env_remove("XDG_STATE_HOME").env_remove("HOME");
    // Tests stay on this machine; and those that run side by side share torrents, and must not find each other.
    for name in ["GET", "SEED", "DOCTOR"] {
        command.env(format!("CCBT_{name}_NO_DHT"), "true");
        command.env(format!("CCBT_{name}_NO_LSD"), "true");
    }
    command
}

/// Runs to the end.
pub(crate) fn run(mut command: Command) -> Output {
    command.output().expect("the program starts")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The end as a number, and everything that was said if it is not the expected one.
pub(crate) fn assert_exit(output: &Output, code: i32) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "stdout:\n{out}\nstderr:\n{err}");
}
