//! Dependency arrows: `ARROWS` against `cargo metadata`.

use super::{ARROWS, Arrow, Finding};
use crate::metadata::{Kind, Package};

/// Every dependency that points where it must not.
pub(super) fn judge(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        match ARROWS.iter().find(|arrow| arrow.of == package.name) {
            Some(arrow) => judge_one(package, arrow, &mut findings),
            None => findings.push(Finding::new(
                &package.name,
                "a crate that the table of dependencies does not know",
            )),
        }
    }
    findings
}

fn judge_one(package: &Package, arrow: &Arrow, findings: &mut Vec<Finding>) {
    let place = format!("{}/Cargo.toml", package.name);
    for dependency in &package.dependencies {
        if dependency.name != package.name && arrow.never.contains(&dependency.name.as_str()) {
            findings.push(Finding::new(
                &place,
                format!("{} must not depend on {}", package.name, dependency.name),
            ));
        }
    }
    let Some(allowed) = arrow.normal else { return };
    let always = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != Kind::Dev && !dependency.optional);
    let names: Vec<&str> = always.map(|dependency| dependency.name.as_str()).collect();
    for name in names.iter().filter(|name| !allowed.contains(name)) {
        findings.push(Finding::new(
            &place,
            format!("{name} is no allowed dependency (only {allowed:?})"),
        ));
    }
    for name in allowed.iter().filter(|name| !names.contains(name)) {
        findings.push(Finding::new(
            &place,
            format!("{name} is in the table of dependencies, but not used"),
        ));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::metadata;

    fn judge_json(name: &str, dependencies: &[Value]) -> Vec<String> {
        let package = json!({"name": name, "version": "0.1.0", "features": {}, "targets": [], "dependencies": dependencies});
        let packages = metadata::parse(&json!({"packages": [package]})).unwrap();
        judge(&packages).into_iter().map(|finding| finding.problem).collect()
    }

    fn normal(name: &str) -> Value {
        json!({"name": name, "kind": null, "optional": false})
    }

    #[test]
    fn wire_with_exactly_its_four_dependencies_is_right() {
        let four = ["bytes", "bitvec", "sha1", "thiserror"].map(normal);
        assert_eq!(judge_json("ccbt-wire", &four), [""; 0]);
    }

    #[test]
    fn wire_with_a_fifth_or_a_missing_dependency_is_wrong() {
        let five = ["bytes", "bitvec", "sha1", "thiserror", "rand"].map(normal);
        assert_eq!(judge_json("ccbt-wire", &five).len(), 1);
        assert_eq!(judge_json("ccbt-wire", &five[..3]).len(), 1);
    }

    #[test]
    fn policy_may_have_optional_and_dev_dependencies_only() {
        let optional = json!({"name": "mockall", "kind": null, "optional": true});
        let dev = json!({"name": "proptest", "kind": "dev", "optional": false});
        assert_eq!(judge_json("ccbt-policy", &[optional, dev]), [""; 0]);
        assert_eq!(judge_json("ccbt-policy", &[normal("bytes")]).len(), 1);
    }

    #[test]
    fn the_command_line_must_not_know_the_wire() {
        assert_eq!(
            judge_json("ccbt-cli", &[normal("ccbt-wire")]),
            ["ccbt-cli must not depend on ccbt-wire"]
        );
    }

    #[test]
    fn wire_and_policy_must_not_know_each_other_even_in_tests() {
        let dev = json!({"name": "ccbt-wire", "kind": "dev", "optional": false});
        assert_eq!(judge_json("ccbt-policy", &[dev]).len(), 1);
    }

    #[test]
    fn a_crate_outside_the_table_is_found() {
        assert_eq!(judge_json("ccbt-extra", &[]).len(), 1);
    }
}
