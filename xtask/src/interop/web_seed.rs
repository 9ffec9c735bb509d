//! A download from a web server alone (BEP 19).

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
    [("single-file", false), ("multi-file", true)]
        .map(|(files, multi)| {
            Scenario::new(format!("web-seed/{files}"), move |place| run(place, multi))
                .needing([Tool::Lighttpd])
        })
        .into()
}

fn run(place: &Place, multi: bool) -> Result<()> {
    let payload = if multi { Payload::multi(place)? } else { Payload::single(place)? };
    let address = (place.host(1), free_port()?).into();
    let server = serve(place, &payload, address)?;
    let torrent = Maker::Ccbt.make_with(
        place,
        &payload,
        "http://127.0.0.1:9/announce",
        &["--web-seed", &format!("http://{address}/")],
    )?;
    let download = Get::new("get", &torrent).start(place)?;
    download.finish()?;
    server.ensure_running()?;
    let closed = download.events()?;
    let peers = closed.iter().filter(|event| event.name == "peer_connected");
    ensure!(peers.into_iter().all(|event| event.peer == Some(address)), "others had a part in it");
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
