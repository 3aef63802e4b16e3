//! The credentials of libcloud's dummy driver, which say how many nodes it begins with.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The credentials of libcloud's dummy driver: a number, or text that may be one.
///
/// A number other than 0 is how many nodes the cloud begins with; everything else begins with two.
/// Source: `DummyNodeDriver.__init__`, which calls Python's `int` on what it is given.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Creds {
    /// A whole number; Python's `True` is 1.
    Integer(i64),
    /// A number with a fraction, which is cut off.
    Float(f64),
    /// A text, read as a whole number if it is one.
    Text(String),
}

/// Says why credentials cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("a dummy cloud cannot begin with {0:?} nodes: at most {max} fit", max = Creds::MAX)]
pub struct InvalidCreds(Creds);

impl Creds {
    /// How many nodes a cloud can begin with.
    pub const MAX: i64 = 1_000_000;

    /// Returns how many nodes the cloud begins with; `None` stands for the two default ones.
    pub(crate) fn first_nodes(&self) -> Result<Option<u64>, InvalidCreds> {
        let number = match self {
            Self::Integer(number) => Some(*number),
            Self::Float(number) if number.is_nan() => None,
            Self::Float(number) if number.abs() <= Self::MAX as f64 => Some(number.trunc() as i64),
            Self::Float(_) => return Err(InvalidCreds(self.clone())),
            Self::Text(text) => text.trim().parse().ok(),
        };
        match number {
            None | Some(0) => Ok(None),
            Some(number) if Self::MAX < number => Err(InvalidCreds(self.clone())),
            // Python's `range` of a negative number is empty.
            Some(number) => Ok(Some(u64::try_from(number).unwrap_or(0))),
        }
    }
}

impl From<i64> for Creds {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Creds {
    fn from(flag: bool) -> Self {
        Self::Integer(i64::from(flag))
    }
}

impl From<f64> for Creds {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for Creds {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl Serialize for Creds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Creds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Visitor)
    }
}

struct Visitor;

impl de::Visitor<'_> for Visitor {
    type Value = Creds;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Creds, E> {
        Ok(Creds::from(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Creds, E> {
        Ok(Creds::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Creds, E> {
        Ok(Creds::Integer(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Creds, E> {
        Ok(Creds::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Creds, E> {
        Ok(Creds::from(value))
    }
}
