"""Makes a v1 torrent with libtorrent: SOURCE TORRENT ANNOUNCE."""
import os
import sys

import libtorrent as lt

source, target, announce = sys.argv[1:]
files = lt.file_storage()
lt.add_files(files, source)
torrent = lt.create_torrent(files, 32 * 1024, lt.create_torrent.v1_only)
torrent.add_tracker(announce)
lt.set_piece_hashes(torrent, os.path.dirname(source))
with open(target, "wb") as out:
    out.write(lt.bencode(torrent.generate()))
