//! `cargo xtask versus`: whole programs side by side on loopback, each at the same work.
//!
//! Absolute seconds drift from hour to hour. So the clients take turns, round by round, and what counts is the
//! ratio of two clients in the same round. Every download is compared with the payload byte for byte.

mod chart;
mod client;
mod content;
mod figures;
pub(crate) mod lean;
mod machine;
mod measure;
mod process;
mod report;
mod round;
mod workload;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use crate::interop;
use client::Client;
use content::Content;
use figures::Row;
use report::Table;
use workload::Workload;

/// What to measure, and how often.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run only workloads whose name contains one of these; download-4g runs only when it is named
    filter: Vec<String>,
    /// Show the names of the workloads and stop
    #[arg(long)]
    list: bool,
    /// Rounds of every workload
    #[arg(long, value_name = "N", default_value_t = 7)]
    runs: usize,
    /// Another size of the payload, such as 256MiB
    #[arg(long, value_parser = content::size)]
    size: Option<u64>,
    /// Measure only these, such as ccbt,libtorrent
    #[arg(long, value_delimiter = ',', value_name = "NAME,...")]
    clients: Vec<String>,
    /// Measure this ccbt instead of building one
    #[arg(long, value_name = "PATH", overrides_with = "binary")]
    binary: Option<PathBuf>,
    /// Write the tables there, too
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Draw a chart there
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Measures what is chosen; false when something failed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<bool> {
    let mut workloads = workload::all();
    if options.list {
        workloads.iter().for_each(|workload| println!("{}: {}", workload.name, workload.about()));
        return Ok(true);
    }
    workloads.retain(|workload| is_chosen(workload, &options.filter));
    ensure!(!workloads.is_empty(), "no workload matches {:?}", options.filter);
    let clients = clients(&options.clients)?;
    let binary = match &options.binary {
        Some(path) => path.canonicalize()?,
        None => interop::build(root)?,
    };
    machine::raise_limits()?;
    machine::isolate(&binary)?;
    let head = format!("{}; {}\n", machine::about(), machine::report());
    println!("{head}");
    let (mut tables, mut text) = (Vec::new(), head);
    for mut workload in workloads {
        if let Some(size) = options.size.filter(|_| workload.is_sizable()) {
            workload.shape.length = size;
        }
        let table = measure_all(&workload, &clients, options.runs, &binary)?;
        println!("\n{}", table.markdown());
        text += &format!("\n{}", table.markdown());
        tables.push(table);
        // Written after each: an interrupted session is not lost.
        if let Some(path) = &options.markdown {
            fs::write(path, &text)?;
        }
        if let Some(path) = &options.svg {
            fs::write(path, chart::svg(&tables))?;
        }
    }
    Ok(tables.iter().flat_map(|table| &table.rows).all(|row| row.failed.is_none()))
}

fn is_chosen(workload: &Workload, filter: &[String]) -> bool {
    let matches = filter.is_empty() || filter.iter().any(|part| workload.name.contains(part));
    matches && (!workload.by_name || filter.iter().any(|part| part == workload.name))
}

/// Those that are asked for and installed; says how to install the others.
fn clients(names: &[String]) -> Result<Vec<Client>> {
    let known = |name: &String| Client::ALL.iter().any(|client| client.name() == name);
    let unknown: Vec<_> = names.iter().filter(|name| !known(name)).collect();
    let all = Client::ALL.map(Client::name).join(", ");
    ensure!(unknown.is_empty(), "no client {unknown:?}; there are {all}");
    let mut clients = Client::ALL.to_vec();
    clients.retain(|client| names.is_empty() || names.iter().any(|name| client.name() == name));
    clients.retain(|client| match client.missing() {
        Some(install) => {
            println!("MISSING {}: {install}", client.name());
            false
        }
        None => true,
    });
    Ok(clients)
}

/// All rounds of one workload. Who fails takes no further part in it.
fn measure_all(
    workload: &Workload,
    clients: &[Client],
    runs: usize,
    binary: &Path,
) -> Result<Table> {
    println!("{} (load {:.2})", workload.name, machine::load());
    // Some room beyond what the payload takes for the programs that run from there.
    let room = workload.shape.length * workload.work.copies() + (64 << 20);
    let folder = machine::folder(room)?;
    let payload = folder.path().join("payload");
    fs::create_dir(&payload)?;
    let content = Content::make(&payload, workload.shape)?;
    let clients = clients.iter().copied().filter(|client| workload.clients.contains(client));
    let mut clients: Vec<Client> = clients.collect();
    let mut rows: Vec<Row> = clients
        .iter()
        .map(|client| Row { client: client.name(), runs: Vec::new(), failed: None })
        .collect();
    for round in 0..runs {
        for &client in &clients {
            let Some(row) = rows.iter_mut().find(|row| row.client == client.name()) else {
                continue;
            };
            if row.failed.is_some() {
                row.runs.push(None);
                continue;
            }
            let measured = measure::run(workload.work, &content, client, binary);
            match &measured {
                Ok(run) => {
                    let figures = run.iter().map(|(metric, value)| {
                        format!("{} {value:.*} {}", metric.name, metric.digits, metric.unit)
                    });
                    let figures: Vec<_> = figures.collect();
                    println!("  {} {}: {}", round + 1, client.name(), figures.join(", "));
                }
                Err(error) => {
                    println!("  {} {}: FAILED {error:#}", round + 1, client.name());
                    row.failed = Some(format!("{error:#}"));
                }
            }
            row.runs.push(measured.ok());
        }
        // Nobody always runs behind the same one.
        let first = usize::from(!clients.is_empty());
        clients.rotate_left(first);
    }
    let base = workload.work.base().name();
    Ok(Table { workload: workload.name, about: workload.about(), base, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_runs_by_its_whole_name_only() {
        let chosen = |filter: &[&str]| {
            let filter: Vec<_> = filter.iter().map(|&part| part.to_owned()).collect();
            let all = workload::all();
            let chosen = all.iter().filter(|workload| is_chosen(workload, &filter));
            chosen.map(|workload| workload.name).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&["download"]), ["download-1m"]);
        assert_eq!(chosen(&["download-4g"]), ["download-4g"]);
        assert!(!chosen(&[]).contains(&"download-4g"));
        assert_eq!(chosen(&["idle"]), ["idle-1k", "idle-10k"]);
    }

    #[test]
    fn a_client_that_nobody_knows_is_an_error() {
        assert!(clients(&["ccbt".to_owned(), "floor".to_owned()]).is_ok());
        assert!(clients(&["azureus".to_owned()]).is_err());
    }
}
