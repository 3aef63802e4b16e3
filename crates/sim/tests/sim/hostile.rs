//! Requests that nobody sends in earnest.

use std::{fs, path::PathBuf};

use vmpool_opennebula::rpc::{Call, Response};
use vmpool_sim::opennebula::SimConfig;

use crate::world::World;

/// What is put into a request in place of something else.
const PIECES: [&str; 14] = [
    "2147483647",
    "-2147483648",
    "99999999999",
    "1e300",
    "-1",
    "0",
    "+",
    "]]&gt;",
    "&#128640;",
    "&#0;",
    "<x>",
    "\"",
    "[",
    "=",
];

/// Returns all recorded requests that are text.
fn requests() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../opennebula/tests/wire");
    let mut names: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let requests = names.into_iter().filter(|path| path.to_string_lossy().ends_with(".request.xml"));
    requests.filter_map(|path| String::from_utf8(fs::read(path).unwrap()).ok()).collect()
}

/// Puts something else in place of a part of a request, most often of a word.
fn spoiled(request: &str, rng: &mut fastrand::Rng) -> String {
    let borders: Vec<usize> = request.char_indices().map(|(at, _)| at).collect();
    if borders.is_empty() {
        return PIECES[rng.usize(..PIECES.len())].to_owned();
    }
    let from = borders[rng.usize(..borders.len())];
    let is_in_word = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let length = match rng.u8(..3) {
        0 => 0,
        1 => request[from..].find(|c| !is_in_word(c)).unwrap_or(0),
        _ => request[from..].find('<').unwrap_or(0),
    };
    format!("{}{}{}", &request[..from], PIECES[rng.usize(..PIECES.len())], &request[from + length..])
}

#[test]
fn spoiled_requests_are_answered_and_leave_the_server_at_work() {
    let requests = requests();
    let mut rng = fastrand::Rng::with_seed(7);
    let world = World::new(SimConfig::default());
    for _ in 0..12 {
        world.held();
    }
    for count in 0..6000 {
        let request = spoiled(&requests[rng.usize(..requests.len())], &mut rng);
        let answer = world.sim.answer(request.as_bytes());
        assert!(Response::parse(answer.as_bytes(), 1 << 30).is_ok(), "{count}: {request}\n{answer}");
        world.pass(rng.i64(0..3));
    }
    // One that is poisoned may be among them, but not the newest.
    let id = world.held();
    let list = Call::new("one.vmpool.info").with(-2).with(id).with(id).with(-2);
    assert_eq!(world.document(list).children.len(), 1);
    assert!(12 < id, "{id}");
}

#[test]
fn numbers_beyond_all_hosts_are_only_numbers() {
    let world = World::slow();
    let template = "CPU=1e300\nMEMORY=9223372036854775807\nCONTEXT=[DISK_ID=2147483647]\nDISK=[IMAGE_ID=0]";
    for _ in 0..2 {
        let id = world.id(Call::new("one.vm.allocate").with(template).with(true));
        world.call(Call::new("one.vm.deploy").with(id).with(0)).unwrap();
        world.pass(2);
        assert_eq!(world.state(id), "RUNNING");
        world.call(Call::new("one.vm.attach").with(id).with("DISK=[IMAGE_ID=0]")).unwrap();
    }
    assert!(world.call(Call::new("one.host.info").with(0)).is_ok());
    let id = world.id(Call::new("one.vm.allocate").with(template).with(true));
    let enforced = Call::new("one.vm.deploy").with(id).with(0).with(true).with(-1).with("");
    assert_eq!(world.call(enforced).unwrap_err().0, 2048);
}
