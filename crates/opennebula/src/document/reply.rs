//! What an answer says, whatever it holds.

use crate::rpc::{Fault, Response, Value};

/// What OpenNebula answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply<T> {
    /// It was done.
    Done(T),
    /// It was refused.
    Refused(Refusal),
    /// The call did not reach the method, or the method broke down.
    Fault(Fault),
}

/// Says that OpenNebula refused, as `[false, text, code, …]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// Why, for people; a refusal of today begins with the method in brackets.
    pub text: String,
    /// The number of the kind of refusal; 0 if the server is so old that it sends none.
    pub code: i64,
    /// The object that was not found, if that is why.
    pub object: Option<i64>,
}

impl<T> Reply<T> {
    /// Changes what was done, and leaves the rest.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Reply<U> {
        match self {
            Self::Done(value) => Reply::Done(change(value)),
            Self::Refused(refusal) => Reply::Refused(refusal),
            Self::Fault(fault) => Reply::Fault(fault),
        }
    }
}

impl Reply<Value> {
    /// Says what a response means: `[true, value, …]`, `[false, text, code, object, …]` or a fault.
    ///
    /// Servers of different ages send two to five elements; a success without a value is an empty text.
    /// A response of another shape is given back.
    ///
    /// # Errors
    ///
    /// The value that is no answer of OpenNebula.
    pub fn of(response: Response) -> Result<Self, Value> {
        let values = match response {
            Response::Fault(fault) => return Ok(Self::Fault(fault)),
            Response::Value(Value::Array(values)) => values,
            Response::Value(other) => return Err(other),
        };
        let mut rest = values.iter();
        match (rest.next(), rest.next()) {
            (Some(Value::Bool(true)), value) => {
                Ok(Self::Done(value.cloned().unwrap_or(Value::Text(String::new()))))
            }
            (Some(Value::Bool(false)), text) => {
                let text = text.and_then(Value::as_text).unwrap_or("no reason is given").to_owned();
                let code = rest.next().and_then(Value::as_integer).unwrap_or(0);
                let object = rest.next().and_then(Value::as_integer).filter(|id| 0 <= *id);
                Ok(Self::Refused(Refusal { text, code, object }))
            }
            _ => Err(Value::Array(values)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(values: Vec<Value>) -> Result<Reply<Value>, Value> {
        Reply::of(Response::Value(Value::Array(values)))
    }

    #[test]
    fn a_refusal_has_two_to_five_elements() {
        let all = [Value::from(false), "no".into(), 1024.into(), 55.into(), Value::Long(-1)];
        let codes: Vec<_> = (2..=5)
            .map(|length| match reply(all[..length].to_vec()).unwrap() {
                Reply::Refused(refusal) => (refusal.code, refusal.object),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(codes, [(0, None), (1024, None), (1024, Some(55)), (1024, Some(55))]);
    }

    #[test]
    fn a_success_has_one_to_three_elements() {
        assert_eq!(reply(vec![true.into()]), Ok(Reply::Done("".into())));
        assert_eq!(reply(vec![true.into(), 7.into()]), Ok(Reply::Done(7.into())));
        assert_eq!(reply(vec![true.into(), 7.into(), 0.into()]), Ok(Reply::Done(7.into())));
    }

    #[test]
    fn the_object_minus_one_is_no_object() {
        let refused = reply(vec![false.into(), "no".into(), 2048.into(), (-1).into(), Value::Long(-1)]);
        assert_eq!(refused, Ok(Reply::Refused(Refusal { text: "no".into(), code: 2048, object: None })));
    }

    #[test]
    fn anything_else_is_given_back() {
        assert!(reply(vec![]).is_err());
        assert!(reply(vec!["true".into()]).is_err());
        assert!(Reply::of(Response::Value(7.into())).is_err());
    }
}
