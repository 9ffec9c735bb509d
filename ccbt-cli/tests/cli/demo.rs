//! `ccbt demo` shows the three rules at work, and says with its exit code whether they did.

use crate::support::{assert_exit, ccbt, run, text};

#[test]
fn the_demo_holds_and_names_the_three_rules_and_every_peer() {
    let mut command = ccbt();
    command.args(["demo", "-v"]);
    let output = run(command);
    assert_exit(&output, 0);
    let shown = text(&output.stdout);
    for rule in ["bitfield-timeout: ", "no-interest: ", "health: "] {
        assert!(shown.contains(rule), "{rule} is not in\n{shown}");
    }
    assert!(shown.contains("are equal"), "{shown}");
    assert!(shown.contains(" connected\n"), "{shown}");
}
