//! Some files of a torrent and not the others, from other clients; then the rest.

use anyhow::{Result, ensure};

use super::Scenario;
use super::clients::Client;
use super::download::Get;
use super::payload::{Maker, Payload};
use super::place::Place;

const SEEDS: [Client; 3] = [Client::Aria2, Client::Transmission, Client::Libtorrent];

pub(super) fn scenarios() -> Vec<Scenario> {
    let scenario = |client: Client| {
        let name = format!("choice/{}", client.name());
        let scenario = Scenario::new(name, move |place| run(place, client));
        // Transmission looks only every ten seconds whom it unchokes.
        scenario.needing([client.tool()]).waiting(150)
    };
    SEEDS.map(scenario).into()
}

/// Three runs into one folder, each with more files than the one before.
fn run(place: &Place, client: Client) -> Result<()> {
    let payload = Payload::multi(place)?;
    let torrent = Maker::Ccbt.make(place, &payload, "http://127.0.0.1:9/announce")?;
    let seed = client.start(place, &torrent, &payload.folder, None)?;
    seed.wait_until_complete(place)?;
    let output = place.folder("download")?;
    let get = |name: &str, options: &[&str]| -> Result<()> {
        let mut get = Get::new(name, &torrent).peers([seed.address]).into(&output);
        for option in options {
            get = get.switch(option);
        }
        get.start(place)?.finish()?;
        Ok(())
    };

    get("nested", &["--files=nested/**", "--sequential"])?;
    let nested = |path: &str| path.starts_with("nested/");
    payload.compare_chosen(&output, nested)?;
    ensure!(parts(&output)? == 1, "their neighbours' bytes lie in one part file");

    get("last", &["--files=z last.bin", "--first-last", "--allocate=full"])?;
    payload.compare_chosen(&output, |path| nested(path) || path == "z last.bin")?;

    get("rest", &["--first=a large one.bin"])?;
    payload.compare(&output, true)?;
    ensure!(parts(&output)? == 0, "nothing is left beside the payload");
    Ok(())
}

/// Hidden files beside the payload.
fn parts(output: &std::path::Path) -> Result<usize> {
    let mut hidden = 0;
    for entry in std::fs::read_dir(output)? {
        hidden += usize::from(entry?.file_name().to_string_lossy().starts_with('.'));
    }
    Ok(hidden)
}
