//! Finding the document in the beginning of an answer.

use quick_xml::{Reader, events::Event};

use super::{CodecError, Problem, cursor::is_web_page};

/// The elements before the document, in their order.
const WAY: [&str; 8] = ["methodResponse", "params", "param", "value", "array", "data", "value", "boolean"];

/// Finds where the document of an answer begins, given the beginning of the answer.
///
/// Nothing means that more is needed, and `Err(())` inside that the answer has no document, or not in a string.
pub(crate) fn document_start(head: &[u8]) -> Result<Option<Result<usize, ()>>, CodecError> {
    // Names and the rest of the way are ASCII, so a character that is cut at the end does no harm before it.
    // And whatever follows the way is read by others, so it makes no difference how much of it is here.
    let (text, wrong) = match std::str::from_utf8(head) {
        Ok(text) => (text, false),
        Err(err) => (valid(&head[..err.valid_up_to()]), err.error_len().is_some()),
    };
    match walk(text)? {
        None if wrong => Err(CodecError::new(text.len() as u64, Problem::NotUtf8)),
        found => Ok(found),
    }
}

fn valid(head: &[u8]) -> &str {
    std::str::from_utf8(head).unwrap_or("")
}

/// Goes the way as far as the text goes.
fn walk(text: &str) -> Result<Option<Result<usize, ()>>, CodecError> {
    if is_web_page(text) {
        return Err(CodecError::new(0, Problem::WebPage));
    }
    let mut reader = Reader::from_str(text);
    let mut way = WAY.into_iter();
    let mut truth = String::new();
    let mut opened_value = false;
    loop {
        let event = match reader.read_event() {
            Ok(event) => event,
            // Cut off, or broken: the reader of the whole will tell.
            Err(_) if text.len() < 1 << 12 => return Ok(None),
            Err(_) => return Ok(Some(Err(()))),
        };
        match event {
            Event::Eof => return Ok(None),
            Event::Start(start) => match way.next() {
                Some(name) if *start.local_name().as_ref() == *name => {}
                Some(_) => return Ok(Some(Err(()))),
                None if !opened_value && *start.local_name().as_ref() == *"value" => opened_value = true,
                None if opened_value && *start.local_name().as_ref() == *"string" => {
                    return Ok(Some(Ok(usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX))));
                }
                None => return Ok(Some(Err(()))),
            },
            Event::Text(part) if way.len() == 0 => truth.push_str(&part),
            Event::End(_) if way.len() == 0 => match truth.trim() {
                "1" => {}
                _ => return Ok(Some(Err(()))),
            },
            Event::Text(_) | Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            _ => return Ok(Some(Err(()))),
        }
    }
}
