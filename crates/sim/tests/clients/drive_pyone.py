"""Drives a simulated OpenNebula with pyone, OpenNebula's own client for Python.

    drive_pyone.py ENDPOINT

Makes every call that a VM and the pool of VMs have and reads the answers through pyone's bindings. The server is a new
one, with the plain user ci:hunter2, and no VM of it takes more than a second from one state to the next.
"""

import sys
import time

import pyone

HOLD, ACTIVE, STOPPED, SUSPENDED, DONE, POWEROFF, UNDEPLOYED = 2, 3, 4, 5, 6, 8, 9
RUNNING = 3
PATIENCE = 20


class Driver:
    """Calls the server for somebody, and notes what was called."""

    def __init__(self, endpoint, session):
        self.one = pyone.OneServer(endpoint, session=session)
        self.called = set()

    def __call__(self, method, *params):
        self.called.add(method)
        call = self.one
        for part in method.split("."):
            call = getattr(call, part)
        return call(*params)

    def info(self, vm):
        return self("vm.info", vm)

    def wait(self, vm, state, lcm=0):
        """Waits until a VM is in a state."""
        end = time.monotonic() + PATIENCE
        while True:
            found = self.info(vm)
            if (found.STATE, found.LCM_STATE) == (state, lcm):
                return found
            if end < time.monotonic():
                raise AssertionError(f"VM {vm} is in {found.STATE}/{found.LCM_STATE}, not in {state}/{lcm}")

    def running(self, vm):
        return self.wait(vm, ACTIVE, RUNNING)

    def refused(self, error, text, method, *params):
        """Makes a call that must be refused."""
        try:
            self(method, *params)
        except error as refusal:
            assert text in str(refusal), refusal
        else:
            raise AssertionError(f"{method}{params} is not refused")


def same(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def several(found):
    """Returns a list of what pyone gives as a list, as one thing or as nothing."""
    return found if isinstance(found, list) else [] if found is None else [found]


def life(one):
    """From the template to the end, with every action."""
    vm = one("template.instantiate", 0, "web-1", True, {"TEMPLATE": {"POOL_KEY": "k-1"}}, False)
    held = one.wait(vm, HOLD)
    same((held.NAME, held.USER_TEMPLATE["POOL_KEY"]), ("web-1", "k-1"))
    same(held.TEMPLATE["NIC"]["IP"].split(".")[:3], ["10", "0", "0"])
    one("vm.action", "release", vm)
    found = one.running(vm)
    same([page.SEQ for page in several(found.HISTORY_RECORDS.HISTORY)], [0])
    for action in ("resched", "unresched", "reboot", "reboot-hard"):
        one("vm.action", action, vm)
    one("vm.action", "suspend", vm)
    one.wait(vm, SUSPENDED)
    one("vm.action", "resume", vm)
    one.running(vm)
    one("vm.action", "stop", vm)
    one.wait(vm, STOPPED)
    one("vm.action", "resume", vm)
    one.running(vm)
    for action in ("poweroff", "poweroff-hard"):
        one("vm.action", action, vm)
        one.wait(vm, POWEROFF)
        one("vm.action", "resume", vm)
        one.running(vm)
    for action in ("undeploy", "undeploy-hard"):
        one("vm.action", action, vm)
        one.wait(vm, UNDEPLOYED)
        one("vm.action", "resume", vm)
        one.running(vm)
    one("vm.action", "terminate", vm)
    same(one.wait(vm, DONE).ETIME > 0, True)
    one.refused(pyone.OneActionException, "not available for state DONE", "vm.action", "poweroff", vm)
    one.refused(pyone.OneActionException, 'Action "shutdown" is not supported', "vm.action", "shutdown", vm)
    one.refused(pyone.OneNoExistsException, "Error getting virtual machine [9999]", "vm.info", 9999)


def placing(one):
    """Deploys, migrates and recovers."""
    vm = one("vm.allocate", "NAME=moves\nCPU=0.1\nMEMORY=64\nDISK=[IMAGE_ID=0]", True)
    one("vm.deploy", vm, 0, False, -1, "")
    one.running(vm)
    for live, kind in ((True, 0), (False, 0), (False, 1), (False, 2)):
        here = several(one.info(vm).HISTORY_RECORDS.HISTORY)[-1].HID
        one("vm.migrate", vm, 1 - here, live, False, -1, kind)
        one.running(vm)
        same(several(one.info(vm).HISTORY_RECORDS.HISTORY)[-1].HID, 1 - here)
    one.refused(pyone.OneNoExistsException, "Error getting host [77]", "vm.migrate", vm, 77, True, False, -1, 0)
    for operation in (0, 1, 2):
        one("vm.recover", vm, operation)
        one.running(vm)
    one("vm.recover", vm, 4)
    one.running(vm)
    one("vm.recover", vm, 3)
    one.wait(vm, DONE)
    other = one("vm.allocate", "CPU=0.1\nMEMORY=64", True)
    one("vm.recover", other, 5)
    one.wait(other, DONE)


def devices(one):
    """Disks, cards, snapshots and the size."""
    vm = one("template.instantiate", 0, "devices", False, "", False)
    one.running(vm)
    count = lambda name: len(several(one.info(vm).TEMPLATE.get(name)))
    one("vm.attach", vm, {"TEMPLATE": {"DISK": {"IMAGE_ID": 0}}})
    one.running(vm)
    same(count("DISK"), 2)
    one("vm.detach", vm, int(several(one.info(vm).TEMPLATE["DISK"])[1]["DISK_ID"]))
    one.running(vm)
    same(count("DISK"), 1)
    one("vm.attachnic", vm, "NIC=[NETWORK_ID=0]")
    one.running(vm)
    same(count("NIC"), 2)
    one("vm.updatenic", vm, 1, "NIC=[INBOUND_AVG_BW=100]", 1)
    one.running(vm)
    one("vm.detachnic", vm, 1)
    one.running(vm)
    same(count("NIC"), 1)
    one("vm.diskresize", vm, 0, "2048")
    one.running(vm)
    same(several(one.info(vm).TEMPLATE["DISK"])[0]["SIZE"], "2048")
    one("vm.resize", vm, "CPU=0.2\nMEMORY=128", False)
    same(one.running(vm).TEMPLATE["MEMORY"], "128")

    snapshot = one("vm.snapshotcreate", vm, "before")
    one.running(vm)
    one("vm.snapshotrevert", vm, snapshot)
    one.running(vm)
    one("vm.snapshotdelete", vm, snapshot)
    one.running(vm)
    first = one("vm.disksnapshotcreate", vm, 0, "first")
    one.running(vm)
    one("vm.disksnapshotrename", vm, 0, first, "renamed")
    second = one("vm.disksnapshotcreate", vm, 0, "second")
    one.running(vm)
    snapshots = several(several(one.info(vm).SNAPSHOTS)[0].SNAPSHOT)
    same([snapshot.NAME for snapshot in snapshots], ["renamed", "second"])
    one("vm.action", "poweroff", vm)
    one.wait(vm, POWEROFF)
    one("vm.disksnapshotrevert", vm, 0, first)
    one.wait(vm, POWEROFF)
    one("vm.disksnapshotdelete", vm, 0, second)
    one.wait(vm, POWEROFF)
    image = one("vm.disksaveas", vm, 0, "saved", "OS", -1)
    one.wait(vm, POWEROFF)
    same(one("image.info", image, False).NAME, "saved")
    one.refused(pyone.OneException, "NAME is already taken by IMAGE", "vm.disksaveas", vm, 0, "saved", "OS", -1)
    one("vm.action", "terminate-hard", vm)
    one.wait(vm, DONE)


def newer(one):
    """Security groups, devices of the host, backups."""
    vm = one("template.instantiate", 0, "newer", False, "", False)
    one.running(vm)
    group = one("secgroup.allocate", "NAME=web")
    one("vm.attachsg", vm, 0, group)
    same(one.info(vm).TEMPLATE["NIC"]["SECURITY_GROUPS"], f"0,{group}")
    one("vm.detachsg", vm, 0, group)
    same(one.info(vm).TEMPLATE["NIC"]["SECURITY_GROUPS"], "0")
    one.refused(pyone.OneNoExistsException, "Error getting security group [999]", "vm.attachsg", vm, 0, 999)

    store = one("datastore.allocate", "NAME=backups\nTYPE=BACKUP_DS\nDS_MAD=restic\nTM_MAD=-", -1)
    same(one("datastore.info", store, False).TYPE, 3)
    one.refused(pyone.OneActionException, "is not a backup datastore", "vm.backup", vm, 1, False)
    one("vm.backup", vm, store, False)
    one.running(vm)
    backup = several(one.info(vm).BACKUPS.BACKUP_IDS.ID)
    same(len(backup), 1)
    same(one("image.info", backup[0], False).TYPE, 6)
    one("vm.action", "poweroff", vm)
    one.wait(vm, POWEROFF)
    one("vm.restore", vm, backup[0], -1, -1)
    one.wait(vm, POWEROFF)
    one("vm.attachpci", vm, "PCI=[CLASS=0300,DEVICE=0863,VENDOR=10de]")
    device = int(several(one.info(vm).TEMPLATE["PCI"])[0]["PCI_ID"])
    one("vm.detachpci", vm, device)
    same(one.info(vm).TEMPLATE.get("PCI"), None)
    one.refused(pyone.OneActionException, "wrong state POWEROFF", "vm.backupcancel", vm)
    one("vm.action", "terminate-hard", vm)
    one.wait(vm, DONE)
    one("image.delete", backup[0])
    image = one("image.allocate", "NAME=data\nTYPE=DATABLOCK\nSIZE=16", 1, False)
    same((one("image.info", image, False).NAME, one("image.info", image, False).SIZE), ("data", 16))
    one.refused(pyone.OneException, "NAME is already taken", "image.allocate", "NAME=data\nSIZE=1", 1, False)
    one("image.delete", image)


def notes(one):
    """Name, owner, rights, lock, user template, timetable."""
    vm = one("template.instantiate", 0, "notes", True, "", False)
    one("vm.rename", vm, "other")
    one("vm.update", vm, {"TEMPLATE": {"LABELS": "ci", "NOTE": "a <b> & \"c\""}}, 1)
    found = one.info(vm)
    same((found.NAME, found.USER_TEMPLATE["NOTE"]), ("other", 'a <b> & "c"'))
    one("vm.update", vm, "ONLY=this", 0)
    same(dict(one.info(vm).USER_TEMPLATE), {"ONLY": "this"})
    one("vm.updateconf", vm, "CONTEXT=[NETWORK=YES,FOO=bar]", 1)
    same(one.info(vm).TEMPLATE["CONTEXT"]["FOO"], "bar")
    one("vm.chmod", vm, -1, -1, -1, 1, -1, -1, -1, -1, -1)
    same(one.info(vm).PERMISSIONS.GROUP_U, 1)
    one("vm.chown", vm, 2, 1)
    same((one.info(vm).UNAME, one.info(vm).GNAME), ("ci", "users"))
    one("vm.lock", vm, 4, False)
    same(one.info(vm).LOCK.LOCKED, 1)
    one.refused(pyone.OneAuthorizationException, "VM is locked", "vm.action", "release", vm)
    one("vm.unlock", vm)
    action = one("vm.schedadd", vm, 'SCHED_ACTION=[ACTION="terminate-hard",TIME="+3600"]')
    one("vm.schedupdate", vm, action, 'SCHED_ACTION=[TIME="+7200"]')
    found = one.info(vm)
    same(int(found.TEMPLATE["SCHED_ACTION"]["TIME"]) - found.STIME, 7200)
    one("vm.scheddelete", vm, action)
    one("vm.action", "release", vm)
    one.running(vm)
    one("vm.monitoring", vm)
    one("vm.action", "terminate-hard", vm)
    one.wait(vm, DONE)


def pools(one, plain):
    """Listings with their filters, ranges and pages, monitoring and accounting, and all other pools."""
    ids = lambda pool: [vm.ID for vm in several(pool.VM)]
    vms = [one("template.instantiate", 0, f"pool-{index}", True, "", False) for index in range(3)]
    one("vm.action", "release", vms[2])
    one.running(vms[2])
    first, last = vms[0], vms[2]
    same(ids(one("vmpool.info", -2, first, -1, -1)), vms[::-1])
    same(ids(one("vmpool.info", -2, first, first, -1)), [first])
    same(ids(one("vmpool.info", -3, first, last, HOLD)), [vms[1], vms[0]])
    same(ids(one("vmpool.info", -2, 0, -2, -1)), [vms[2], vms[1]])
    same(ids(one("vmpool.infoextended", -2, last, -1, ACTIVE)), [last])
    same(ids(one("vmpool.infoset", f"{first},{last},9999", True)), [last, first])
    one.refused(pyone.OneApiException, "Incorrect filter_flag", "vmpool.info", -5, -1, -1, -1)
    one("vmpool.monitoring", -2, 0)
    history = several(one("vmpool.accounting", -2, -1, -1).HISTORY)
    same(last in {page.OID for page in history}, True)
    one("vmpool.showback", -2, -1, -1, -1, -1)
    one.refused(pyone.OneInternalException, "not supported", "vmpool.info", -2, -1, -1, -1, "VM.NAME=pool")

    own = plain("vm.allocate", "NAME=own\nCPU=0.1\nMEMORY=64", True)
    same(ids(plain("vmpool.info", -2, -1, -1, -1)), [own])
    plain.refused(pyone.OneAuthorizationException, "Not authorized to perform USE VM", "vm.info", first)
    plain.refused(pyone.OneAuthorizationException, "Not authorized to perform ADMIN VM", "vm.recover", own, 3)
    plain("vm.action", "terminate", own)

    same(one("system.version"), "6.10.0")
    same([host.NAME for host in one("hostpool.info").HOST], ["dummy2", "dummy1"])
    same(one("host.info", 0, False).HOST_SHARE.RUNNING_VMS >= 0, True)
    one("host.status", 1, 1)
    same(one("host.info", 1, False).STATE, int(pyone.HOST_STATES.DISABLED))
    one("host.status", 1, 0)
    same([store.NAME for store in one("datastorepool.info").DATASTORE], ["backups", "files", "default", "system"])
    same(one("datastore.info", 1, False).NAME, "default")
    same([net.NAME for net in several(one("vnpool.info", -2, -1, -1).VNET)], ["net"])
    same(one("vn.info", 0, False).NAME, "net")
    same("disk0" in [image.NAME for image in one("imagepool.info", -2, -1, -1).IMAGE], True)
    template = one("template.allocate", "NAME=own\nCPU=1\nMEMORY=512")
    same(one("template.info", template, False, False).TEMPLATE["MEMORY"], "512")
    same([kind.NAME for kind in one("templatepool.info", -2, -1, -1).VMTEMPLATE], ["own", "large", "small"])

    one("template.delete", template)
    same([kind.NAME for kind in one("templatepool.info", -2, -1, -1).VMTEMPLATE], ["large", "small"])

    group = one("group.allocate", "builders")
    user = one("user.allocate", "bob", "secret", "core", [group])
    one("user.quota", user, {"TEMPLATE": {"VM": {"VMS": 1, "CPU": -2, "MEMORY": -2}}})
    same(one("user.info", user, False).VM_QUOTA.VM.VMS, "1")
    same([found.NAME for found in one("userpool.info").USER][0], "bob")
    same(len(one("user.login", "ci", "", 3600, -1)), 64)
    for vm in vms:
        one("vm.action", "terminate-hard", vm)
        one.wait(vm, DONE)
    same(ids(one("vmpool.info", -2, -1, -1, -1)), [])


def main(endpoint):
    stranger = Driver(endpoint, "oneadmin:wrong")
    stranger.refused(pyone.OneAuthenticationException, "couldn't be authenticated", "system.version")
    one, plain = Driver(endpoint, "oneadmin:opennebula"), Driver(endpoint, "ci:hunter2")
    for part in (life, placing, devices, newer, notes):
        part(one)
    pools(one, plain)
    print(f"pyone made {len(one.called)} calls and read their answers")


main(sys.argv[1])
