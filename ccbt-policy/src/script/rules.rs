use std::sync::Arc;

use super::document::Document;
use super::error::ScriptError;
use super::rule::{ScriptRule, Trouble};

/// The rules of a file.
///
/// Each is a policy of its own; a [`PolicySet`](crate::PolicySet) takes them:
///
/// ```
/// use ccbt_policy::PolicySet;
/// use ccbt_policy::script::Rules;
///
/// let rules = Rules::parse("mine.toml", r#"
/// [[rule]]
/// name = "one-network"          # shown wherever a policy or a reason is
/// when = "same_prefix > 4"
/// action = "spare"              # or evict, the default; lose-interest; report
/// cooldown = "1h"               # how long its address waits, doubled each time up to an hour
/// reason = "too many of one network"
/// "#)?;
/// let set = rules.iter().cloned().fold(PolicySet::standard(), PolicySet::with);
///
/// let error = Rules::parse("mine.toml", "[[rule]]\nname = 'x'\nwhen = 'agee > 2m'").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "mine.toml:3:9: there is no fact \"agee\"; did you mean \"age\"?"
/// );
/// # Ok::<(), ccbt_policy::script::ScriptError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Arc<ScriptRule>>,
}

impl Rules {
    /// Reads the `[[rule]]` tables of `text`, which holds nothing else. `file` is what errors call
    /// it.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, ScriptError> {
        Self::of(file, text, &["rule"], true)
    }

    /// Reads the rules at `path` in a file that holds other things, too: `["evict", "rule"]` for
    /// `[[evict.rule]]`. A file without such tables has no rules.
    ///
    /// # Errors
    /// The first thing that is wrong with a rule, with its place.
    pub fn parse_within(file: &str, text: &str, path: &[&str]) -> Result<Self, ScriptError> {
        Self::of(file, text, path, false)
    }

    fn of(file: &str, text: &str, path: &[&str], alone: bool) -> Result<Self, ScriptError> {
        let rules = Document { file, text }.rules(path, alone)?;
        Ok(Self { rules: rules.into_iter().map(Arc::new).collect() })
    }

    /// The rules, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ScriptRule>> {
        self.rules.iter()
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// What rules have failed on since this was last asked: for each the first time, once. Ask now
    /// and then, and tell the person.
    pub fn new_troubles(&self) -> impl Iterator<Item = &Trouble> {
        self.rules.iter().filter_map(|rule| rule.new_trouble())
    }
}
