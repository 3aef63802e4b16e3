//! OpenNebula's states, row by row against the headers of OpenNebula 6.10 to 7.4, the Ruby OCA and python-oca 4.15.2.
#![expect(clippy::unwrap_used, reason = "a row that cannot be read fails its test")]

use vmpool_model::states::NodeState;
use vmpool_model::states::opennebula::{LcmState, VmState, is_reconfiguring, node_state, short_status};

/// Number, name, short name of the Ruby OCA, short name of python-oca 4.15.2; `-` for none.
const VM_STATES: &str = "\
0 INIT init init
1 PENDING pend pend
2 HOLD hold hold
3 ACTIVE actv actv
4 STOPPED stop stop
5 SUSPENDED susp susp
6 DONE done done
7 FAILED fail fail
8 POWEROFF poff poff
9 UNDEPLOYED unde udep
10 CLONING clon -
11 CLONING_FAILURE fail -";

/// Number, name, short name of the Ruby OCA, short name of python-oca 4.15.2; `-` for none.
const LCM_STATES: &str = "\
0 LCM_INIT - lcm_i
1 PROLOG prol prolo
2 BOOT boot boot
3 RUNNING runn running
4 MIGRATE migr migrate
5 SAVE_STOP save save_stop
6 SAVE_SUSPEND save save_suspend
7 SAVE_MIGRATE save save_mig
8 PROLOG_MIGRATE migr prolo
9 PROLOG_RESUME prol prolo
10 EPILOG_STOP epil epilo
11 EPILOG epil epilo
12 SHUTDOWN shut shutd
13 CANCEL shut cance
14 FAILURE fail failu
15 CLEANUP_RESUBMIT clea clean
16 UNKNOWN unkn unkno
17 HOTPLUG hotp hotpl
18 SHUTDOWN_POWEROFF shut shutd
19 BOOT_UNKNOWN boot :boot_u
20 BOOT_POWEROFF boot boot_p
21 BOOT_SUSPENDED boot boot_su
22 BOOT_STOPPED boot boot_st
23 CLEANUP_DELETE clea clean
24 HOTPLUG_SNAPSHOT snap hotp_sn
25 HOTPLUG_NIC hotp hotp_n
26 HOTPLUG_SAVEAS hotp hot_sav
27 HOTPLUG_SAVEAS_POWEROFF hotp hot_sav_p
28 HOTPLUG_SAVEAS_SUSPENDED hotp hot_sav_sus
29 SHUTDOWN_UNDEPLOY shut shut_un
30 EPILOG_UNDEPLOY epil epi_und
31 PROLOG_UNDEPLOY prol pro_und
32 BOOT_UNDEPLOY boot boot_und
33 HOTPLUG_PROLOG_POWEROFF hotp hot_pro_pow
34 HOTPLUG_EPILOG_POWEROFF hotp hot_epi_pow
35 BOOT_MIGRATE boot boot_mig
36 BOOT_FAILURE fail boot_fail
37 BOOT_MIGRATE_FAILURE fail boot_mig_fail
38 PROLOG_MIGRATE_FAILURE fail pro_mig_fail
39 PROLOG_FAILURE fail prolog_fail
40 EPILOG_FAILURE fail epilog_fail
41 EPILOG_STOP_FAILURE fail epilog_stop_fail
42 EPILOG_UNDEPLOY_FAILURE fail epilog_undep_fail
43 PROLOG_MIGRATE_POWEROFF migr prolog_migrate_power
44 PROLOG_MIGRATE_POWEROFF_FAILURE fail prolog_migrate_power_fail
45 PROLOG_MIGRATE_SUSPEND migr prolog_migrate_sus
46 PROLOG_MIGRATE_SUSPEND_FAILURE fail prolog_migrate_sus_fail
47 BOOT_UNDEPLOY_FAILURE fail boot_und_fail
48 BOOT_STOPPED_FAILURE fail boot_stop_fail
49 PROLOG_RESUME_FAILURE fail prolog_resume_fail
50 PROLOG_UNDEPLOY_FAILURE fail prolog_unde_fail
51 DISK_SNAPSHOT_POWEROFF snap disk_snap_poweroff
52 DISK_SNAPSHOT_REVERT_POWEROFF snap disk_snap_rever_poweroff
53 DISK_SNAPSHOT_DELETE_POWEROFF snap disk_snap_delete_poweroff
54 DISK_SNAPSHOT_SUSPENDED snap disk_snap_suspend
55 DISK_SNAPSHOT_REVERT_SUSPENDED snap disk_snap_revert_suspended
56 DISK_SNAPSHOT_DELETE_SUSPENDED snap disk_snap_del_suspend
57 DISK_SNAPSHOT snap disk_snap
58 DISK_SNAPSHOT_REVERT - disk_snap_revert
59 DISK_SNAPSHOT_DELETE snap disk_snap_delete
60 PROLOG_MIGRATE_UNKNOWN migr -
61 PROLOG_MIGRATE_UNKNOWN_FAILURE fail -
62 DISK_RESIZE drsz -
63 DISK_RESIZE_POWEROFF drsz -
64 DISK_RESIZE_UNDEPLOYED drsz -
65 HOTPLUG_NIC_POWEROFF hotp -
66 HOTPLUG_RESIZE hotp -
67 HOTPLUG_SAVEAS_UNDEPLOYED hotp -
68 HOTPLUG_SAVEAS_STOPPED hotp -
69 BACKUP back -
70 BACKUP_POWEROFF back -
71 RESTORE rest -";

/// Returns number, name, short name and python-oca's short name of each row.
fn rows(
    table: &'static str,
) -> impl Iterator<Item = (i32, &'static str, Option<&'static str>, Option<&'static str>)> {
    table.lines().map(|line| {
        let cells: Vec<&str> = line.split(' ').collect();
        let [number, name, short, python] = cells.try_into().unwrap();
        let some = |cell| Some(cell).filter(|cell| *cell != "-");
        (number.parse().unwrap(), name, some(short), some(python))
    })
}

#[test]
fn every_vm_state_has_its_number_and_names() {
    assert_eq!(VmState::ALL.len(), rows(VM_STATES).count());
    for (number, name, short, python) in rows(VM_STATES) {
        let state = VmState::from_number(number);
        assert_eq!((state.number(), state.str_state()), (number, name));
        assert_eq!((Some(state.short_state()), state.python_short()), (short, python), "{name}");
        assert_eq!((VmState::from_name(name), state.to_string().as_str()), (Some(state), name));
    }
}

#[test]
fn every_lcm_state_has_its_number_and_names() {
    assert_eq!(LcmState::ALL.len(), rows(LCM_STATES).count());
    for (number, name, short, python) in rows(LCM_STATES) {
        let state = LcmState::from_number(number);
        assert_eq!((state.number(), state.str_lcm_state()), (number, name));
        assert_eq!(state.python_short(), python, "{name}");
        // The Ruby OCA has no short name for two states; the first is that of the oldest Python OCA.
        let short = short.unwrap_or(if number == 0 { "init" } else { "snap" });
        assert_eq!(state.short_lcm_state(), short, "{name}");
        assert_eq!((LcmState::from_name(name), state.to_string().as_str()), (Some(state), name));
    }
}

#[test]
fn the_short_names_of_the_oldest_oca_are_those_of_its_documentation() {
    let vm: Vec<&str> = (0..8).map(|number| VmState::from_number(number).short_state()).collect();
    assert_eq!(vm, ["init", "pend", "hold", "actv", "stop", "susp", "done", "fail"]);
    let lcm: Vec<&str> = (0..15).map(|number| LcmState::from_number(number).short_lcm_state()).collect();
    let documented = [
        "init", "prol", "boot", "runn", "migr", "save", "save", "save", "migr", "prol", "epil", "epil",
        "shut", "shut", "fail",
    ];
    assert_eq!(lcm, documented);
}

#[test]
fn a_number_of_a_newer_opennebula_is_kept() {
    for number in [-1, 72, i32::MAX] {
        let (vm, lcm) = (VmState::from_number(number), LcmState::from_number(number));
        assert_eq!((vm, vm.number()), (VmState::Unrecognized(number), number));
        assert_eq!((lcm, lcm.number()), (LcmState::Unrecognized(number), number));
        assert_eq!(vm.to_string(), format!("UNRECOGNIZED({number})"));
        assert_eq!(lcm.to_string(), format!("UNRECOGNIZED({number})"));
    }
}

#[test]
fn a_number_of_a_newer_opennebula_means_unknown_and_never_gone() {
    for number in [-1, 72, 999] {
        assert_eq!(node_state(VmState::Active, LcmState::from_number(number)), NodeState::Unknown);
        assert_eq!(node_state(VmState::from_number(number), LcmState::LcmInit), NodeState::Unknown);
    }
}

#[test]
fn states_are_serialized_as_their_numbers() {
    let states = (VmState::Active, LcmState::Unrecognized(72));
    assert_eq!(serde_json::to_string(&states).unwrap(), "[3,72]");
    assert_eq!(serde_json::from_str::<(VmState, LcmState)>("[3,72]").unwrap(), states);
}

#[test]
fn every_inactive_vm_has_the_uniform_state_of_its_vm_state_whatever_its_lcm_state() {
    let expected: [(&[i32], NodeState); 6] = [
        (&[0, 1, 10], NodeState::Pending),
        (&[2], NodeState::Paused),
        (&[4, 8, 9], NodeState::Stopped),
        (&[5], NodeState::Suspended),
        (&[6], NodeState::Terminated),
        (&[7, 11], NodeState::Error),
    ];
    let mut seen = 0;
    for (numbers, state) in expected {
        for number in numbers {
            assert_eq!(node_state(VmState::from_number(*number), LcmState::LcmInit), state, "{number}");
            assert_eq!(node_state(VmState::from_number(*number), LcmState::Running), state, "{number}");
            seen += 1;
        }
    }
    assert_eq!(seen, 11);
}

#[test]
fn every_active_vm_has_the_uniform_state_of_its_lcm_state() {
    let expected: [(&[i32], NodeState); 10] = [
        (&[0, 1, 2, 9, 19, 20, 21, 22, 31, 32], NodeState::Starting),
        (&[3, 17, 24, 25, 26, 57, 58, 59, 62, 66, 69], NodeState::Running),
        (&[4, 7, 8, 35, 43, 45, 60], NodeState::Migrating),
        (&[5, 10, 12, 13, 18, 29, 30], NodeState::Stopping),
        (&[6], NodeState::Suspending),
        (&[11, 23], NodeState::Terminating),
        (&[15], NodeState::Pending),
        (&[16], NodeState::Unknown),
        (&[14, 36, 37, 38, 39, 40, 41, 42, 44, 46, 47, 48, 49, 50, 61], NodeState::Error),
        (&[27, 28, 33, 34, 51, 52, 53, 54, 55, 56, 63, 64, 65, 67, 68, 70, 71], NodeState::Reconfiguring),
    ];
    let mut seen = 0;
    for (numbers, state) in expected {
        for number in numbers {
            assert_eq!(node_state(VmState::Active, LcmState::from_number(*number)), state, "{number}");
            seen += 1;
        }
    }
    assert_eq!(seen, 72);
}

#[test]
fn a_running_vm_that_is_changed_is_running_and_reconfiguring() {
    for number in [17, 24, 25, 26, 57, 58, 59, 62, 66, 69] {
        let lcm = LcmState::from_number(number);
        assert_eq!(node_state(VmState::Active, lcm), NodeState::Running, "{number}");
        assert!(is_reconfiguring(VmState::Active, lcm), "{number}");
        assert!(!is_reconfiguring(VmState::Poweroff, lcm), "{number}");
    }
    assert!(!is_reconfiguring(VmState::Active, LcmState::Running));
    assert!(is_reconfiguring(VmState::Active, LcmState::DiskResizePoweroff));
}

#[test]
fn users_see_the_short_lcm_state_of_active_vms_alone() {
    assert_eq!(short_status(VmState::Active, LcmState::Running), "runn");
    assert_eq!(short_status(VmState::Poweroff, LcmState::LcmInit), "poff");
}
