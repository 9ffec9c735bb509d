//! A download from a web server alone (BEP 19), also where other URLs of it lead nowhere.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use anyhow::{Result, ensure};

use super::Scenario;
use super::download::Get;
use super::payload::{Maker, Payload};
use super::place::{Place, Running, free_port};
use super::tools::Tool;

pub(super) fn scenarios() -> Vec<Scenario> {
    // Below the server's root, the first that has the files comes last.
    let kinds: [(&str, bool, &[&str]); 3] = [
        ("single-file", false, &[""]),
        ("multi-file", true, &[""]),
        ("broken-first", false, &["nothere/", "nor/here/", ""]),
    ];
    kinds
        .map(|(name, multi, paths)| {
            Scenario::new(format!("web-seed/{name}"), move |place| run(place, multi, paths))
                .needing([Tool::Lighttpd])
        })
        .into()
}

fn run(place: &Place, multi: bool, paths: &[&str]) -> Result<()> {
    let payload = if multi { Payload::multi(place)? } else { Payload::single(place)? };
    let address = (place.host(1), free_port()?).into();
    let server = serve(place, &payload, address)?;
    let urls: Vec<String> = paths.iter().map(|path| format!("http://{address}/{path}")).collect();
    let seeds: Vec<&str> = urls.iter().flat_map(|url| ["--web-seed", url]).collect();
    let torrent = Maker::Ccbt.make_with(place, &payload, "http://127.0.0.1:9/announce", &seeds)?;
    let download = Get::new("get", &torrent).start(place)?;
    download.finish()?;
    server.ensure_running()?;
    let closed = download.events()?;
    let peers = closed.iter().filter(|event| event.name == "peer_connected");
    ensure!(peers.into_iter().all(|event| event.peer == Some(address)), "others had a part in it");
    let failed = closed.iter().filter(|event| event.name == "source_failed").count();
    ensure!(failed == urls.len() - 1, "{failed} of {urls:?} failed");
    payload.compare(&download.output, true)
}

/// lighttpd as it is without any configuration but where and what.
fn serve(place: &Place, payload: &Payload, address: SocketAddr) -> Result<Running> {
    let configuration = format!(
        "server.document-root = \"{}\"\nserver.bind = \"{}\"\nserver.port = {}\n",
        payload.folder.display(),
        address.ip(),
        address.port()
    );
    let file = place.path("lighttpd.conf");
    fs::write(&file, configuration)?;
    // Where Debian keeps servers is not on everybody's path.
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("sh");
    command.args(["-c", "exec lighttpd -D -f \"$0\""]).arg(&file).env("PATH", path);
    let running = place.start("lighttpd", &mut command)?;
    place.wait_for("lighttpd", || {
        running.ensure_running()?;
        Ok(TcpStream::connect(address).is_ok())
    })?;
    Ok(running)
}
