//! The answer, byte for byte as the real server writes it.

use super::{Answer, Failure, Fault, Value};
use crate::opennebula::xml::escape;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<methodResponse>\r\n";
const TAIL: &str = "</methodResponse>\r\n";

/// The server broke down over the answer.
const INTERNAL: i32 = -500;

/// Writes what a method answers.
pub(crate) fn respond(method: &str, answer: &Answer) -> String {
    let mut items = String::new();
    match answer {
        Err(Failure::Fault(what)) => return fault(what),
        Ok(value) => {
            if let Value::Text(text) = value
                && let Some(beyond) = text.chars().find(|character| '\u{ffff}' < *character)
            {
                return fault(&not_sendable(text, beyond));
            }
            item(&mut items, "boolean", "1");
            match value {
                Value::Int(number) => item(&mut items, "i4", &number.to_string()),
                Value::Bool(truth) => item(&mut items, "boolean", if *truth { "1" } else { "0" }),
                Value::Text(text) => item(&mut items, "string", text),
                Value::Array(_) | Value::Other => {}
            }
            item(&mut items, "i4", "0");
        }
        Err(Failure::Refused { code, text, id }) => {
            item(&mut items, "boolean", "0");
            item(&mut items, "string", &format!("[{method}] {text}"));
            item(&mut items, "i4", &code.to_string());
            item(&mut items, "i4", &id.to_string());
            item(&mut items, "i8", "-1");
        }
    }
    let open = "<params>\r\n<param><value><array><data>\r\n";
    format!("{HEAD}{open}{items}</data></array></value></param>\r\n</params>\r\n{TAIL}")
}

/// Writes a fault.
pub(crate) fn fault(fault: &Fault) -> String {
    let mut text = String::new();
    escape(&fault.text, &mut text);
    format!(
        "{HEAD}<fault>\r\n<value><struct>\r\n\
         <member><name>faultCode</name>\r\n<value><i4>{}</i4></value></member>\r\n\
         <member><name>faultString</name>\r\n<value><string>{text}</string></value></member>\r\n\
         </struct></value>\r\n</fault>\r\n{TAIL}",
        fault.code
    )
}

fn item(items: &mut String, kind: &str, text: &str) {
    items.push_str("<value><");
    items.push_str(kind);
    items.push('>');
    escape(text, items);
    items.push_str("</");
    items.push_str(kind);
    items.push_str("></value>\r\n");
}

fn not_sendable(text: &str, beyond: char) -> Fault {
    let first = beyond.encode_utf8(&mut [0; 4]).as_bytes()[0];
    Fault::new(
        INTERNAL,
        format!(
            "Unexpected error executing code for particular method, detected by Xmlrpc-c method registry code.  \
             Method did not fail; rather, it did not complete at all.  {}-byte supposed UTF-8 string is not valid UTF-8.  \
             UTF-8 string contains a character not in the Basic Multilingual Plane (first byte 0xffffff{first:02x})",
            text.len()
        ),
    )
}
