//! The parameters of a call, taken by their types.

use super::{Fault, Value};

const PARAMETERS: i32 = -501;

/// The parameters of a call that come after the session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Params<'a>(pub(crate) &'a [Value]);

impl<'a> Params<'a> {
    pub(crate) fn int(self, index: usize) -> Result<i32, Fault> {
        match self.get(index)? {
            Value::Int(number) => Ok(*number),
            _ => Err(wrong("integer")),
        }
    }

    pub(crate) fn text(self, index: usize) -> Result<&'a str, Fault> {
        match self.get(index)? {
            Value::Text(text) => Ok(text),
            _ => Err(wrong("a string")),
        }
    }

    pub(crate) fn boolean(self, index: usize) -> Result<bool, Fault> {
        match self.get(index)? {
            Value::Bool(truth) => Ok(*truth),
            _ => Err(wrong("boolean")),
        }
    }

    pub(crate) fn int_or(self, index: usize, default: i32) -> Result<i32, Fault> {
        if self.0.len() <= index { Ok(default) } else { self.int(index) }
    }

    pub(crate) fn text_or_empty(self, index: usize) -> Result<&'a str, Fault> {
        if self.0.len() <= index { Ok("") } else { self.text(index) }
    }

    pub(crate) fn is(self, index: usize) -> Result<bool, Fault> {
        if self.0.len() <= index { Ok(false) } else { self.boolean(index) }
    }

    /// Returns the numbers of an array.
    pub(crate) fn ints(self, index: usize) -> Result<Vec<i32>, Fault> {
        let Value::Array(values) = self.get(index)? else { return Err(wrong("an array")) };
        values
            .iter()
            .map(|value| if let Value::Int(id) = value { Ok(*id) } else { Err(wrong("integer")) })
            .collect()
    }

    fn get(self, index: usize) -> Result<&'a Value, Fault> {
        self.0.get(index).ok_or_else(|| Fault::new(PARAMETERS, "Not enough parameters"))
    }
}

fn wrong(kind: &str) -> Fault {
    Fault::new(PARAMETERS, format!("Parameter that is supposed to be {kind} is not"))
}
