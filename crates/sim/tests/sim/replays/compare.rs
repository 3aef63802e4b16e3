//! Whether two answers are the same up to times.

use vmpool_opennebula::{
    document::Element,
    rpc::{Response, Value},
};

/// What is a time, a number of a request or of a record, or made of dice.
const MASKED: [&str; 16] = [
    "ERROR",
    "SEQ",
    "STIME",
    "ETIME",
    "PSTIME",
    "PETIME",
    "RSTIME",
    "RETIME",
    "ESTIME",
    "EETIME",
    "TIME",
    "REGTIME",
    "UUID",
    "REQUEST_ID",
    "LAST_POLL",
    "DATE",
];

/// Compares an answer with the recorded one: byte for byte, and documents element for element.
pub(super) fn same(answer: &str, recorded: &str) -> Result<(), String> {
    same_but_for(&[], answer, recorded)
}

/// Compares an answer with the recorded one, but for the texts of some more elements.
pub(super) fn same_but_for(masked: &[&str], answer: &str, recorded: &str) -> Result<(), String> {
    if answer == recorded {
        return Ok(());
    }
    match (document(answer), document(recorded)) {
        (Some(answer), Some(recorded)) => {
            let mut differences = Vec::new();
            compare(masked, &answer, &recorded, &answer.name, &mut differences);
            if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
        }
        _ => Err(format!("{} instead of {}", shown(answer), shown(recorded))),
    }
}

/// Shows what an answer says, without its tags.
fn shown(answer: &str) -> String {
    let texts = answer.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text.trim());
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" | ")
}

/// Returns the document of an answer, if there is one.
fn document(answer: &str) -> Option<Element> {
    let Ok(Response::Value(Value::Array(items))) = Response::parse(answer.as_bytes(), 1 << 30) else {
        return None;
    };
    let text = items.get(1)?.as_text().filter(|text| text.starts_with('<'))?;
    Element::parse(text).ok()
}

fn compare(masked: &[&str], found: &Element, expected: &Element, path: &str, differences: &mut Vec<String>) {
    if MASKED.iter().chain(masked).any(|name| *name == expected.name && *name == found.name) {
        return;
    }
    if found.text != expected.text {
        differences.push(format!("{path} is {:?} instead of {:?}", found.text, expected.text));
    }
    let names =
        |element: &Element| element.children.iter().map(|child| child.name.clone()).collect::<Vec<_>>();
    if names(found) != names(expected) {
        differences.push(format!("{path} has {:?} instead of {:?}", names(found), names(expected)));
        return;
    }
    for (found, expected) in found.children.iter().zip(&expected.children) {
        compare(masked, found, expected, &format!("{path}/{}", found.name), differences);
    }
}
