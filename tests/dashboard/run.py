"""Tests the dashboard in a headless Chromium; the job `dashboard` of `cargo xtask ci` runs this.

The browser driver and the checks of accessibility are installed into a folder of their own below the build folder, in the
versions of package.json. The program `vmpool` must be there. Screenshots are left in `dashboard/` below the build folder.
With `--bench` it measures how long the pages take with 10,000 VMs instead, and prints tables.
"""

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target")).resolve()
BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]


def browser():
    """Returns the browser."""
    found = os.environ.get("VMPOOL_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit("Chromium is missing, which looks at the dashboard: install chromium, or name it in VMPOOL_CHROMIUM")
    return found


def packages():
    """Returns the folder that has the packages."""
    if shutil.which("npm") is None:
        sys.exit("npm is missing, which installs the browser driver: install nodejs and npm")
    folder = BUILD / "dashboard-npm"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "package.json", folder)
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
    subprocess.run(["npm", "install", *quiet], cwd=folder, check=True, stdout=sys.stderr)
    return folder


def main():
    is_bench = "--bench" in sys.argv[1:]
    profile = "release" if is_bench else "debug"
    env = os.environ | {
        "VMPOOL_BINARY": os.environ.get("VMPOOL_BINARY", str(BUILD / profile / "vmpool")),
        "VMPOOL_CHROMIUM": browser(),
        "VMPOOL_DASHBOARD_NPM": str(packages()),
        "VMPOOL_DASHBOARD_SHOTS": str(BUILD / "dashboard"),
    }
    tests = ["--test", "--test-concurrency=1", *map(str, sorted(HERE.glob("*.test.mjs")))]
    command = [str(HERE / "bench.mjs")] if is_bench else tests
    sys.exit(subprocess.run(["node", *command], env=env, check=False).returncode)


main()
