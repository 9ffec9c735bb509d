//! The router behind which we are, as the system knows it.

use std::net::Ipv4Addr;

use crate::Binding;

/// The next router on the way to everywhere; `None` where the system does not tell.
pub(super) fn default(binding: &Binding) -> Option<Ipv4Addr> {
    let table = std::fs::read_to_string("/proc/net/route").ok()?;
    of_table(&table, binding.device())
}

/// Reads the routing table of Linux: name, destination, gateway and flags of each route, in the byte order of
/// the network read as that of the machine.
fn of_table(table: &str, device: Option<&str>) -> Option<Ipv4Addr> {
    const GATEWAY: u32 = 2;
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let name = columns.next()?;
        let mut number = || u32::from_str_radix(columns.next()?, 16).ok();
        let (destination, gateway, flags) = (number()?, number()?, number()?);
        let is_default = destination == 0 && flags & GATEWAY != 0 && gateway != 0;
        (is_default && device.is_none_or(|device| device == name))
            .then(|| gateway.to_ne_bytes().into())
    })
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use super::*;

    const TABLE: &str = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
        eth0\t0000A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\n\
        eth0\t00000000\t0100A8C0\t0003\t0\t0\t100\t00000000\n\
        tun0\t00000000\t0101080A\t0003\t0\t0\t50\t00000000\n";

    #[test]
    fn the_default_route_names_the_router_of_an_interface() {
        for (device, expected) in [
            (None, Some([192, 168, 0, 1])),
            (Some("tun0"), Some([10, 8, 1, 1])),
            (Some("wlan0"), None),
        ] {
            assert_eq!(of_table(TABLE, device), expected.map(Ipv4Addr::from), "{device:?}");
        }
        assert_eq!(of_table("", None), None);
        assert_eq!(of_table("head\nx\neth0 zz\n", None), None);
    }
}
