//! Which trace a span belongs to, as W3C Trace Context writes it.

/// The trace and the span that a span is below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    /// Whether the trace is recorded.
    pub(super) sampled: bool,
}

impl Context {
    /// Reads a header `traceparent`; `None` if it is not well-formed, which is as if there was none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_lower = |part: &str| !part.bytes().any(|byte| byte.is_ascii_uppercase());
        let [version_byte] = bytes::<1>(version)?;
        // Later versions may have more behind what is known; `ff` is none.
        if version_byte == 0xff || (version_byte == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace_bytes, span_bytes, [flags]) = (bytes(trace)?, bytes(span)?, bytes(flags)?);
        let is_valid =
            trace_bytes != [0; 16] && span_bytes != [0; 8] && [trace, span].into_iter().all(is_lower);
        is_valid.then_some(Self { trace: trace_bytes, span: span_bytes, sampled: flags & 1 == 1 })
    }

    /// Begins a trace.
    pub(super) fn root() -> Self {
        Self { trace: random(), span: random(), sampled: true }
    }

    /// Makes a span below this one.
    pub(super) fn child(self) -> Self {
        Self { span: random(), ..self }
    }

    /// Writes the header.
    pub(super) fn header(&self) -> String {
        format!("00-{}-{}-{:02x}", hex(&self.trace), hex(&self.span), u8::from(self.sampled))
    }
}

/// Returns random bytes that are not all zero.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Without them the span is told by a number that is no secret anyway.
    if getrandom::fill(&mut bytes).is_err() || bytes == [0; N] {
        bytes[N - 1] = 1;
    }
    bytes
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the specification, W3C Trace Context, section 3.2.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_example_of_the_specification_is_read_and_written() {
        let context = Context::parse(EXAMPLE).unwrap();
        assert!(context.sampled);
        assert_eq!(context.header(), EXAMPLE);
        let child = context.child();
        assert!(child.trace == context.trace && child.span != context.span);
    }

    #[test]
    fn what_is_not_well_formed_is_as_good_as_nothing() {
        let later = format!("cc-{}-more", &EXAMPLE[3..]);
        assert!(Context::parse(&later).is_some(), "a later version may say more");
        let unsampled = Context::parse(&EXAMPLE.replace("-01", "-00")).unwrap();
        assert!(!unsampled.sampled);
        for text in [
            "",
            "00",
            &format!("ff-{}", &EXAMPLE[3..]),
            &format!("{EXAMPLE}-more"),
            &EXAMPLE.replace("4bf9", "4BF9"),
            &EXAMPLE.replace("4bf9", "4bfx"),
            &EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &EXAMPLE.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &EXAMPLE.replace("-00f0", "-0f0"),
        ] {
            assert_eq!(Context::parse(text), None, "{text}");
        }
    }
}
