//! Options come from the command line, the environment and the configuration file, in this order; shells
//! and readers of manuals are served from the same definition.

use std::fs;

use crate::support::{Stage, assert_exit, ccbt, run, text};

#[test]
fn a_download_is_configured_by_a_file() {
    let stage = Stage::new(None);
    let path = stage.folder().join("mine.toml");
    let output = stage.output();
    let listen = "127.0.0.1:0";
    let file =
        format!("[get]\noutput = {output:?}\npeer = ['{}']\nlisten = '{listen}'\n", stage.seed());
    fs::write(&path, file).expect("a file");
    let mut command = ccbt();
    command.arg("get").arg(stage.torrent()).arg("--config").arg(path);
    // A file that is not read leaves nobody to download from.
    command.args(["--stop-timeout", "20s"]);
    assert_exit(&run(command), 0);
    assert_eq!(stage.downloaded(), stage.payload);
}

#[test]
fn the_environment_comes_before_the_file() {
    let stage = Stage::new(None);
    let folder = stage.folder().join("ccbt");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("config.toml"), "[show]\njson = true\n").expect("a file");
    let show = |variable: Option<&str>, more: &[&str]| {
        let mut command = ccbt();
        command.arg("show").arg(stage.torrent()).args(more);
        command.env("XDG_CONFIG_HOME", stage.folder());
        command.envs(variable.map(|value| ("CCBT_SHOW_JSON", value)));
        let output = run(command);
        assert_exit(&output, 0);
        output.stdout.starts_with(b"{")
    };
    assert!(show(None, &[]));
    assert!(!show(Some("false"), &[]));
    assert!(show(Some("false"), &["--json"]));
    assert!(!show(None, &["--no-config"]));
    assert!(!show(None, &["--json=false"]));
}

#[test]
fn an_unknown_key_is_named_with_file_and_line() {
    let stage = Stage::new(None);
    let path = stage.folder().join("mine.toml");
    fs::write(&path, "[get]\nmax-peers = 9\nmax-peer = 9\n").expect("a file");
    let path = path.to_string_lossy();
    let output = run(stage.get(&["--config", &path]));
    assert_exit(&output, 2);
    let expected =
        format!("ccbt: {path}:3: get.max-peer: unknown option; did you mean max-peers?\n");
    assert_eq!(text(&output.stderr), expected);
    assert!(!stage.output().exists());
}

#[test]
fn a_file_that_is_named_but_not_there_is_refused() {
    let stage = Stage::new(None);
    let output = run(stage.get(&["--config", "/nowhere/ccbt.toml"]));
    assert_exit(&output, 2);
    assert!(text(&output.stderr).starts_with("ccbt: /nowhere/ccbt.toml: "));
}

#[test]
fn every_shell_gets_its_completions() {
    for (shell, its_own) in [
        ("bash", "complete -F _ccbt"),
        ("zsh", "#compdef ccbt"),
        ("fish", "complete -c ccbt"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion:arg-completer[ccbt]"),
    ] {
        let mut command = ccbt();
        command.args(["completions", shell]);
        let output = run(command);
        assert_exit(&output, 0);
        let script = text(&output.stdout);
        assert!(script.contains(its_own) && script.contains("max-peers"), "{shell}");
        assert!(!script.contains("Write the manual pages"), "{shell}");
    }
    let mut command = ccbt();
    command.args(["completions", "abacus"]);
    assert_exit(&run(command), 2);
}

#[test]
fn every_command_gets_its_manual_page() {
    let stage = Stage::new(None);
    let folder = stage.folder().join("man");
    let mut command = ccbt();
    command.arg("man").arg(&folder);
    assert_exit(&run(command), 0);
    let page = |name: &str| fs::read_to_string(folder.join(name)).expect("a page");
    assert!(page("ccbt.1").contains("Configuration:"));
    assert!(page("ccbt-get.1").contains("max\\-peers"));
    assert!(page("ccbt-create.1").contains("ccbt create holiday/"));
    assert!(page("ccbt-get.1").contains(".SH NOTES\n.nf\n"));
    assert!(!folder.join("ccbt-man.1").exists());
}
