//! What a message of the event stream says.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// How the names of the messages begin that are about the states of VMs. Each change is also published under another name.
pub(super) const PREFIX: &[u8] = b"EVENT STATE VM/";

/// A change of a VM's state, as the server says it.
#[derive(Clone, PartialEq, Eq)]
pub struct VmEvent {
    /// The VM's number.
    pub id: i32,
    /// The name of its state, such as `ACTIVE`, as the server wrote it.
    pub state: String,
    /// The name of its LCM state, such as `RUNNING`.
    pub lcm_state: String,
    /// The document with the whole VM, as it came; `None` if there is none that can be read.
    pub document: Option<Vec<u8>>,
}

impl VmEvent {
    /// Reads a message: its name, `EVENT STATE VM/<state>/<LCM state>/<number> `, and a document in base64.
    pub(super) fn parse(parts: &[Vec<u8>]) -> Option<Self> {
        let name = str::from_utf8(parts.first()?.strip_prefix(PREFIX)?).ok()?;
        let mut words = name.trim().split('/');
        let (state, lcm_state, id) = (words.next()?, words.next()?, words.next()?);
        let id: i32 = id.parse().ok()?;
        if id < 0 || words.next().is_some() {
            return None;
        }
        let document = parts.get(1).and_then(|body| decode(body));
        Some(Self { id, state: state.to_owned(), lcm_state: lcm_state.to_owned(), document })
    }

    /// Returns whether the VM may have an attribute of this name: its document has it, or cannot be read.
    #[must_use]
    pub fn may_mention(&self, attribute: &str) -> bool {
        let found = |document: &Vec<u8>| memchr::memmem::find(document, attribute.as_bytes()).is_some();
        self.document.as_ref().is_none_or(found)
    }
}

/// Decodes base64 that may be broken into lines.
fn decode(body: &[u8]) -> Option<Vec<u8>> {
    let text: Vec<u8> = body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok().filter(|document| !document.is_empty())
}

/// Shows no document: it holds the whole user template, with whatever people put there.
impl fmt::Debug for VmEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VmEvent")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("lcm_state", &self.lcm_state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str, body: &[u8]) -> Option<VmEvent> {
        VmEvent::parse(&[name.as_bytes().to_vec(), body.to_vec()])
    }

    #[test]
    fn a_change_of_a_vm_is_read() {
        // <VM><VMPOOL_TOKEN/></VM>, broken into lines as Ruby does.
        let event =
            parse("EVENT STATE VM/ACTIVE/RUNNING/17 ", b"PFZNPjxWTVBP\nT0xfVE9LRU4vPjwvVk0+\n").unwrap();
        assert_eq!((event.id, event.state.as_str(), event.lcm_state.as_str()), (17, "ACTIVE", "RUNNING"));
        assert_eq!(event.document.as_deref(), Some(&b"<VM><VMPOOL_TOKEN/></VM>"[..]));
        assert!(event.may_mention("VMPOOL_TOKEN") && !event.may_mention("OTHER"));
        assert!(!format!("{event:?}").contains("TOKEN"));
    }

    #[test]
    fn a_document_that_cannot_be_read_may_say_anything() {
        for body in [&b"%%%"[..], b"", b"PFZNP"] {
            let event = parse("EVENT STATE VM/DONE/LCM_INIT/3 ", body).unwrap();
            assert_eq!((event.id, event.document.is_none(), event.may_mention("X")), (3, true, true));
        }
        assert_eq!(VmEvent::parse(&[b"EVENT STATE VM/A/B/3".to_vec()]).unwrap().document, None);
    }

    #[test]
    fn what_is_no_change_of_a_vm_is_none() {
        let names =
            ["EVENT STATE VM/ACTIVE/RUNNING/", "EVENT STATE VM/ACTIVE/17", "EVENT STATE HOST/ERROR/1"];
        let more = ["EVENT STATE VM/A/B/-3", "EVENT STATE VM/A/B/3/4", "EVENT STATE VM/A/B/99999999999", ""];
        for name in names.into_iter().chain(more) {
            assert_eq!(parse(name, b""), None, "{name}");
        }
        assert_eq!(VmEvent::parse(&[]), None);
        assert_eq!(VmEvent::parse(&[b"EVENT STATE VM/\xff/B/3".to_vec()]), None);
    }
}
