//! What a listing of machines costs, beside what others take for the same answers, and what a signature costs.
//!
//! `cargo bench -p vmpool-cloudapi --bench listing` prints tables; with `-- --peers` Triton's own client for the command line
//! joins, which npm installs, and with `-- --processes` only whole processes are measured. `cargo xtask bench cloudapi` writes that into docs/benchmarks.md.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "tables are what it is for")]
#![expect(clippy::disallowed_methods, reason = "a benchmark takes the time")]

mod decoding;
mod processes;
mod server;
mod signing;

use std::time::Instant;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if args.iter().any(|arg| arg == "--list") {
        return runtime.block_on(processes::list());
    }
    if !args.iter().any(|arg| arg == "--processes") {
        runtime.block_on(async {
            signing::table().await;
            decoding::table().await;
        });
    }
    processes::table(args.iter().any(|arg| arg == "--peers"));
}

/// Returns how many milliseconds something takes.
fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn least(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::MAX, f64::min)
}
