//! The request.

use super::{Fault, Value};
use crate::opennebula::xml::{Broken, Element};

/// The call is no XML, or no call.
const NOT_A_CALL: i32 = -503;

/// A call of a method.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) params: Vec<Value>,
}

impl Call {
    /// Reads a call.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, Fault> {
        let text = decode(body).ok_or_else(|| broken(Broken::NotWellFormed))?;
        // Characters beyond the Basic Multilingual Plane make the real server fail as control characters do.
        let is_taken = |character: char| match character {
            '\t' | '\n' | '\r' => true,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => false,
            character => character <= '\u{ffff}',
        };
        if !text.chars().all(is_taken) {
            return Err(broken(Broken::NotWellFormed));
        }
        let call = Element::parse(&text).map_err(broken)?;
        if call.name != "methodCall" {
            let what = format!("XML element should be of type 'methodCall', but is of type '{}'", call.name);
            return Err(Fault::new(NOT_A_CALL, format!("Call XML not a proper XML-RPC call.  {what}")));
        }
        let Some(method) = call.child("methodName") else {
            return Err(not_a_call("methodCall has no methodName child"));
        };
        let params = call.child("params").map(|params| params.children.as_slice()).unwrap_or_default();
        let params = params.iter().map(|param| match param.child("value") {
            Some(element) => value(element),
            None => Err(not_a_call("A parameter has no value")),
        });
        Ok(Self { method: method.text.trim().to_owned(), params: params.collect::<Result<_, _>>()? })
    }
}

fn value(element: &Element) -> Result<Value, Fault> {
    let Some(typed) = element.children.first() else { return Ok(Value::Text(element.text.clone())) };
    Ok(match typed.name.as_str() {
        "int" | "i4" => match typed.text.trim().parse() {
            Ok(number) => Value::Int(number),
            Err(_) => return Err(not_a_call("Integer value is not a number of 32 bits")),
        },
        "boolean" => match typed.text.trim() {
            "0" => Value::Bool(false),
            "1" => Value::Bool(true),
            _ => return Err(not_a_call("<boolean> XML element content is neither '0' nor '1'")),
        },
        "string" => Value::Text(typed.text.clone()),
        "array" => {
            let data = typed.child("data").map(|data| data.children.as_slice()).unwrap_or_default();
            Value::Array(data.iter().map(value).collect::<Result<_, _>>()?)
        }
        _ => Value::Other,
    })
}

/// Returns the text of a body: UTF-8, or Latin 1 if it says so.
fn decode(body: &[u8]) -> Option<String> {
    if let Ok(text) = std::str::from_utf8(body) {
        return Some(text.to_owned());
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(100)]).to_ascii_lowercase();
    head.contains("iso-8859-1").then(|| body.iter().map(|byte| char::from(*byte)).collect())
}

fn broken(broken: Broken) -> Fault {
    not_a_call(match broken {
        Broken::Syntax => "Call is not valid XML.  syntax error",
        Broken::NotWellFormed => "Call is not valid XML.  not well-formed",
        Broken::NoElement => {
            "Call is not valid XML.  Invalid XML \"content\".  Problem with token at '...': no element found"
        }
    })
}

fn not_a_call(what: &str) -> Fault {
    Fault::new(NOT_A_CALL, format!("Call XML not a proper XML-RPC call.  {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untyped_text_is_a_string_and_latin_1_is_read_where_it_is_declared() {
        let body =
            b"<?xml version='1.0' encoding='ISO-8859-1'?><methodCall><methodName>m</methodName><params>\
            <param><value>caf\xe9</value></param></params></methodCall>";
        let call = Call::parse(body).unwrap();
        assert_eq!(call, Call { method: "m".into(), params: vec![Value::Text("café".into())] });
    }

    #[test]
    fn what_the_server_cannot_bear_is_a_fault() {
        let call = |text: &str| {
            let xml = format!(
                "<methodCall><methodName>m</methodName><params><param><value>{text}</value></param></params></methodCall>"
            );
            Call::parse(xml.as_bytes()).map_err(|fault| fault.code)
        };
        assert!(call("kůň").is_ok());
        for bad in ["🚀", "\u{7}", "<int>x</int>", "<boolean>2</boolean>"] {
            assert_eq!(call(bad), Err(-503), "{bad:?}");
        }
    }
}
