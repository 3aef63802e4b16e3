//! What the recorded documents tell about VMs, hosts and templates.

use std::collections::BTreeSet;

use vmpool_model::states::opennebula::{LcmState, VmState};
use vmpool_opennebula::{
    document::{Decoder, Element, ElementSink, Reply, Sink},
    resource::Resource,
    rpc::{Response, Value},
    vm::{ListedVm, ListingSink, Vm},
};

use crate::recordings::{recording, recordings};

fn read<S: Sink>(name: &str, sink: S) -> S::Output {
    let mut decoder = Decoder::new(sink);
    decoder.feed(&recording(name).response()).unwrap();
    match decoder.finish().unwrap() {
        Reply::Done(output) => output,
        Reply::Refused(refusal) => panic!("{name}: {refusal}"),
        Reply::Fault(fault) => panic!("{name}: {fault}"),
    }
}

fn element(name: &str) -> Element {
    read(name, ElementSink::default())
}

fn listing(name: &str) -> Vec<ListedVm> {
    read(name, ListingSink::default())
}

fn vm(name: &str) -> Vm {
    Vm::read(element(name)).unwrap()
}

#[test]
fn every_listing_tells_the_same_as_the_full_documents() {
    let mut read = 0;
    for recording in recordings() {
        let is_pool = recording.outcome.starts_with("ok &lt;VM_POOL");
        if !is_pool || recording.name == "one.vmpool.infoextended.2000" {
            continue;
        }
        let full: Vec<Vm> = element(&recording.name).children.into_iter().filter_map(Vm::read).collect();
        let listed = listing(&recording.name);
        assert_eq!(listed.len(), full.len(), "{}", recording.name);
        for (listed, full) in listed.iter().zip(&full) {
            let name = format!("VM {} of {}", full.id, recording.name);
            assert_eq!((listed.id, listed.uid, listed.gid), (full.id, full.uid, full.gid), "{name}");
            assert_eq!((listed.stime, listed.etime), (full.stime, full.etime), "{name}");
            assert_eq!((listed.state, listed.lcm_state), (full.state, full.lcm_state), "{name}");
            assert_eq!(listed.name, full.name, "{name}");
            assert_eq!(listed.addresses, full.addresses(), "{name}");
            assert_eq!(listed.host_id, full.history.last().map(|stay| stay.host_id), "{name}");
            for (attribute, text) in listed.user_template.iter() {
                let user = full.document.child("USER_TEMPLATE").unwrap();
                assert!(user.all(attribute).any(|found| found.text == text), "{name}: {attribute}");
            }
            read += 1;
        }
    }
    assert!(2_000 < read, "only {read} VMs were read");
}

#[test]
fn an_empty_listing_is_no_error() {
    assert_eq!(listing("vmpool.info.empty"), []);
    assert_eq!(listing("one.vmpool.info.range_5_2"), []);
}

#[test]
fn a_listing_is_in_descending_order_of_ids() {
    let ids: Vec<i32> = listing("one.vmpool.info.range_2_5").iter().map(|vm| vm.id).collect();
    assert_eq!(ids, [5, 4, 3, 2]);
}

#[test]
fn the_short_listing_lacks_own_attributes_and_the_extended_one_has_them() {
    let attribute = |name: &str| {
        let vms = listing(name);
        let vm = vms.iter().find(|vm| vm.id == 10).unwrap();
        vm.user_attribute("POOLKEY").map(str::to_owned)
    };
    assert_eq!(attribute("one.vmpool.info"), None);
    assert_eq!(attribute("one.vmpool.infoextended").as_deref(), Some("al"));
}

#[test]
fn a_running_vm_tells_where_it_runs_and_what_it_has() {
    let vm = vm("one.vm.info.sched");
    assert_eq!((vm.state, vm.lcm_state, vm.status()), (VmState::Active, LcmState::Running, "runn"));
    assert_eq!((vm.uname.as_str(), vm.deploy_id.as_str()), ("oneadmin", "dummy2:a-pend:dummy"));
    assert_eq!(vm.nics[0].addresses.all()[0].to_string(), "10.0.0.4");
    assert_eq!((vm.nics[0].network.as_str(), vm.nics[0].mac.as_str()), ("net", "02:00:0a:00:00:04"));
    assert_eq!((vm.disks[0].image.as_str(), vm.disks[0].size), ("disk0", Some(1024)));
    let last = vm.history.last().unwrap();
    assert_eq!((vm.history.len(), last.seq, last.host.as_str(), last.running_until), (12, 11, "dummy1", 0));
    assert_eq!((vm.scheduled[0].action.as_str(), vm.scheduled[0].done), ("poweroff", -1));
    assert_eq!(vm.user_attribute("OTHER"), Some("x"));
}

#[test]
fn permissions_are_three_digits() {
    let permissions = vm("one.vm.info.sched").permissions.unwrap();
    assert_eq!((permissions.owner, permissions.group, permissions.other), (6, 4, 0));
    assert_eq!(permissions.bits(), [true, true, false, true, false, false, false, false, false]);
}

#[test]
fn both_cards_of_a_vm_count() {
    let vm = vm("one.vm.info.two-nics");
    assert_eq!(vm.nics.len(), 2);
    assert!(2 <= vm.addresses().all().len(), "{:?}", vm.addresses());
}

/// Reads a document as a VM that was asked for alone, and as one in a listing, and returns the addresses of both.
fn addresses(inner: &str) -> [BTreeSet<String>; 2] {
    let document = format!("<VM><ID>1</ID><STATE>3</STATE><LCM_STATE>3</LCM_STATE>{inner}</VM>");
    let alone = Vm::read(Element::parse(&document).unwrap()).unwrap().addresses();
    let answer = Value::Array(vec![true.into(), document.as_str().into(), 0.into()]);
    let mut decoder = Decoder::new(ListingSink::default());
    decoder.feed(Response::Value(answer).to_xml().as_bytes()).unwrap();
    let Reply::Done(listed) = decoder.finish().unwrap() else { panic!() };
    [&alone, &listed[0].addresses].map(|found| found.all().iter().map(ToString::to_string).collect())
}

#[test]
fn addresses_are_found_in_every_place_that_may_have_one() {
    let places = [
        ("TEMPLATE/NIC", "IP"),
        ("TEMPLATE/NIC", "EXTERNAL_IP"),
        ("TEMPLATE/NIC", "IP6"),
        ("TEMPLATE/NIC", "IP6_GLOBAL"),
        ("TEMPLATE/NIC", "IP6_ULA"),
        ("TEMPLATE/NIC_ALIAS", "IP"),
        ("TEMPLATE/CONTEXT", "ETH0_IP"),
        ("MONITORING", "GUEST_IP"),
        ("MONITORING", "GUEST_IP_ADDRESSES"),
        ("MONITORING", "AWS_IP_ADDRESS"),
        ("MONITORING", "AWS_PUBLIC_IP_ADDRESS"),
        ("MONITORING", "AWS_PRIVATE_IP_ADDRESS"),
        ("MONITORING", "AZ_IPADDRESS"),
        ("MONITORING", "SL_PRIMARYIPADDRESS"),
    ];
    for (path, name) in places {
        for address in ["192.0.2.7", "2001:db8::7"] {
            let leaf = format!("<NIC_ID>0</NIC_ID><{name}>{address}</{name}>");
            let inner = path.rsplit('/').fold(leaf, |inner, part| format!("<{part}>{inner}</{part}>"));
            let expected = BTreeSet::from([address.to_owned()]);
            assert_eq!(addresses(&inner), [expected.clone(), expected], "{path}/{name}");
        }
    }
    // Nobody else reaches what is of one link, and the guest may have more than one.
    let link = "<TEMPLATE><NIC><NIC_ID>0</NIC_ID><IP6_LINK>fe80::1</IP6_LINK></NIC></TEMPLATE>\
                <MONITORING><GUEST_IP_ADDRESSES>192.0.2.1,2001:db8::1,fe80::2</GUEST_IP_ADDRESSES></MONITORING>";
    let both = BTreeSet::from(["192.0.2.1".to_owned(), "2001:db8::1".to_owned()]);
    assert_eq!(addresses(link), [both.clone(), both]);
}

#[test]
fn a_vm_on_hold_has_no_history_and_one_that_is_gone_is_still_told_of() {
    let held = vm("one.vm.info.hold");
    assert_eq!((held.state, held.history.len(), held.deploy_id.as_str()), (VmState::Hold, 0, ""));
    let done = vm("one.vm.info.done");
    assert_eq!(done.state, VmState::Done);
    assert!(0 < done.etime);
}

#[test]
fn an_unknown_state_is_kept_as_its_number() {
    let document = Element::parse("<VM><ID>1</ID><STATE>42</STATE><LCM_STATE>99</LCM_STATE></VM>").unwrap();
    let vm = Vm::read(document).unwrap();
    assert_eq!((vm.state.number(), vm.lcm_state.number()), (42, 99));
}

#[test]
fn resources_have_ids_and_names() {
    let names = |name: &str| {
        let resources = Resource::pool(element(name));
        resources.iter().map(|resource| resource.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("one.hostpool.info"), ["dummy2", "dummy1"]);
    assert_eq!(names("one.imagepool.info"), ["saved-disk", "disk0"]);
    assert_eq!(names("one.vnpool.info"), ["net"]);
    assert_eq!(names("one.datastorepool.info"), ["files", "default", "system"]);
    let template = Resource::read(element("one.template.info")).unwrap();
    assert_eq!((template.name.as_str(), template.document.text_of("TEMPLATE/MEMORY")), ("tmpl1", "64"));
    assert_eq!(names("auth.alice-hostpool"), <[&str; 0]>::default());
}
