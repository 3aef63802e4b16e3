//! What a listing of many VMs costs, beside what others take for the same answer.
//!
//! `cargo bench -p vmpool-opennebula --bench listing` prints tables; with `-- --peers` readers in Python join, which are
//! installed from PyPI, and with `-- --live` only what comes over a socket is measured. `cargo xtask bench opennebula` writes that into docs/benchmarks.md.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on has nothing to report")]
#![expect(clippy::print_stdout, reason = "tables are what it is for")]
#![expect(unreachable_pub, reason = "the parts of a program")]

mod answer;
mod live;
mod memory;
mod peers;

use std::{hint::black_box, time::Instant};

use quick_xml::{Reader, events::Event};
use vmpool_opennebula::{
    document::{Decoder, Reply},
    rpc::{Response, Value},
    vm::{ListedVm, ListingSink},
};

use crate::{answer::Answer, live::Pace, peers::Peer};

/// How much comes from a socket at a time.
const PIECE: usize = 256 << 10;

/// How many VMs the answer has that all read.
const VMS: usize = 10_000;

/// How many VMs the answers have that show how the cost grows.
const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// How often each is measured; those in Python take seconds.
const ROUNDS: usize = 15;
const ROUNDS_IN_PYTHON: usize = 3;

fn main() {
    let is_told = |what: &str| std::env::args().any(|arg| arg == what);
    let answer = Answer::of(VMS);
    if !is_told("--live") {
        side_by_side(&answer.whole(), is_told("--peers"));
        by_size();
    }
    live(&answer);
}

/// Compares all readers on one answer. Each round goes through all, so that what else the machine does falls on all.
fn side_by_side(body: &[u8], with_peers: bool) {
    let mut copy = vec![0; body.len()];
    let document = document(body);
    let readers = [
        "memcpy of the answer".to_owned(),
        "into records, with AVX2 where the processor has it".to_owned(),
        "into records, with what every processor has".to_owned(),
        format!("quick-xml {}: events of the document, unescaped before", peers::locked("quick-xml")),
    ];
    let mut times = readers.clone().map(|_| Vec::new());
    for _ in 0..ROUNDS {
        times[0].push(milliseconds(|| copy.copy_from_slice(black_box(body))));
        times[1].push(reading(body, Decoder::new(ListingSink::default())));
        times[2].push(reading(body, Decoder::new(ListingSink::default()).with_portable_scan()));
        times[3].push(milliseconds(|| scan(&document)));
    }
    drop((copy, document));
    println!(
        "An answer with {VMS} VMs, {:.1} MB, of which {ROUNDS} rounds were read:\n",
        megabytes(body.len())
    );
    println!(
        "| reader | ms, median | least | MB/s | times memcpy, median of the rounds | memory beyond the answer |"
    );
    println!("|---|---|---|---|---|---|");
    for (reader, of_reader) in readers.iter().zip(&times) {
        let factors: Vec<f64> = of_reader.iter().zip(&times[0]).map(|(time, copy)| time / copy).collect();
        let (time, least) = (median(of_reader), least(of_reader));
        row(reader, [time, least, megabytes(body.len()) / time * 1e3, median(&factors)], None);
    }
    if with_peers {
        let file = std::env::temp_dir().join(format!("vmpool-answer-{}.xml", std::process::id()));
        std::fs::write(&file, body).unwrap();
        let peers = peers::read(&file, ROUNDS_IN_PYTHON);
        std::fs::remove_file(&file).unwrap();
        for Peer { name, milliseconds, peak } in peers {
            let factor = milliseconds / median(&times[0]);
            let speed = megabytes(body.len()) / milliseconds * 1e3;
            row(&name, [milliseconds, f64::NAN, speed, factor], Some(megabytes(peak as usize)));
        }
    }
}

fn row(name: &str, [time, least, speed, factor]: [f64; 4], memory: Option<f64>) {
    let least = if least.is_nan() { String::new() } else { format!("{least:.1}") };
    let memory = memory.map_or_else(String::new, |memory| format!("{memory:.0} MB"));
    println!("| {name} | {time:.1} | {least} | {speed:.0} | {factor:.1} | {memory} |");
}

/// Shows how time and memory grow with the number of VMs, the answer coming in piece by piece.
fn by_size() {
    println!("\nInto records, by the number of VMs; the answer is never whole in memory:\n");
    println!(
        "| VMs | answer | µs for each VM, median | least | memory at most | left in records | beyond them, of the answer |"
    );
    println!("|---|---|---|---|---|---|---|");
    for size in SIZES {
        let answer = Answer::of(size);
        let rounds = (200_000 / size).clamp(5, 400);
        let times: Vec<f64> = (0..rounds).map(|_| coming_in(&answer)).collect();
        let [each, least] = [median(&times), least(&times)].map(|time| time / size as f64 * 1e3);
        let memory::Use { most, records } = memory::while_it_comes_in(&answer);
        let beyond = most.saturating_sub(records) as f64 / answer.length() as f64;
        let [length, most, records] = [answer.length(), most, records].map(megabytes);
        println!(
            "| {size} | {length:.1} MB | {each:.2} | {least:.2} | {most:.2} MB | {records:.2} MB | {beyond:.3} |"
        );
    }
}

fn coming_in(answer: &Answer) -> f64 {
    let mut decoder = Decoder::new(ListingSink::default());
    let (vms, time) = timed(|| {
        answer.parts().for_each(|part| decoder.feed(part).unwrap());
        done(decoder.finish().unwrap())
    });
    assert_eq!(vms.len(), answer.count());
    time
}

fn live(answer: &Answer) {
    println!("\nThe answer with {VMS} VMs over a socket of the same machine, {ROUNDS} rounds:\n");
    println!("| reader | ms, median | least | times curl, median of the rounds | least by least |");
    println!("|---|---|---|---|---|");
    for (server, pace) in [
        ("a server that sends all it can", Pace::Full),
        ("a server that sends 10 Gbit/s", Pace::Bytes(1.25e9)),
    ] {
        let Some(rounds) = live::listings(answer, pace, ROUNDS) else {
            println!("There is no curl here to compare with.");
            return;
        };
        let of = |which: usize| rounds.iter().map(|both| both[which]).collect::<Vec<_>>();
        let (curl, client) = (of(0), of(1));
        let factor = median(&rounds.iter().map(|[curl, client]| client / curl).collect::<Vec<_>>());
        let by_least = least(&client) / least(&curl);
        println!(
            "| curl, into nothing, from {server} | {:.1} | {:.1} | 1.0 | 1.0 |",
            median(&curl),
            least(&curl)
        );
        let [time, least] = [median(&client), least(&client)];
        println!(
            "| the client, into records, from {server} | {time:.1} | {least:.1} | {factor:.2} | {by_least:.2} |"
        );
    }
}

fn reading(body: &[u8], mut decoder: Decoder<ListingSink>) -> f64 {
    let (vms, time) = timed(|| {
        body.chunks(PIECE).for_each(|piece| decoder.feed(piece).unwrap());
        done(decoder.finish().unwrap())
    });
    assert_eq!(vms.len(), VMS);
    time
}

fn done(reply: Reply<Vec<ListedVm>>) -> Vec<ListedVm> {
    match reply {
        Reply::Done(vms) => vms,
        Reply::Refused(refusal) => panic!("{refusal}"),
        Reply::Fault(fault) => panic!("{fault}"),
    }
}

fn document(body: &[u8]) -> String {
    let Response::Value(Value::Array(mut values)) = Response::parse(body, u64::MAX).unwrap() else {
        panic!()
    };
    let Value::Text(document) = values.remove(1) else { panic!() };
    document
}

fn scan(document: &str) {
    let mut reader = Reader::from_str(document);
    while !matches!(black_box(reader.read_event().unwrap()), Event::Eof) {}
}

fn milliseconds(work: impl FnOnce()) -> f64 {
    timed(work).1
}

/// Does something, and returns what came of it and how many milliseconds it took.
#[expect(clippy::disallowed_methods, reason = "time is what is measured")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed().as_secs_f64() * 1e3)
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::MAX, f64::min)
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
