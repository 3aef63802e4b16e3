"""Lets readers in Python read an answer to one.vmpool.infoextended: `peers.py FILE ROUNDS`.

Prints a line for each: its name with versions, the median of its times in milliseconds, and the most memory it had
beyond that before it began, in bytes. The readers are installed into a folder of their own below the build folder.
"""

import importlib.metadata
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time
import xmlrpc.client

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[3] / "target"))
FIELDS = ["ID", "UID", "GID", "NAME", "STATE", "LCM_STATE", "STIME", "ETIME", "TEMPLATE/TEMPLATE_ID",
          "TEMPLATE/NIC/IP", "HISTORY_RECORDS/HISTORY/HID", "USER_TEMPLATE/POOL_KEY"]


def document(body):
    (reply,), _ = xmlrpc.client.loads(body)
    return reply[1]


def with_lxml(body):
    from lxml import etree
    pool = etree.fromstring(document(body).encode(), etree.XMLParser(huge_tree=True))
    return [[vm.findtext(field) for field in FIELDS] for vm in pool.iterfind("VM")]


def with_pyone(body):
    import pyone
    return pyone.bindings.parseString(document(body).encode("utf-8")).VM


READERS = {
    "pyone": (with_pyone, "pyone {pyone}: the objects that its calls return"),
    "lxml": (with_lxml, "xmlrpc.client and lxml {lxml}: twelve fields"),
}


def read(name, file, rounds):
    reader, label = READERS[name]
    versions = {package: importlib.metadata.version(package) for package in ("pyone", "lxml")}
    body = pathlib.Path(file).read_bytes()
    reader(b"<methodResponse><params><param><value><array><data><value><boolean>1</boolean></value><value><string>"
           b"&lt;VM_POOL&gt;&lt;VM&gt;&lt;ID&gt;1&lt;/ID&gt;&lt;/VM&gt;&lt;/VM_POOL&gt;</string></value></data></array>"
           b"</value></param></params></methodResponse>")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        vms = reader(body)
        times.append((time.perf_counter() - began) * 1e3)
        assert vms, "there are VMs in the answer"
        del vms
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    python = ".".join(map(str, sys.version_info[:3]))
    print(f"Python {python}, {label.format(**versions)}", statistics.median(times), peak, sep="\t")


def main():
    if sys.argv[1] == "--read":
        read(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return
    folder = BUILD / "peers"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
    subprocess.run([python, *install, HERE / "requirements.txt"], check=True)
    for name in READERS:
        subprocess.run([python, __file__, "--read", name, *sys.argv[1:3]], check=True)


main()
