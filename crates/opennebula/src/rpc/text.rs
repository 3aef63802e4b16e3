//! Text inside XML: what must be escaped, and what OpenNebula cannot bear.

/// A character that OpenNebula's server does not take in a request.
///
/// Control characters and everything beyond the Basic Multilingual Plane (emoji, for example) make it refuse the request;
/// and if such a character gets into a VM in another way, the server cannot list that VM any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the character U+{:04X} at byte {offset} is one that OpenNebula does not take", u32::from(*.character))]
pub struct ForbiddenCharacter {
    /// The character.
    pub character: char,
    /// Where it is, in bytes.
    pub offset: usize,
}

/// Finds the first character that OpenNebula's server does not take.
pub(crate) fn forbidden_character(text: &str) -> Result<(), ForbiddenCharacter> {
    let found = text.char_indices().find(|(_, character)| match character {
        '\t' | '\n' | '\r' => false,
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => true,
        character => '\u{ffff}' < *character,
    });
    match found {
        Some((offset, character)) => Err(ForbiddenCharacter { character, offset }),
        None => Ok(()),
    }
}

/// Writes a text into XML.
pub(crate) fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            _ => "&gt;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// Returns the character that a reference stands for, without its `&` and `;`.
///
/// Only the five references of XML itself are known; so no text can grow when it is read.
pub(crate) fn dereference(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix('x') {
                Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                    u32::from_str_radix(digits, 16).ok()
                }
                None if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
                _ => None,
            };
            char::from_u32(code?).filter(|character| *character != '\0')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_and_control_characters_are_found_and_other_scripts_are_not() {
        assert_eq!(forbidden_character("kůň 日本\t\r\n"), Ok(()));
        for bad in ['\u{1}', '\u{1b}', '\u{fffe}', '🚀'] {
            let found = ForbiddenCharacter { character: bad, offset: 2 };
            assert_eq!(forbidden_character(&format!("ab{bad}")), Err(found));
        }
    }

    #[test]
    fn references_stand_for_characters_and_unknown_ones_for_nothing() {
        assert_eq!(dereference("#x4b"), Some('K'));
        assert_eq!(dereference("#10"), Some('\n'));
        for unknown in ["nbsp", "", "#", "#x", "#+5", "#xd800", "#1114112", "#0"] {
            assert_eq!(dereference(unknown), None, "{unknown:?}");
        }
    }
}
