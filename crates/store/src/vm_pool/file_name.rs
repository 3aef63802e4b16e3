//! The names of the files in a pool's directory: ids, reversibly encoded.

use vmpool_model::NodeId;

/// What every file of a VM ends with; names without it are not ours.
const END: &str = ".vm";

/// Encodes an id as the name of a file; `None` if the name would be too long.
///
/// Whatever is not a letter, a digit, `-`, `_`, an inner `.` or beyond ASCII becomes `%` and two
/// digits, so the name is inside its directory, is not hidden, and is no other id's.
pub(super) fn encode(id: &NodeId) -> Option<String> {
    const MOST: usize = 255;
    let mut name = String::new();
    for (place, letter) in id.as_str().char_indices() {
        let plain = match letter {
            '-' | '_' => true,
            '.' => place != 0,
            _ => letter.is_ascii_alphanumeric() || !letter.is_ascii(),
        };
        match plain {
            true => name.push(letter),
            // Only ASCII gets here.
            false => name.push_str(&format!("%{:02X}", u32::from(letter))),
        }
    }
    name.push_str(END);
    (name.len() <= MOST).then_some(name)
}

/// Decodes the name of a file; `None` if no id is encoded so.
pub(super) fn decode(name: &str) -> Option<NodeId> {
    let mut parts = name.strip_suffix(END)?.split('%');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let code = u8::from_str_radix(part.get(..2)?, 16).ok()?;
        text.push(char::from(code));
        text.push_str(part.get(2..)?);
    }
    let id = NodeId::new(text).ok()?;
    (encode(&id).as_deref() == Some(name)).then_some(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(id: &str) -> Option<String> {
        encode(&NodeId::new(id).unwrap())
    }

    #[test]
    fn v23_usual_ids_are_their_own_names() {
        assert_eq!(name("i-1").unwrap(), "i-1.vm");
        assert_eq!(name("0").unwrap(), "0.vm");
    }

    #[test]
    fn v23_dangerous_ids_stay_inside_and_visible() {
        assert_eq!(name("../victim").unwrap(), "%2E.%2Fvictim.vm");
        assert_eq!(name("/etc/passwd").unwrap(), "%2Fetc%2Fpasswd.vm");
        assert_eq!(name(".x").unwrap(), "%2Ex.vm");
        assert_eq!(name("50%").unwrap(), "50%25.vm");
    }

    #[test]
    fn v23_an_id_that_makes_too_long_a_name_has_none() {
        assert!(name(&"x".repeat(200)).is_some());
        assert_eq!(name(&"/".repeat(100)), None);
    }

    #[test]
    fn v12_names_that_encode_nothing_are_not_ids() {
        for name in [
            "i-2", "i-2.vm~", "x.tmp", ".vm", ".x.vm", "%2e.vm", "%2.vm", "%.vm", "a b.vm", "%41.vm", "%ü.vm",
        ] {
            assert_eq!(decode(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn v23_every_id_comes_back_from_its_name(text in "\\PC{1,60}") {
            prop_assume!(text.len() <= 80);
            let Ok(id) = NodeId::new(&text) else { return Ok(()) };
            let name = encode(&id).unwrap();
            prop_assert!(!name.contains('/') && !name.starts_with('.'));
            prop_assert_eq!(decode(&name), Some(id));
        }
    }
}
