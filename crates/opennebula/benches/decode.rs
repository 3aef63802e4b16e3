//! How long an answer with many VMs takes to become records, beside what its bytes cost at least.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot begin has nothing to report")]

use std::{fs, hint::black_box, io::Read as _, path::PathBuf, time::Duration};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quick_xml::{Reader, events::Event};
use vmpool_opennebula::{
    document::{Decoder, ElementSink, Reply, Sink},
    rpc::{Response, Value},
    vm::ListingSink,
};

/// How much comes from a socket at a time.
const PIECE: usize = 256 << 10;

/// Returns an answer with so many of the recorded VMs, over and over.
fn answer(count: usize) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/wire/one.vmpool.infoextended.2000.response.xml.gz");
    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let begin = text.find("&lt;VM&gt;").unwrap();
    let end = text.rfind("&lt;/VM&gt;").unwrap() + "&lt;/VM&gt;".len();
    let vms: Vec<&str> = text[begin..end].split_inclusive("&lt;/VM&gt;").collect();
    let mut body = text.as_bytes()[..begin].to_vec();
    for number in 0..count {
        body.extend_from_slice(vms[number % vms.len()].as_bytes());
    }
    body.extend_from_slice(&text.as_bytes()[end..]);
    body
}

fn decode<S: Sink>(body: &[u8], sink: S) -> S::Output {
    let mut decoder = Decoder::new(sink);
    for piece in body.chunks(PIECE) {
        decoder.feed(piece).unwrap();
    }
    match decoder.finish().unwrap() {
        Reply::Done(output) => output,
        Reply::Refused(refusal) => panic!("{refusal}"),
        Reply::Fault(fault) => panic!("{fault}"),
    }
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    group.sample_size(20).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_millis(500));
    for count in [100, 10_000] {
        let body = answer(count);
        group.throughput(Throughput::Bytes(body.len() as u64));
        let mut copy = vec![0; body.len()];
        group.bench_with_input(BenchmarkId::new("memcpy of the answer", count), &body, |bencher, body| {
            bencher.iter(|| {
                copy.copy_from_slice(black_box(body));
                black_box(copy.last().copied())
            });
        });
        group.bench_with_input(BenchmarkId::new("into records", count), &body, |bencher, body| {
            bencher.iter(|| assert_eq!(decode(body, ListingSink::default()).len(), count));
        });
        if count <= 100 {
            group.bench_with_input(BenchmarkId::new("into a tree", count), &body, |bencher, body| {
                bencher.iter(|| assert_eq!(decode(body, ElementSink::default()).children.len(), count));
            });
        }
        let Response::Value(Value::Array(mut values)) = Response::parse(&body, u64::MAX).unwrap() else {
            panic!()
        };
        let Value::Text(document) = values.remove(1) else { panic!() };
        let what = "quick-xml's scan of the document, unescaped before";
        group.bench_with_input(BenchmarkId::new(what, count), &document, |bencher, document| {
            bencher.iter(|| {
                let mut reader = Reader::from_str(document);
                while !matches!(black_box(reader.read_event().unwrap()), Event::Eof) {}
            });
        });
    }
    group.finish();
}

criterion_group!(decoding, benches);
criterion_main!(decoding);
