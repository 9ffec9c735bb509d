"""A DHT of its own: HOST FIRST-PORT NODES [TORRENT FOLDER ROLE], with ROLE seed or get.

Says "ready" when the first node knows half of them and all know somebody. Then the last node shares the torrent, if there
is one: it says "complete" once it has every piece, and a seed says "known" when half of them know of it.
"""
import sys
import time
import warnings

import libtorrent as lt

warnings.simplefilter("ignore", DeprecationWarning)
host, first_port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


bracketed = f"[{host}]" if ":" in host else host


def node(port):
    session = lt.session({
        "listen_interfaces": f"{bracketed}:{port}",
        "outgoing_interfaces": host,
        "enable_dht": True,
        "dht_bootstrap_nodes": f"{bracketed}:{first_port}",
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "dht_ignore_dark_internet": False,
        "dht_upload_rate_limit": 1_000_000,
        # All of them are one host: together they would be too loud for it.
        "dht_block_ratelimit": 1_000_000,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_incoming_utp": False,
        "enable_outgoing_utp": False,
        "allow_multiple_connections_per_ip": True,
        "ssrf_mitigation": False,
        "alert_mask": lt.alert.category_t.all_categories,
    })
    session.add_dht_node((host, first_port))
    return session


nodes = [node(first_port + number) for number in range(count)]
rounds = 0
while True:
    known = [session.status().dht_nodes for session in nodes]
    if known[0] >= count // 2 and min(known) > 0:
        break
    # Whoever was not heard the first time would wait for long before he says it again.
    if rounds % 20 == 19:
        for number in range(1, count):
            nodes[number].add_dht_node((host, first_port))
            nodes[0].add_dht_node((host, first_port + number))
    rounds += 1
    time.sleep(0.05)
print("ready", flush=True)
if len(sys.argv) > 4:
    torrent, folder, role = sys.argv[4:]
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(torrent)
    params.save_path = folder
    handle = nodes[-1].add_torrent(params)
    while not handle.status().is_seeding:
        if role == "get":
            handle.force_dht_announce()
        time.sleep(0.5)
    print("complete", flush=True)
    told = set()
    while role == "seed":
        # Again and again: the first words may have been lost.
        handle.force_dht_announce()
        time.sleep(0.5)
        for number, session in enumerate(nodes):
            if any(isinstance(alert, lt.dht_announce_alert) for alert in session.pop_alerts()):
                told.add(number)
        if len(told) >= count // 2:
            print("known", flush=True)
while True:
    time.sleep(3600)
