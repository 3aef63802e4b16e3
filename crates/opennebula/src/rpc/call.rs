//! The request of XML-RPC.

use std::fmt::Write as _;

use super::{
    CodecError, Value,
    cursor::{Cursor, Token},
    error::shortened,
    text::{ForbiddenCharacter, escape, forbidden_character},
};
use crate::rpc::Problem;

/// A call of a method.
///
/// ```
/// use vmpool_opennebula::rpc::Call;
/// let call = Call::new("one.vm.rename").with("user:password").with(7).with("web-1");
/// assert_eq!(Call::parse(call.to_xml().as_bytes(), 1 << 20)?, call);
/// # Ok::<(), vmpool_opennebula::rpc::CodecError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Call {
    /// The name of the method.
    pub method: String,
    /// The parameters; the first one of every call to OpenNebula is the session, a secret.
    pub params: Vec<Value>,
}

impl Call {
    /// Calls a method without any parameter.
    #[must_use]
    pub fn new(method: impl Into<String>) -> Self {
        Self { method: method.into(), params: Vec::new() }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, param: impl Into<Value>) -> Self {
        self.params.push(param.into());
        self
    }

    /// Checks that OpenNebula takes every text of the call.
    ///
    /// # Errors
    ///
    /// The first character that it does not take.
    pub fn check(&self) -> Result<(), ForbiddenCharacter> {
        self.params.iter().filter_map(Value::as_text).try_for_each(forbidden_character)
    }

    /// Writes the call, byte for byte as Python's `xmlrpc.client` does.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = String::from("<?xml version='1.0'?>\n<methodCall>\n<methodName>");
        escape(&self.method, &mut xml);
        xml.push_str("</methodName>\n<params>\n");
        for param in &self.params {
            xml.push_str("<param>\n");
            write_value(param, &mut xml);
            xml.push_str("</param>\n");
        }
        xml.push_str("</params>\n</methodCall>\n");
        xml
    }

    /// Reads a call of at most so many bytes.
    ///
    /// # Errors
    ///
    /// If the text is no call.
    pub fn parse(body: &[u8], longest: u64) -> Result<Self, CodecError> {
        let mut cursor = Cursor::new(body, longest)?;
        cursor.open("methodCall")?;
        cursor.open("methodName")?;
        let method = cursor.text()?.trim().to_owned();
        let mut params = Vec::new();
        match cursor.child()? {
            None => {
                cursor.end()?;
                return Ok(Self { method, params });
            }
            Some(name) if name == "params" => {}
            Some(name) => return Err(cursor.unexpected("params", &name)),
        }
        while let Some(name) = cursor.child()? {
            if name != "param" {
                return Err(cursor.unexpected("param", &name));
            }
            cursor.open("value")?;
            params.push(read_value(&mut cursor)?);
            cursor.close()?;
        }
        cursor.close()?;
        cursor.end()?;
        Ok(Self { method, params })
    }
}

/// Shows the method and the types of the parameters; the first one is a secret, and others may be.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kinds: Vec<&str> = self.params.iter().map(Value::kind).collect();
        write!(f, "{}({})", self.method, kinds.join(", "))
    }
}

fn write_value(value: &Value, xml: &mut String) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Int(number) => write!(xml, "<value><int>{number}</int></value>"),
        Value::Long(number) => write!(xml, "<value><i8>{number}</i8></value>"),
        Value::Bool(truth) => write!(xml, "<value><boolean>{}</boolean></value>", u8::from(*truth)),
        Value::Double(number) => write!(xml, "<value><double>{number}</double></value>"),
        Value::Text(text) => {
            xml.push_str("<value><string>");
            escape(text, xml);
            write!(xml, "</string></value>")
        }
        Value::Array(values) => {
            xml.push_str("<value><array><data>\n");
            for value in values {
                write_value(value, xml);
            }
            write!(xml, "</data></array></value>")
        }
        Value::Struct(members) => {
            xml.push_str("<value><struct>\n");
            for (name, value) in members {
                xml.push_str("<member>\n<name>");
                escape(name, xml);
                xml.push_str("</name>\n");
                write_value(value, xml);
                xml.push_str("</member>\n");
            }
            write!(xml, "</struct></value>")
        }
    };
    xml.push('\n');
}

/// Reads a value whose element has begun, and goes out of it.
pub(super) fn read_value(cursor: &mut Cursor<'_>) -> Result<Value, CodecError> {
    let kind = match cursor.next()? {
        Token::Close => return Ok(Value::Text(String::new())),
        Token::Open(kind) => kind,
        Token::Text(text) => match cursor.next()? {
            Token::Close => return Ok(Value::Text(text)),
            Token::Open(kind) if text.trim().is_empty() => kind,
            Token::Open(_) | Token::Text(_) => return Err(cursor.unexpected("a value", text.trim())),
        },
    };
    let value = match kind.as_str() {
        "array" => read_array(cursor)?,
        "struct" => read_struct(cursor)?,
        "int" | "i4" => Value::Int(number(cursor, "32-bit number", |text| text.parse().ok())?),
        "i8" => Value::Long(number(cursor, "64-bit number", |text| text.parse().ok())?),
        "double" => Value::Double(number(cursor, "number", |text| text.parse().ok())?),
        "boolean" => Value::Bool(number(cursor, "boolean", |text| match text {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        })?),
        _ => Value::Text(cursor.text()?),
    };
    cursor.close()?;
    Ok(value)
}

fn number<T>(
    cursor: &mut Cursor<'_>,
    kind: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, CodecError> {
    let text = cursor.text()?;
    match parse(text.trim()) {
        Some(number) => Ok(number),
        None => Err(cursor.error(Problem::Number { kind, text: shortened(text.trim()) })),
    }
}

fn read_array(cursor: &mut Cursor<'_>) -> Result<Value, CodecError> {
    cursor.open("data")?;
    let mut values = Vec::new();
    while let Some(name) = cursor.child()? {
        if name != "value" {
            return Err(cursor.unexpected("value", &name));
        }
        values.push(read_value(cursor)?);
    }
    cursor.close()?;
    Ok(Value::Array(values))
}

fn read_struct(cursor: &mut Cursor<'_>) -> Result<Value, CodecError> {
    let mut members = Vec::new();
    while let Some(name) = cursor.child()? {
        if name != "member" {
            return Err(cursor.unexpected("member", &name));
        }
        cursor.open("name")?;
        let name = cursor.text()?;
        cursor.open("value")?;
        members.push((name, read_value(cursor)?));
        cursor.close()?;
    }
    Ok(Value::Struct(members))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_the_server_would_choke_on_is_found() {
        let call = Call::new("one.vm.rename").with("user:password").with(7);
        assert_eq!(call.clone().with("kůň-日本").check(), Ok(()));
        assert_eq!(call.with("🚀").check(), Err(ForbiddenCharacter { character: '🚀', offset: 0 }));
    }
}
