"""Has schemathesis ask a daemon everything that the description of its API allows, and much that it does not.

The job `schemathesis` of `cargo xtask ci` runs this. schemathesis is installed into a folder of its own below the build
folder, in the version of requirements.txt. The program `vmpool` must be there. The daemon keeps its VMs on the cloud in
memory, and the requests come from a seed, so that two runs ask the same.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[1] / "target")).resolve()
LISTENING = "listening on "

CONFIG = """
[daemon]
listen = "127.0.0.1:0"
state_dir = "state"

[providers.lab]
driver = "dummy"

[pools.small]
provider = "lab"
template = "small"
size = 3
"""

# An event stream does not end, so it is not asked for.
WITHOUT = ["event_stream"]

# Whatever fits its description may still be refused, such as the name of a pool that is not there.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
]


def schemathesis():
    """Returns the program."""
    folder = BUILD / "schemathesis"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]
    subprocess.run([python, *install, HERE / "requirements.txt"], check=True)
    return folder / "bin" / "schemathesis"


def key(folder):
    """Returns the key that the daemon left for its own user; a token would be revoked on the way."""
    (file,) = (pathlib.Path(folder) / "vmpool" / "keys").iterdir()
    return file.read_text().strip()


def main():
    program, vmpool = schemathesis(), os.environ.get("VMPOOL_BINARY", str(BUILD / "debug" / "vmpool"))
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "vmpool.toml").write_text(CONFIG)
        env = os.environ | {"HOME": folder, "XDG_RUNTIME_DIR": folder}
        log = open(pathlib.Path(folder) / "daemon.log", "w")
        serve = [vmpool, "serve", "--config", pathlib.Path(folder) / "vmpool.toml"]
        daemon = subprocess.Popen(serve, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            url = next(line for line in daemon.stdout if line.startswith(LISTENING)).removeprefix(LISTENING).strip()
            run = [program, "--no-color", "run", f"{url}/v1/openapi.json", "--seed", "17", "--max-examples", "30"]
            run += ["--header", f"Authorization: Bearer {key(folder)}", "--checks", ",".join(CHECKS)]
            run += ["--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all", "--request-timeout", "60"]
            for operation in WITHOUT:
                run += ["--exclude-operation-id", operation]
            code = subprocess.run([*run, *sys.argv[1:]], env=env, cwd=folder, check=False).returncode
            if daemon.poll() is not None:
                sys.exit(f"the daemon ended with {daemon.returncode}")
        finally:
            daemon.terminate()
            daemon.wait()
        sys.exit(code)


main()
