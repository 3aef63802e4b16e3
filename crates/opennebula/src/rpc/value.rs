//! The values of XML-RPC.

/// A value of XML-RPC, as far as OpenNebula uses them.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `<int>` or `<i4>`: 32 bits.
    Int(i32),
    /// `<i8>`: 64 bits; OpenNebula sends it, and refuses it from clients.
    Long(i64),
    /// `<boolean>`.
    Bool(bool),
    /// `<string>`, or no type at all; also the text of any type that is not known here.
    Text(String),
    /// `<double>`.
    Double(f64),
    /// `<array>`.
    Array(Vec<Self>),
    /// `<struct>`, its members in their order.
    Struct(Vec<(String, Self)>),
}

impl Value {
    /// Returns the number, if it is one that has no fraction.
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(i64::from(*number)),
            Self::Long(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns what kind of value it is, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Long(_) => "i8",
            Self::Bool(_) => "boolean",
            Self::Text(_) => "string",
            Self::Double(_) => "double",
            Self::Array(_) => "array",
            Self::Struct(_) => "struct",
        }
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
