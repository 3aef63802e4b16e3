//! Recorded requests: a simulated server answers as the real one did, up to ids and times.

mod calls;
mod compare;
mod documents;
mod pools;
mod recordings;

use self::{calls::replay, recordings::recordings};

/// What is not replayed against a new server, and why: names of recordings, or how they begin.
const NOT_REPLAYED: &[(&str, &str)] = &[
    ("one.acl.", "there are no access rules"),
    ("datastore.update.", "datastores cannot be changed"),
    ("host.allocate", "hosts are made with the server"),
    ("image.allocate", "images are made by saving disks"),
    ("vn.allocate", "there is one network"),
    ("one.hostpool.", "a simulated host has no PCI devices and no NUMA nodes"),
    ("one.host.info", "a simulated host has no PCI devices and no NUMA nodes"),
    ("one.datastorepool.info", "simulated datastores have fewer attributes"),
    ("one.imagepool.info", "the recorded images were made in another way"),
    ("one.vnpool.info", "the simulated network has one range of addresses"),
    ("one.user.info", "there are no hashes of passwords"),
    ("one.userpool.info", "there are no hashes of passwords"),
    ("one.template.info", "the recorded template is not the one of a new simulated server"),
    ("one.vm.monitoring", "what is measured is invented"),
    ("one.vmpool.monitoring", "what is measured is invented"),
    ("one.vmpool.accounting", "the recorded VM has lived long"),
    ("one.vm.info.monitored", "what is measured is invented"),
    ("one.vm.info.after-update", "the recorded VM has lived long"),
    ("one.vm.info.running", "the recorded VM has lived long"),
    ("one.vm.info.locked", "the recorded VM has lived long"),
    ("one.vm.info.sched", "the recorded VM has lived long, or its scheduler knew requirements of hosts"),
    ("one.vm.info.two-nics", "the recorded VM has lived long"),
    ("one.vm.info.terminate-failed", "the recorded VM is not the one of a new simulated server"),
    ("one.vm.info.prolog_failure", "a simulated prolog does not fail"),
    ("one.vm.info.ok.in_CLONING", "its image was one that can only be used once"),
    ("one.vmpool.info.100", "the recorded VMs are many"),
    ("one.vmpool.info.2000", "the recorded VMs are many"),
    ("one.vmpool.infoextended", "the recorded VMs have lived long, or are many"),
    ("one.vmpool.infoset.done", "the recorded VM is compared when it is made"),
    ("one.vmpool.infoset.extended", "the recorded VMs have lived long"),
    ("one.vmpool.info.boot_failure", "the recorded VMs are many"),
    ("one.vmpool.info.sched-message", "the recorded scheduler knew requirements of hosts"),
    ("one.vmpool.info.monitored", "the recorded VMs are others"),
    ("one.vmpool.info.special", "the recorded VM is compared when it is made"),
    ("poison.vm.info", "the text of the fault counts the bytes of the answer"),
    ("poison.vmpool.info", "the text of the fault counts the bytes of the answer"),
    ("auth.login-token", "a token is made of dice"),
    ("one.user.allocate", "every replay begins with it"),
    ("one.vm.allocate.ctrlchar", "the text of the fault shows the place in the parser's buffer"),
    ("proto.http-", "these are about HTTP, for which there are tests of their own"),
    ("proto.empty-body", "this is about HTTP, for which there are tests of their own"),
];

#[test]
fn every_recorded_request_is_answered_as_recorded_or_named_as_one_that_is_not() {
    let mut wrong = Vec::new();
    let mut replayed = 0;
    for recording in recordings() {
        let name = recording.name.as_str();
        let is_left_out = NOT_REPLAYED.iter().any(|(start, _)| name.starts_with(start));
        if pools::is_one(&recording) || documents::NAMES.contains(&name) || is_left_out {
            continue;
        }
        replayed += 1;
        if let Err(difference) = replay(&recording) {
            wrong.push(format!("{name}: {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {replayed}:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(replayed, 218);
}

#[test]
fn nothing_is_left_out_that_was_not_recorded() {
    let recordings = recordings();
    for (start, _) in NOT_REPLAYED {
        assert!(recordings.iter().any(|recording| recording.name.starts_with(start)), "{start}");
    }
}
