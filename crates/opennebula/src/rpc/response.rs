//! The answer of XML-RPC.

use std::fmt::Write as _;

use super::{CodecError, Value, call::read_value, cursor::Cursor, text::escape};

/// The answer to a call.
///
/// ```
/// use vmpool_opennebula::rpc::{Response, Value};
/// let answer = Response::Value(Value::Array(vec![true.into(), 7.into(), 0.into()]));
/// assert_eq!(Response::parse(answer.to_xml().as_bytes(), 1 << 20)?, answer);
/// # Ok::<(), vmpool_opennebula::rpc::CodecError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// The method's answer; OpenNebula refuses in it, too.
    Value(Value),
    /// The call did not reach the method, or the method broke down.
    Fault(Fault),
}

/// Says that a call did not reach its method, or that the method broke down.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault {code}: {text}")]
pub struct Fault {
    /// The number; see `CallError` for what OpenNebula's mean.
    pub code: i64,
    /// What happened, for people.
    pub text: String,
}

impl Response {
    /// Reads an answer of at most so many bytes.
    ///
    /// # Errors
    ///
    /// If the text is no answer.
    pub fn parse(body: &[u8], longest: u64) -> Result<Self, CodecError> {
        let mut cursor = Cursor::new(body, longest)?;
        cursor.open("methodResponse")?;
        let response = match cursor.child()?.as_deref() {
            Some("params") => {
                cursor.open("param")?;
                cursor.open("value")?;
                let value = read_value(&mut cursor)?;
                cursor.close()?;
                Self::Value(value)
            }
            Some("fault") => {
                cursor.open("value")?;
                let offset = cursor.offset();
                match fault(&read_value(&mut cursor)?) {
                    Some(fault) => Self::Fault(fault),
                    None => return Err(CodecError::unexpected(offset, "faultCode and faultString", "less")),
                }
            }
            found => return Err(cursor.unexpected("params or fault", found.unwrap_or("nothing"))),
        };
        cursor.close()?;
        cursor.close()?;
        cursor.end()?;
        Ok(response)
    }

    /// Writes the answer, byte for byte as OpenNebula's server does.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<methodResponse>\r\n");
        match self {
            Self::Value(value) => {
                xml.push_str("<params>\r\n<param>");
                write_value(value, &mut xml);
                xml.push_str("</param>\r\n</params>\r\n");
            }
            Self::Fault(fault) => {
                xml.push_str("<fault>\r\n");
                let code = match i32::try_from(fault.code) {
                    Ok(code) => Value::Int(code),
                    Err(_) => Value::Long(fault.code),
                };
                let members = vec![
                    ("faultCode".to_owned(), code),
                    ("faultString".to_owned(), Value::Text(fault.text.clone())),
                ];
                write_value(&Value::Struct(members), &mut xml);
                xml.push_str("\r\n</fault>\r\n");
            }
        }
        xml.push_str("</methodResponse>\r\n");
        xml
    }
}

fn fault(value: &Value) -> Option<Fault> {
    let Value::Struct(members) = value else { return None };
    let member = |name| members.iter().find(|(found, _)| found == name).map(|(_, value)| value);
    let code = member("faultCode")?.as_integer()?;
    let text = member("faultString")?.as_text()?.to_owned();
    Some(Fault { code, text })
}

fn write_value(value: &Value, xml: &mut String) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Int(number) => write!(xml, "<value><i4>{number}</i4></value>"),
        Value::Long(number) => write!(xml, "<value><i8>{number}</i8></value>"),
        Value::Bool(truth) => write!(xml, "<value><boolean>{}</boolean></value>", u8::from(*truth)),
        Value::Double(number) => write!(xml, "<value><double>{number}</double></value>"),
        Value::Text(text) => {
            xml.push_str("<value><string>");
            escape(text, xml);
            write!(xml, "</string></value>")
        }
        Value::Array(values) => {
            xml.push_str("<value><array><data>\r\n");
            for value in values {
                write_value(value, xml);
                xml.push_str("\r\n");
            }
            write!(xml, "</data></array></value>")
        }
        Value::Struct(members) => {
            xml.push_str("<value><struct>\r\n");
            for (name, value) in members {
                xml.push_str("<member><name>");
                escape(name, xml);
                xml.push_str("</name>\r\n");
                write_value(value, xml);
                xml.push_str("</member>\r\n");
            }
            write!(xml, "</struct></value>")
        }
    };
}
