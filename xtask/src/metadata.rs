//! What `cargo metadata` says about the workspace's own packages.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use xshell::{Shell, cmd};

/// One package of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: Vec<String>,
    pub(crate) is_library: bool,
}

/// One line of a package's dependency tables.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
}

/// The table that a dependency stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Dev,
    Build,
}

/// The packages of the workspace at `root`.
pub(crate) fn packages(root: &Path) -> Result<Vec<Package>> {
    let sh = Shell::new()?;
    sh.change_dir(root);
    let text = cmd!(sh, "cargo metadata --format-version 1 --no-deps").quiet().read()?;
    parse(&serde_json::from_str(&text).context("cargo metadata is not JSON")?)
}

/// Reads the `packages` of a `cargo metadata` document.
pub(crate) fn parse(metadata: &Value) -> Result<Vec<Package>> {
    list(&metadata["packages"]).map(package).collect()
}

fn package(value: &Value) -> Result<Package> {
    let features = value["features"].as_object().context("a package without features")?;
    Ok(Package {
        name: text(&value["name"])?,
        version: text(&value["version"])?,
        rust_version: value["rust_version"].as_str().unwrap_or_default().to_owned(),
        dependencies: list(&value["dependencies"]).map(dependency).collect::<Result<_>>()?,
        features: features.keys().filter(|name| *name != "default").cloned().collect(),
        is_library: list(&value["targets"])
            .any(|target| list(&target["kind"]).any(|kind| kind == "lib")),
    })
}

fn dependency(value: &Value) -> Result<Dependency> {
    let kind = match value["kind"].as_str() {
        None => Kind::Normal,
        Some("dev") => Kind::Dev,
        Some(_) => Kind::Build,
    };
    Ok(Dependency { name: text(&value["name"])?, kind, optional: value["optional"] == true })
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("cargo metadata lacks a name")
}
