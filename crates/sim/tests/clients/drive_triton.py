"""Drives a simulated CloudAPI with triton, Triton's own client for the command line.

    drive_triton.py ENDPOINT TRITON FOLDER

TRITON is the program, and FOLDER a home folder with a key of each kind in `.ssh`, all of which the account `sim` has. The
server is a new one, and no machine of it takes more than a second from one state to the next.
"""

import json
import os
import pathlib
import subprocess
import sys

IMAGE, PACKAGE = "base", "sample-128M"


class Client:
    """Calls triton with one of the keys."""

    def __init__(self, endpoint, program, home, key):
        shown = subprocess.run(
            ["ssh-keygen", "-l", "-E", "md5", "-f", home / ".ssh" / f"{key}.pub"],
            check=True,
            capture_output=True,
            text=True,
        )
        self.program = program
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TRITON_PROFILE": "env",
            "TRITON_URL": endpoint,
            "TRITON_ACCOUNT": "sim",
            "TRITON_KEY_ID": shown.stdout.split()[1],
        }

    def run(self, *args):
        command = [self.program, *args]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60, check=False)

    def __call__(self, *args):
        done = self.run(*args)
        if done.returncode != 0:
            raise AssertionError(f"triton {' '.join(args)} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *args):
        """Returns what a command prints with -j: one value, or one a line."""
        values = [json.loads(line) for line in self(*args, "-j").splitlines() if line]
        return values

    def state(self, name):
        return json.loads(self("instance", "get", "-j", name))["state"]

    def refused(self, text, *args):
        """Calls triton for something that must be refused."""
        done = self.run(*args)
        assert done.returncode != 0 and text in done.stderr, f"{args}: {done}"


def same(found, expected):
    assert found == expected, f"{found!r} instead of {expected!r}"


def live(triton):
    """Leads one machine through its life."""
    triton("instance", "create", "--wait", "--name", "web-1", "-t", "role=web", "-m", "colour=blue", IMAGE, PACKAGE)
    machine = triton.json("instance", "list", "name=web-1")[0]
    same((machine["state"], machine["tags"], machine["metadata"]["colour"]), ("running", {"role": "web"}, "blue"))
    same(len(machine["nics"]), 2)
    triton.refused("Already exists", "instance", "create", "--name", "web-1", IMAGE, PACKAGE)

    triton("instance", "tag", "set", "-w", "web-1", "stage=test", "weight=7", "hot=true")
    triton("instance", "tag", "delete", "-w", "web-1", "role")
    same(triton.json("instance", "tag", "list", "web-1")[0], {"stage": "test", "weight": 7, "hot": True})
    same([found["name"] for found in triton.json("instance", "list", "tag.weight=7")], ["web-1"])
    triton("instance", "tag", "replace-all", "-w", "web-1", "only=this")
    same(triton.json("instance", "tag", "list", "web-1")[0], {"only": "this"})

    triton("instance", "snapshot", "create", "-w", "--name", "before", "web-1")
    same([found["name"] for found in triton.json("instance", "snapshot", "list", "web-1")], ["before"])

    triton("instance", "stop", "-w", "web-1")
    same(triton.state("web-1"), "stopped")
    triton("instance", "start", "-w", "web-1")
    same(triton.state("web-1"), "running")
    triton("instance", "reboot", "-w", "web-1")
    triton("instance", "start", "--snapshot", "before", "-w", "web-1")
    same(triton.state("web-1"), "running")
    triton("instance", "snapshot", "delete", "-f", "-w", "web-1", "before")
    same(triton.json("instance", "snapshot", "list", "web-1"), [])

    triton("instance", "rename", "-w", "web-1", "web-2")
    triton("instance", "resize", "-w", "web-2", "sample-256M")
    triton("instance", "enable-deletion-protection", "-w", "web-2")
    triton.refused("deletion_protection", "instance", "delete", "-f", "web-2")
    triton("instance", "disable-deletion-protection", "-w", "web-2")
    assert "sample-256M" in triton("instance", "get", "web-2")
    done = [line.split()[2] for line in triton("instance", "audit", "-H", "web-2").splitlines()]
    same(done[:2] + done[-1:], ["provision", "set_tags", "disable_deletion_protection"])

    triton("instance", "delete", "-f", "-w", "web-2")
    same(triton.json("instance", "list"), [])


def main():
    endpoint, program, home = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    keys = ["id_ed25519", "id_rsa", "id_ecdsa"]
    for key in keys:
        account = json.loads(Client(endpoint, program, home, key)("account", "get", "-j"))
        same(account["login"], "sim")
    triton = Client(endpoint, program, home, keys[0])
    same(sorted(found["name"] for found in triton.json("network", "list")), ["My-Fabric-Network", "external", "internal"])
    live(triton)
    print(f"triton took the simulated CloudAPI for real, with {len(keys)} kinds of keys")


main()
