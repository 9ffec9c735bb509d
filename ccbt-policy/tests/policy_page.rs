//! docs/policies.md tells what the registry has.

use std::path::Path;

use ccbt_policy::registry::{PRESETS, PRESSURES, RULES, preset_table};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policies.md");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_page_has_the_presets_as_the_registry_has_them() {
    let table = preset_table();
    assert!(page().contains(&table), "docs/policies.md should have this table:\n{table}");
}

#[test]
fn the_page_names_every_rule_with_its_defaults_and_every_preset_and_option() {
    let page = page();
    for rule in RULES {
        let row = format!("| `{}` |", rule.default_spec());
        let column = page.contains(&format!("| `{}` ", rule.name))
            && page.contains(&format!("| `{}` ", rule.default_value()));
        assert!(page.contains(&row) || column, "{}", rule.default_spec());
        for option in rule.options.iter().chain(PRESSURES) {
            assert!(page.contains(&format!("`{}`", option.name)), "{}", option.name);
        }
    }
    for preset in PRESETS {
        assert!(page.contains(&format!("`{}`", preset.name)), "{}", preset.name);
    }
}
