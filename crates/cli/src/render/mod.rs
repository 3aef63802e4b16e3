//! How what the daemon answers looks to people.

mod lease;
#[cfg(feature = "serve")]
mod node;
mod pool;
mod provider;
mod reload;
mod request;
mod token;
mod vm;

use vmpool_api::Event;

use crate::output::or_dash;

#[cfg(feature = "serve")]
pub(crate) use self::node::{node, nodes};
pub(crate) use self::{
    lease::{lease, leases, releases},
    pool::{pool, pools, pools_wide},
    provider::{provider, providers},
    reload::reloaded,
    request::{explanation, request, requests},
    token::{tokens, whoami},
    vm::{info, vm, vms},
};

/// A time as people read it: whole seconds are enough for them.
type Time = Option<jiff::Timestamp>;

fn time(time: Time) -> String {
    or_dash(time.map(|time| format!("{time:.0}")))
}

/// Makes the line of one event.
pub(crate) fn event(event: &Event) -> String {
    let about = [
        ("pool", &event.pool),
        ("provider", &event.provider),
        ("vm", &event.vm),
        ("lease", &event.lease),
        ("request", &event.request),
        ("owner", &event.owner),
        ("by", &event.by),
    ];
    let about =
        about.into_iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={value}")));
    let detail = Some(event.detail.clone()).filter(|detail| !detail.is_empty());
    let words: Vec<String> = about.chain(detail).collect();
    format!("{:>6} {:.3} {:<18} {}", event.cursor, event.at, event.kind, words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Event {
        let json = r#"{"cursor": 7, "at": "2026-01-01T00:00:00.5Z", "kind": "vm_ready", "vm": "a-1", "by": "ada", "detail": "first"}"#;
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_event_is_one_line_with_what_it_is_about() {
        assert_eq!(
            event(&sample()),
            "     7 2026-01-01T00:00:00.500Z vm_ready           vm=a-1 by=ada first"
        );
    }

    #[test]
    fn a_table_has_a_header_even_without_rows() {
        assert!(leases(&[]).to_string().contains("EXPIRES"));
        assert!(requests(&[]).to_string().contains("WAITS FOR"));
    }
}
