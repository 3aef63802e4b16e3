"""Starts a simulated OpenNebula and lets its real clients drive it; the job `clients` of `cargo xtask ci` runs this.

The clients are installed into a folder of their own below the build folder, in the versions of requirements.txt. The
program `vmpool` must be there, built with the feature `sim`.
"""

import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[3] / "target"))
FASTER = ["--boot", "20ms", "--step", "5ms", "--user", "ci:hunter2"]


def installed():
    """Returns a Python that has the clients."""
    folder = BUILD / "clients"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
    subprocess.run([python, *install, HERE / "requirements.txt"], check=True)
    return python


def understands_libzmq(python):
    """Returns whether the driver understands a real publisher of ZeroMQ, as the event stream of OpenNebula is one."""
    test = ["--package", "vmpool-opennebula", "--features", "events", "--test", "opennebula", "libzmq_is_understood"]
    env = os.environ | {"VMPOOL_PYTHON_WITH_ZMQ": str(python)}
    return subprocess.run(["cargo", "test", "--quiet", *test], env=env, check=False).returncode == 0


def main():
    python = installed()
    command = [BUILD / "debug" / "vmpool", "sim", "opennebula", "--port", "0", *FASTER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            first = server.stdout.readline().split()
            if first[:2] != ["listening", "on"]:
                sys.exit(f"the simulated server says {first} instead of where it is")
            driven = subprocess.run([python, HERE / "drive_pyone.py", first[2]], check=False)
        finally:
            server.terminate()
    sys.exit(driven.returncode or not understands_libzmq(python))


main()
