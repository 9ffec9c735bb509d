"""Has libtorrent share a torrent until it is ended: TORRENT-OR-MAGNET FOLDER HOST PORT UPLOAD-LIMIT (bytes a second, 0 is none) local|alone (whether it
looks for peers in the local network).

Says "complete" once every piece is there.
"""
import sys
import time

import libtorrent as lt

torrent, folder, host, port, limit_up, network = sys.argv[1:]
at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
session = lt.session({
    "listen_interfaces": at,
    "outgoing_interfaces": host,
    "enable_dht": False,
    "enable_lsd": network == "local",
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "allow_multiple_connections_per_ip": True,
    "ssrf_mitigation": False,
    "upload_rate_limit": int(limit_up),
})
# Peers at local addresses are in a class without limits otherwise.
everybody = lt.ip_filter()
everybody.add_rule("0.0.0.0", "255.255.255.255", 1)
everybody.add_rule("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1)
session.set_peer_class_filter(everybody)
if torrent.startswith("magnet:"):
    params = lt.parse_magnet_uri(torrent)
else:
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
params.save_path = folder
handle = session.add_torrent(params)
while not handle.status().is_seeding:
    time.sleep(0.05)
print("complete", flush=True)
while True:
    time.sleep(3600)
