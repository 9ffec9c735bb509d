"""libtorrent as a client that is measured: get|seed|check TORRENT FOLDER PORT.

get ends when everything is complete and written, check when all is checked; seed trusts what is there and
runs until it is ended.
"""
import os
import sys

import libtorrent as lt

job, torrent, folder, port = sys.argv[1:]
session = lt.session({
    "listen_interfaces": f"127.0.0.1:{port}",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "in_enc_policy": int(lt.enc_policy.disabled),
    "out_enc_policy": int(lt.enc_policy.disabled),
    "allow_multiple_connections_per_ip": True,
    "connections_limit": 20000,
    "listen_queue_size": 4096,
    "unchoke_slots_limit": -1,
    "peer_timeout": 600,
    "inactivity_timeout": 3600,
    "close_redundant_connections": False,
    "max_out_request_queue": 1500,
    "max_allowed_in_request_queue": 2000,
    "send_buffer_watermark": 3 << 20,
    "send_buffer_low_watermark": 1 << 20,
    "max_queued_disk_bytes": 256 << 20,
    "file_pool_size": 6000,
    "aio_threads": 4,
    "hashing_threads": os.cpu_count(),
    "alert_mask": int(lt.alert.category_t.status_notification
                      | lt.alert.category_t.storage_notification
                      | lt.alert.category_t.error_notification),
})
params = lt.load_torrent_file(torrent)
params.save_path = folder
params.storage_mode = lt.storage_mode_t.storage_mode_sparse
params.max_connections = 20000
params.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
if job == "seed":
    params.flags |= lt.torrent_flags.seed_mode
handle = session.add_torrent(params)
while True:
    session.wait_for_alert(60_000)
    for alert in session.pop_alerts():
        if isinstance(alert, (lt.file_error_alert, lt.torrent_error_alert, lt.listen_failed_alert)):
            sys.exit(alert.message())
        if job == "get" and isinstance(alert, lt.torrent_finished_alert):
            handle.flush_cache()
        elif job == "get" and isinstance(alert, lt.cache_flushed_alert) and handle.status().is_seeding:
            os._exit(0)
        elif job == "check" and isinstance(alert, lt.torrent_checked_alert):
            os._exit(0 if handle.status().is_seeding else 1)
