//! The programs that scenarios need, and how to get them.

use std::process::{Command, Stdio};

/// A program of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Aria2,
    Transmission,
    TransmissionCreate,
    Libtorrent,
    Rtorrent,
    Qbittorrent,
    Opentracker,
    Mktorrent,
    Lighttpd,
    Miniupnpd,
    /// Not a program but a permission.
    Namespaces,
}

const ALL: [Tool; 11] = [
    Tool::Aria2,
    Tool::Transmission,
    Tool::TransmissionCreate,
    Tool::Libtorrent,
    Tool::Rtorrent,
    Tool::Qbittorrent,
    Tool::Opentracker,
    Tool::Mktorrent,
    Tool::Lighttpd,
    Tool::Miniupnpd,
    Tool::Namespaces,
];

impl Tool {
    /// Its name as one would say it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tool::Aria2 => "aria2c",
            Tool::Transmission => "transmission-daemon and transmission-remote",
            Tool::TransmissionCreate => "transmission-create",
            Tool::Libtorrent => "libtorrent for python3",
            Tool::Rtorrent => "rtorrent",
            Tool::Qbittorrent => "qbittorrent-nox",
            Tool::Opentracker => "opentracker",
            Tool::Mktorrent => "mktorrent",
            Tool::Lighttpd => "lighttpd",
            Tool::Miniupnpd => "miniupnpd and nft",
            Tool::Namespaces => "network namespaces",
        }
    }

    /// The command that installs it on Debian and its relatives.
    pub(super) fn install(self) -> &'static str {
        match self {
            Tool::Aria2 => "apt-get install aria2",
            Tool::Transmission => "apt-get install transmission-daemon transmission-cli",
            Tool::TransmissionCreate => "apt-get install transmission-cli",
            Tool::Libtorrent => "python3 -m pip install libtorrent",
            Tool::Rtorrent => "apt-get install rtorrent",
            Tool::Qbittorrent => "apt-get install qbittorrent-nox",
            Tool::Opentracker => "apt-get install opentracker",
            Tool::Mktorrent => "apt-get install mktorrent",
            Tool::Lighttpd => "apt-get install lighttpd",
            Tool::Miniupnpd => "apt-get install miniupnpd-nftables nftables",
            Tool::Namespaces => {
                "apt-get install iproute2 util-linux, and a system that permits unshare -rn"
            }
        }
    }

    fn is_there(self) -> bool {
        match self {
            Tool::Aria2 => starts("aria2c", &["--version"]),
            Tool::Transmission => {
                starts("transmission-daemon", &["--version"])
                    && starts("transmission-remote", &["--version"])
            }
            Tool::TransmissionCreate => starts("transmission-create", &["--version"]),
            Tool::Libtorrent => succeeds("python3", &["-c", "import libtorrent"]),
            Tool::Rtorrent => starts("rtorrent", &["-h"]),
            Tool::Qbittorrent => starts("qbittorrent-nox", &["--version"]),
            Tool::Opentracker => starts("opentracker", &["-h"]),
            Tool::Mktorrent => starts("mktorrent", &["-h"]),
            Tool::Lighttpd => starts("lighttpd", &["-v"]) || starts("/usr/sbin/lighttpd", &["-v"]),
            Tool::Miniupnpd => starts("miniupnpd", &["--version"]) && starts("nft", &["--version"]),
            Tool::Namespaces => {
                starts("nsenter", &["--version"])
                    && succeeds("unshare", &["-rn", "ip", "link", "set", "lo", "up"])
            }
        }
    }

    /// Must CI have it? A permission is not ours to install.
    pub(super) fn is_installable(self) -> bool {
        self != Tool::Namespaces
    }
}

/// The tools that this machine lacks.
pub(super) fn missing() -> Vec<Tool> {
    ALL.into_iter().filter(|tool| !tool.is_there()).collect()
}

/// Says what is missing and how to install it.
pub(super) fn report(missing: &[Tool]) {
    for tool in missing {
        println!("MISSING {}: {}", tool.name(), tool.install());
    }
}

/// Does it start at all? What it returns does not matter.
fn starts(program: &str, arguments: &[&str]) -> bool {
    quiet(program, arguments).status().is_ok()
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    quiet(program, arguments).status().is_ok_and(|status| status.success())
}

fn quiet(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}
