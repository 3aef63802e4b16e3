"""Starts simulated clouds and lets their real clients drive them; the job `clients` of `cargo xtask ci` runs this.

The clients are installed into folders of their own below the build folder, in the versions of requirements.txt and
package.json. The program `vmpool` must be there, built with the feature `sim`.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[3] / "target")).resolve()
FASTER = ["--port", "0", "--boot", "20ms", "--step", "5ms"]

# The keys that triton signs with: a file, and what ssh-keygen is told.
KEYS = {
    "id_ed25519": ["-t", "ed25519"],
    "id_rsa": ["-t", "rsa", "-b", "2048", "-m", "PEM"],
    "id_ecdsa": ["-t", "ecdsa", "-b", "256"],
}


def python():
    """Returns a Python that has the clients."""
    folder = BUILD / "clients"
    program = folder / "bin" / "python"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
    subprocess.run([program, *install, HERE / "requirements.txt"], check=True)
    return program


def understands_libzmq(python):
    """Returns whether the driver understands a real publisher of ZeroMQ, as the event stream of OpenNebula is one."""
    test = ["--package", "vmpool-opennebula", "--features", "events", "--test", "opennebula", "libzmq_is_understood"]
    env = os.environ | {"VMPOOL_PYTHON_WITH_ZMQ": str(python)}
    return subprocess.run(["cargo", "test", "--quiet", *test], env=env, check=False).returncode == 0


def triton():
    """Returns the client of Triton for the command line."""
    if shutil.which("npm") is None:
        sys.exit("npm is missing, which installs a client: install nodejs and npm")
    folder = BUILD / "clients-npm"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "package.json", folder)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
    subprocess.run(["npm", "install", *quiet], cwd=folder, check=True)
    return folder / "node_modules" / ".bin" / "triton"


def driven(cloud, arguments, command):
    """Starts a simulated cloud, and lets a client drive it; returns how that ended."""
    began = time.monotonic()
    vmpool = [BUILD / "debug" / "vmpool", "sim", cloud, *FASTER, *arguments]
    with subprocess.Popen(vmpool, stdout=subprocess.PIPE, text=True) as server:
        try:
            first = server.stdout.readline().split()
            if first[:2] != ["listening", "on"]:
                sys.exit(f"the simulated server says {first} instead of where it is")
            code = subprocess.run(command(first[2]), check=False).returncode
        finally:
            server.terminate()
    print(f"{cloud}: {time.monotonic() - began:.1f} s")
    return code


def main():
    with_pyone = python()
    failed = driven(
        "opennebula",
        ["--user", "ci:hunter2"],
        lambda endpoint: [with_pyone, HERE / "drive_pyone.py", endpoint],
    )
    failed |= not understands_libzmq(with_pyone)
    with_triton = triton()
    with tempfile.TemporaryDirectory() as home:
        folder = pathlib.Path(home) / ".ssh"
        folder.mkdir(mode=0o700)
        for name, kind in KEYS.items():
            subprocess.run(["ssh-keygen", "-q", "-N", "", *kind, "-f", folder / name], check=True)
        keys = [argument for name in KEYS for argument in ("--key", folder / f"{name}.pub")]
        failed |= driven(
            "cloudapi",
            keys,
            lambda endpoint: [sys.executable, HERE / "drive_triton.py", endpoint, with_triton, home],
        )
    sys.exit(failed)


main()
