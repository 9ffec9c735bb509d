//! A network of a scenario's own, which reaches nobody else and nobody else reaches.

use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

use anyhow::Result;

use super::place::Place;

/// Without other devices the loopback has to carry what is sent to groups.
const SET_UP: &str = "set -e
ip link set lo up
ip link set lo multicast on
ip address add 10.77.0.1/24 dev lo
ip address add 10.77.0.2/24 dev lo
ip route add 224.0.0.0/4 dev lo
echo ready
exec sleep 600";

/// A namespace with two addresses of one local network.
#[derive(Clone, Debug)]
pub(super) struct Namespace {
    /// The process that keeps it.
    keeper: u32,
}

impl Namespace {
    /// A new one, which ends with the place.
    pub(super) fn new(place: &Place) -> Result<Self> {
        let mut command = Command::new("unshare");
        let keeper = place.start("namespace", command.args(["-rn", "sh", "-c", SET_UP]))?;
        place.wait_for("the namespace", || {
            keeper.ensure_running()?;
            Ok(keeper.output().contains("ready"))
        })?;
        Ok(Namespace { keeper: keeper.id() })
    }

    /// An address of its network, 1 or 2.
    pub(super) fn host(number: u8) -> IpAddr {
        Ipv4Addr::new(10, 77, 0, number).into()
    }

    /// The same command, inside.
    pub(super) fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args(["--target", &self.keeper.to_string(), "--user", "--net"]);
        inside.args(["--preserve-credentials", "--"]);
        inside.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }
}
