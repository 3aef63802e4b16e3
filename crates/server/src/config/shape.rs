//! What can be written in a configuration, found out from the types that read it.
//!
//! A parser that is given something it does not take says what it would have taken: every key of a table, every word of a
//! choice, the kind of every value. So nothing is told twice, and what a driver of a third party takes is found as well.

use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use vmpool::{
    driver::{OpenError, Registry},
    model::config::DriverOptions,
};

use super::Config;

/// A key and a name that nobody uses: no name can have such a character.
const NOBODY: &str = "\u{1}";

/// A name that everybody may use.
const SOMEBODY: &str = "x";

/// How deep tables are looked into.
const DEPTH: usize = 8;

/// What may be written somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Whatever it is, it is taken.
    Anything,
    /// `true` or `false`.
    Flag,
    /// A whole number of 0 or more, up to the largest.
    Whole(u64),
    /// A number, with a fraction or without.
    Number,
    /// A text.
    Text,
    /// A text such as `1h30m`.
    Duration,
    /// One of these texts.
    OneOf(Vec<String>),
    /// As many as one likes.
    List(Box<Self>),
    /// A table with these keys.
    Table(Vec<(String, Self)>),
    /// A table whose keys are names that one chooses.
    Named(Box<Self>),
    /// A table whose `kind` says which other keys it has.
    Kinds(Vec<(String, Vec<(String, Self)>)>),
}

/// Returns what a configuration may be; the options of drivers are [`Shape::Anything`].
pub(crate) fn of_config() -> Shape {
    let refuse = |value: Value| Config::deserialize(value).err().map(|err| err.to_string());
    Probe { refuse: &refuse, way: Vec::new() }.shape()
}

/// Returns what the options of a driver may be; `None` if there is no such driver.
pub(crate) fn of_driver(registry: &Registry, driver: &str) -> Option<Shape> {
    let factory = registry.get(driver).ok()?;
    let refuse = |value: Value| {
        let Value::Object(options) = value else { return Some("invalid type: x, expected a map".to_owned()) };
        match factory.check(&DriverOptions(options)) {
            Err(OpenError::Options { reason, .. }) => Some(reason),
            _ => None,
        }
    };
    Some(Probe { refuse: &refuse, way: Vec::new() }.shape())
}

/// A place in a configuration, and whoever reads it.
struct Probe<'a> {
    refuse: &'a dyn Fn(Value) -> Option<String>,
    way: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    /// A key of a table of that kind.
    KeyOf(String, String),
    Item,
}

impl Probe<'_> {
    /// Says why a value is refused here; `None` if it is not.
    fn refuse(&self, value: Value) -> Option<String> {
        let whole = self.way.iter().rev().fold(value, |value, step| match step {
            Step::Key(key) => Value::Object(Map::from_iter([(key.clone(), value)])),
            Step::KeyOf(kind, key) => {
                Value::Object(Map::from_iter([("kind".to_owned(), json!(kind)), (key.clone(), value)]))
            }
            Step::Item => Value::Array(vec![value]),
        });
        (self.refuse)(whole)
    }

    /// Returns whether a value is of a type that is taken here, whatever else is wrong or missing elsewhere.
    fn takes(&self, value: Value) -> bool {
        !self.refuse(value).is_some_and(|why| why.starts_with("invalid type"))
    }

    fn at(&self, step: Step) -> Self {
        let way = self.way.iter().cloned().chain([step]).collect();
        Self { refuse: self.refuse, way }
    }

    fn shape(&self) -> Shape {
        if self.takes(json!(true)) {
            return if self.takes(json!(7)) { Shape::Anything } else { Shape::Flag };
        }
        let why = self.refuse(json!(true)).unwrap_or_default();
        let expected = why.split_once(", expected ").map_or("", |(_, expected)| expected);
        match expected {
            _ if DEPTH < self.way.len() => Shape::Anything,
            "u8" => Shape::Whole(u8::MAX.into()),
            "u16" => Shape::Whole(u16::MAX.into()),
            "u32" => Shape::Whole(u32::MAX.into()),
            "u64" | "usize" => Shape::Whole(u64::MAX),
            "f32" | "f64" => Shape::Number,
            "a sequence" => Shape::List(Box::new(self.at(Step::Item).shape())),
            "a map" => self.table(),
            other if other.starts_with("struct ") => self.table(),
            other if other.starts_with("internally tagged enum ") => self.kinds(),
            _ => self.text(),
        }
    }

    fn text(&self) -> Shape {
        match self.refuse(json!(NOBODY)) {
            Some(why) if why.starts_with("unknown variant") => Shape::OneOf(quoted(&why)),
            Some(why) if why.contains("is not a duration") => Shape::Duration,
            _ => Shape::Text,
        }
    }

    fn table(&self) -> Shape {
        match self.refuse(json!({ NOBODY: true })) {
            Some(why) if why.starts_with("unknown field") => {
                let inner = |key: String| (key.clone(), self.at(Step::Key(key)).shape());
                Shape::Table(quoted(&why).into_iter().map(inner).collect())
            }
            _ => Shape::Named(Box::new(self.at(Step::Key(SOMEBODY.to_owned())).shape())),
        }
    }

    fn kinds(&self) -> Shape {
        let kinds = quoted(&self.refuse(json!({ "kind": NOBODY })).unwrap_or_default());
        let keys = |kind: &String| {
            let why = self.refuse(json!({ "kind": kind, NOBODY: true })).unwrap_or_default();
            let known = if why.starts_with("unknown field") { quoted(&why) } else { Vec::new() };
            let inner = |key: String| {
                let shape = self.at(Step::KeyOf(kind.clone(), key.clone())).shape();
                (key, shape)
            };
            known.into_iter().map(inner).collect::<Vec<_>>()
        };
        Shape::Kinds(kinds.iter().map(|kind| (kind.clone(), keys(kind))).collect())
    }
}

/// Returns what a message quotes after what it was given itself.
fn quoted(why: &str) -> Vec<String> {
    why.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at<'a>(shape: &'a Shape, path: &str) -> &'a Shape {
        path.split('.').fold(shape, |shape, key| match shape {
            Shape::Table(keys) => {
                let found = keys.iter().find(|(name, _)| name == key);
                &found.unwrap_or_else(|| panic!("{key} is not among {keys:?}")).1
            }
            Shape::Named(inner) => inner,
            Shape::List(inner) if key == "[]" => inner,
            other => panic!("{key} in {other:?}"),
        })
    }

    #[test]
    fn every_kind_of_value_is_found() {
        let config = of_config();
        for (path, shape) in [
            ("daemon.listen", Shape::Text),
            ("daemon.restart_grace", Shape::Duration),
            ("limits.owners.NAME.weight", Shape::Whole(u32::MAX.into())),
            ("providers.NAME.rate", Shape::Number),
            ("providers.NAME.quota.NAME", Shape::Whole(u64::MAX)),
            ("providers.NAME.options", Shape::Named(Box::new(Shape::Anything))),
            ("pools.NAME.labels", Shape::List(Box::new(Shape::Text))),
            ("pools.NAME.offers.[].needs.NAME", Shape::Whole(u64::MAX)),
            ("pools.NAME.hooks.after_boot.command.[]", Shape::Text),
            ("pools.NAME.on_expiry", Shape::OneOf(["destroy", "clean", "hold"].map(str::to_owned).into())),
        ] {
            assert_eq!(*at(&config, path), shape, "{path}");
        }
        let Shape::Kinds(kinds) = at(&config, "pools.NAME.check") else { panic!("{config:?}") };
        let ssh = kinds.iter().find(|(kind, _)| kind == "ssh").unwrap();
        assert!(ssh.1.contains(&("pin_host_key".to_owned(), Shape::Flag)), "{ssh:?}");
    }

    #[test]
    fn what_drivers_take_is_found_too() {
        let registry = vmpool::drivers::builtin();
        let dummy = of_driver(&registry, "dummy").unwrap();
        assert_eq!(*at(&dummy, "boot_latency"), Shape::Duration);
        assert_eq!(*at(&dummy, "faults.lost_answers"), Shape::Number);
        assert_eq!(*at(&dummy, "events"), Shape::Flag);
        assert_eq!(of_driver(&registry, "no-such"), None);
    }
}
