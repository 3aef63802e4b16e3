"""Lets the dummy driver of apache-libcloud list, get, create and destroy: `peer.py ROUNDS SIZE…`.

Prints a row of a table for each size, with the medians in microseconds. libcloud's driver has no call for one node, so
what is got is found in a listing, as its callers do. It is installed into a folder of its own below the build folder.
"""

import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[3] / "target"))
VERSION = "3.9.1"


def install():
    folder = BUILD / "libcloud" / VERSION
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder),
                        f"apache-libcloud=={VERSION}"], check=True, stdout=sys.stderr)
    sys.path.insert(0, str(folder))


def took(work):
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e6


def measure(size, rounds):
    from libcloud.compute.drivers.dummy import DummyNodeDriver
    driver = DummyNodeDriver("creds")
    image, kind = driver.list_images()[0], driver.list_sizes()[0]

    def create():
        return driver.create_node("node", kind, image)

    nodes = driver.list_nodes()
    while len(nodes) < size:
        create()
        nodes = driver.list_nodes()
    assert len(nodes) == size, "the driver begins with two nodes"
    last = nodes[-1].id
    times = [[], [], []]
    for _ in range(rounds):
        times[0].append(took(driver.list_nodes))
        times[1].append(took(lambda: next(node for node in driver.list_nodes() if node.id == last)))
        times[2].append(took(lambda: driver.destroy_node(create())))
    return [statistics.median(all_of_one) for all_of_one in times]


def main():
    rounds, sizes = int(sys.argv[1]), [int(size) for size in sys.argv[2:]]
    install()
    name = f"Python {platform.python_version()}, apache-libcloud {VERSION}"
    for size in sizes:
        columns = [f"{value:.1f}" for value in measure(size, rounds)]
        print("|", " | ".join([name, str(size), *columns]), "|")


main()
