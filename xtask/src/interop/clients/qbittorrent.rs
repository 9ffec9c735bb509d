//! qbittorrent-nox, asked by its Web API.

use std::fs;
use std::process::Command;

use anyhow::Result;
use serde_json::Value;

use super::super::http;
use super::super::place::Running;
use super::{IsComplete, Job, control_address};

pub(super) fn start(job: &Job<'_>) -> Result<(Running, IsComplete)> {
    let control = control_address()?;
    let profile = job.place.folder("qbittorrent-profile")?;
    let folder = job.place.folder("qbittorrent-profile/qBittorrent/config")?;
    let (host, port) = (job.address.ip(), job.address.port());
    let settings = format!(
        "[LegalNotice]\n\
         Accepted=true\n\
         [BitTorrent]\n\
         Session\\BTProtocol=TCP\n\
         Session\\DHTEnabled=false\n\
         Session\\Encryption=0\n\
         Session\\GlobalUPSpeedLimit={limit}\n\
         Session\\IgnoreLimitsOnLAN=false\n\
         Session\\InterfaceAddress={host}\n\
         Session\\LSDEnabled=false\n\
         Session\\MultiConnectionsPerIp=true\n\
         Session\\PeXEnabled=false\n\
         Session\\Port={port}\n\
         Session\\QueueingSystemEnabled=false\n\
         Session\\SSRFMitigation=false\n\
         [Network]\n\
         PortForwardingEnabled=false\n\
         [Preferences]\n\
         WebUI\\Address={control_host}\n\
         WebUI\\LocalHostAuth=false\n\
         WebUI\\Port={control_port}\n\
         WebUI\\UseUPnP=false\n",
        limit = job.limit_up.unwrap_or_default() / 1024,
        control_host = control.ip(),
        control_port = control.port(),
    );
    fs::write(folder.join("qBittorrent.conf"), settings)?;
    let mut command = Command::new("qbittorrent-nox");
    command
        .arg(format!("--profile={}", profile.display()))
        .arg(format!("--save-path={}", job.folder.display()))
        .arg("--skip-dialog=true")
        .arg(job.torrent)
        .env("HOME", &profile);
    let running = job.place.start("qbittorrent", &mut command)?;
    let is_complete = move |_: &Running| {
        // It answers a while after its start.
        let reply = http::get(control, "/api/v2/torrents/info").unwrap_or_default();
        let reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
        Ok(reply[0]["progress"] == 1.0 && reply[0]["amount_left"] == 0)
    };
    Ok((running, Box::new(is_complete)))
}
