//! Requests, and why they wait.

use comfy_table::Table;
use vmpool_api::{Explanation, Limit, Request, RequestStatus, duration};

use super::time;
use crate::output::{facts, or_dash, table};

/// Makes the table of requests.
pub(crate) fn requests(requests: &[Request]) -> Table {
    let mut table =
        table(&["request", "status", "for", "count", "priority", "owner", "task", "since", "waits for"]);
    for request in requests {
        table.add_row([
            request.id.clone(),
            request.status.to_string(),
            wanted(request),
            request.count.to_string(),
            request.priority.to_string(),
            request.owner.clone(),
            or_dash(request.task.as_ref()),
            time(Some(request.submitted_at)),
            or_dash(request.limit.as_ref().map(|limit| &limit.text)),
        ]);
    }
    table
}

/// Makes the table of one request.
pub(crate) fn request(request: &Request) -> Table {
    facts(told(request))
}

/// Makes the table of why a request waits.
pub(crate) fn explanation(explanation: &Explanation) -> Table {
    let mut rows = told(&explanation.request);
    rows.retain(|(name, _)| *name != "waits for");
    rows.extend(explanation.position.map(|position| ("place in the queue", position.to_string())));
    let waits = explanation.request.status == RequestStatus::Waiting;
    let nothing = waits && explanation.limits.is_empty();
    rows.extend(nothing.then(|| ("waits for", "nothing that is known: it is served next".to_owned())));
    rows.extend(explanation.limits.iter().map(|limit| ("waits for", self::limit(limit))));
    rows.extend(explanation.likely_at.map(|at| ("likely served", time(Some(at)))));
    facts(rows)
}

/// Says what is in the way, and since when.
pub(crate) fn limit(limit: &Limit) -> String {
    let pool = limit.pool.as_ref().map(|pool| format!("{pool}: ")).unwrap_or_default();
    format!("{pool}{}, since {:.0} ({})", limit.text, limit.since, limit.kind)
}

fn told(request: &Request) -> Vec<(&'static str, String)> {
    let waits = request.status == RequestStatus::Waiting;
    let kept =
        request.kept_until.filter(|_| waits).map(|until| format!(", if it is sent again by {until:.0}"));
    let kept = kept.unwrap_or_default();
    let end = request.ended_at.map(|at| format!("{at:.0}: {}", or_dash(request.end.as_ref())));
    vec![
        ("request", request.id.clone()),
        ("status", request.status.to_string()),
        ("for", format!("{} of {}", request.count, wanted(request))),
        ("priority", request.priority.to_string()),
        ("owner", request.owner.clone()),
        ("sandbox", or_dash(request.sandbox.as_ref())),
        ("task", or_dash(request.task.as_ref())),
        ("time to live", duration::format(request.ttl)),
        ("submitted", time(Some(request.submitted_at))),
        ("waits until", time(Some(request.deadline)) + &kept),
        ("leases", or_dash(Some(request.leases.join(", ")).filter(|leases| !leases.is_empty()))),
        ("ended", or_dash(end)),
        ("waits for", or_dash(request.limit.as_ref().map(limit))),
    ]
}

/// Says from where a request may be served.
fn wanted(request: &Request) -> String {
    // An earlier daemon tells one pool only.
    let pools = match request.pools.is_empty() {
        true => vec![request.pool.as_str()],
        false => request.pools.iter().map(String::as_str).collect(),
    };
    let words = [pools.join(","), request.labels.join(" ")];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
