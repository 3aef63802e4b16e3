//! Answers to `one.vmpool.infoextended` of any length, made up from one running VM as servers describe it.

use vmpool_opennebula::rpc::{Response, Value};

/// How many VMs are made up; longer listings repeat them.
const MADE_UP: usize = 1_000;

/// The VM, with names in braces where VMs differ and each element on a line of its own.
const VM: &str = include_str!("vm.xml");

/// An answer in its parts.
pub struct Answer {
    head: Vec<u8>,
    vms: Vec<Vec<u8>>,
    tail: Vec<u8>,
    count: usize,
}

impl Answer {
    /// Makes up an answer with so many VMs.
    pub fn of(count: usize) -> Self {
        let made_up = (0..count.min(MADE_UP)).map(vm);
        let marked = Value::Array(vec![true.into(), "<VM_POOL>|</VM_POOL>".into(), 0.into()]);
        let frame = Response::Value(marked).to_xml();
        let (head, tail) = frame.split_once('|').unwrap();
        Self { head: head.into(), vms: made_up.collect(), tail: tail.into(), count }
    }

    /// Returns how many VMs are in it.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the answer part by part; it is never whole in memory.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let vms = self.vms.iter().cycle().take(self.count);
        std::iter::once(&self.head).chain(vms).chain([&self.tail]).map(Vec::as_slice)
    }

    /// Returns its length in bytes.
    pub fn length(&self) -> usize {
        self.parts().map(<[u8]>::len).sum()
    }

    /// Returns the whole answer.
    pub fn whole(&self) -> Vec<u8> {
        self.parts().collect::<Vec<_>>().concat()
    }
}

/// Makes up a VM, as it is inside an answer.
fn vm(number: usize) -> Vec<u8> {
    let id = 10_000 + number;
    let [.., high, low] = number.to_be_bytes();
    let text = VM
        .lines()
        .collect::<String>()
        .replace("{id}", &id.to_string())
        .replace("{ip}", &format!("10.0.{high}.{low}"))
        .replace("{mac}", &format!("02:00:0a:00:{high:02x}:{low:02x}"))
        .replace("{number}", &format!("{number:012x}"))
        .replace("{host}", &(number % 40).to_string())
        .replace("{template}", &(number % 7).to_string());
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").into_bytes()
}
