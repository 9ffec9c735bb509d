//! `ccbt demo` shows the three rules at work, and says with its exit code whether they did.

use std::fs;

use crate::support::{assert_exit, ccbt, run, text};

#[test]
fn the_demo_holds_and_names_the_three_rules_and_every_peer() {
    let mut command = ccbt();
    let state = tempfile::tempdir().expect("a folder");
    command.args(["demo", "-v"]).env("XDG_STATE_HOME", state.path());
    let output = run(command);
    assert_exit(&output, 0);
    let shown = text(&output.stdout);
    for rule in ["bitfield-timeout: ", "no-interest: ", "health: "] {
        assert!(shown.contains(rule), "{rule} is not in\n{shown}");
    }
    assert!(shown.contains("are equal"), "{shown}");
    assert!(shown.contains(" connected\n"), "{shown}");
    assert_eq!(fs::read_dir(state.path()).expect("a folder").count(), 0, "it remembers nobody");
}
