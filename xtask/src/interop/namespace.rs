//! A network of a scenario's own, which reaches nobody else and nobody else reaches.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;

use anyhow::{Context, Result};

use super::place::Place;

/// Without other devices the loopback has to carry what is sent to groups.
const IPV4: &str = "set -e
ip link set lo up
ip link set lo multicast on
ip address add 10.77.0.1/24 dev lo
ip address add 10.77.0.2/24 dev lo
ip route add 224.0.0.0/4 dev lo
echo ready
exec sleep 600";
/// No address of IPv4 is left, not even that of the loopback.
const IPV6: &str = "set -e
ip link set lo up
ip address del 127.0.0.1/8 dev lo
ip address add fd77::1/64 dev lo nodad
ip address add fd77::2/64 dev lo nodad
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
        Self::set_up(place, IPV4)
    }

    /// The same with IPv6 and nothing else.
    pub(super) fn of_ipv6(place: &Place) -> Result<Self> {
        Self::set_up(place, IPV6)
    }

    fn set_up(place: &Place, script: &str) -> Result<Self> {
        let mut command = Command::new("unshare");
        let keeper = place.start("namespace", command.args(["-rn", "sh", "-c", script]))?;
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

    /// The same where there is IPv6 alone.
    pub(super) fn host_of_ipv6(number: u16) -> IpAddr {
        Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, number).into()
    }

    /// How many datagrams all of its programs have sent (UDP over IPv4).
    pub(super) fn datagrams(&self) -> Result<u64> {
        let path = format!("/proc/{}/net/snmp", self.keeper);
        let text = fs::read_to_string(&path).with_context(|| path.clone())?;
        let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp: "));
        let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let mut columns = names.split(' ').zip(values.split(' '));
        let sent = columns.find(|(name, _)| *name == "OutDatagrams");
        Ok(sent.with_context(|| format!("{path}: no OutDatagrams"))?.1.parse()?)
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
