"""Seeds with libtorrent until it is ended: TORRENT FOLDER PORT. Says "seeding" once the payload is verified."""
import sys
import time

import libtorrent as lt

torrent, folder, port = sys.argv[1:]
session = lt.session({
    "listen_interfaces": f"127.0.0.1:{port}",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "allow_multiple_connections_per_ip": True,
})
params = lt.add_torrent_params()
params.ti = lt.torrent_info(torrent)
params.save_path = folder
handle = session.add_torrent(params)
while not handle.status().is_seeding:
    time.sleep(0.05)
print("seeding", flush=True)
while True:
    time.sleep(3600)
