//! rtorrent without its screen; it touches a file when it is complete.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::super::place::Running;
use super::{IsComplete, Job};

pub(super) fn start(job: &Job<'_>) -> Result<(Running, IsComplete)> {
    let home = job.place.folder("rtorrent-home")?;
    let session = job.place.folder("rtorrent-home/session")?;
    let mark = home.join("complete");
    let (host, port) = (job.address.ip(), job.address.port());
    let settings = format!(
        "system.daemon.set = true\n\
         directory.default.set = \"{folder}\"\n\
         session.path.set = \"{session}\"\n\
         network.bind_address.set = {host}\n\
         network.port_range.set = {port}-{port}\n\
         network.port_random.set = no\n\
         dht.mode.set = disable\n\
         protocol.pex.set = no\n\
         trackers.use_udp.set = no\n\
         protocol.encryption.set = none\n\
         throttle.global_up.max_rate.set_kb = {limit}\n\
         method.set_key = event.download.finished, mark, \"execute2={{touch,{mark}}}\"\n\
         schedule2 = mark, 1, 1, \"d.multicall2=complete,\\\"execute2={{touch,{mark}}}\\\"\"\n\
         schedule2 = load, 0, 0, \"load.start=\\\"{torrent}\\\"\"\n",
        folder = job.folder.display(),
        session = session.display(),
        limit = job.limit_up.unwrap_or_default() / 1024,
        mark = mark.display(),
        torrent = job.torrent.display(),
    );
    let file = home.join("rtorrent.rc");
    fs::write(&file, settings)?;
    let mut command = Command::new("rtorrent");
    command.args(["-n", "-o"]).arg(format!("import={}", file.display())).env("HOME", &home);
    let running = job.place.start("rtorrent", &mut command)?;
    Ok((running, Box::new(move |_: &Running| Ok(mark.exists()))))
}
