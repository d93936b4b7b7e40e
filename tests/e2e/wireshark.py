# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the real Wireshark tools on what was built.

As root, Wireshark ignores WIRESHARK_EXTCAP_DIR, WIRESHARK_PLUGIN_DIR and the personal plugin
folder; so the outputs of the build are copied to where everyone can read them, and the tools run as
nobody. Not as root, they run as they are.
"""

import atexit
import datetime
import functools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

NOBODY = 65534
ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Staged:
    """Where the outputs of a build are, readable by everyone. None for what was not built."""

    folder: pathlib.Path
    extcap_dir: pathlib.Path | None
    plugin_dir: pathlib.Path | None
    tool: pathlib.Path | None
    emulator: pathlib.Path | None


def build_dir():
    """CLOUDFLAREDUMP_BUILD, or build in the source tree."""
    return pathlib.Path(os.environ.get("CLOUDFLAREDUMP_BUILD", ROOT / "build")).resolve()


def open_folder(prefix="cloudflaredump-"):
    """A new folder that every user may write to; removed when the tests end."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o777)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _copy(source, target):
    if not source.exists():
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    target.chmod(0o755)
    return target


@functools.cache
def stage(build=None):
    """Copies the outputs of `build` (default: build_dir()) once, and says where they are."""
    build = pathlib.Path(build or build_dir())
    folder = open_folder("cloudflaredump-staged-")
    face = _copy(build / "extcap/cloudflaredump", folder / "extcap/cloudflaredump")
    plugins = [_copy(p, folder / p.relative_to(build))
               for p in sorted((build / "plugin").glob("*/epan/cloudflare.so"))]
    tool = _copy(build / "bin/cloudflaredump", folder / "bin/cloudflaredump")
    emulator = _copy(build / "tests/cloudflare-emulator", folder / "tests/cloudflare-emulator")
    return Staged(folder, face and face.parent, folder / "plugin" if plugins else None, tool,
                  emulator)


def face_alone():
    """A copy of the staged extcap, with no tool beside it."""
    return _copy(stage().extcap_dir / "cloudflaredump", open_folder() / "extcap/cloudflaredump")


def environment(staged=None, home=None, plugin=True, **more):
    """An environment with nothing of the caller's configuration in it: a home of its own, the
    staged extcap and plugin, the staged tool first on PATH. `more` are further variables; None
    takes one away."""
    staged = staged or stage()
    home = pathlib.Path(home or open_folder("cloudflaredump-home-"))
    empty = staged.folder / "empty"
    empty.mkdir(exist_ok=True)
    path = [str(staged.folder / "bin"), "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    variables = {
        "HOME": str(home),
        "PATH": ":".join(path),
        "SHELL": "/bin/sh",  # script(1) runs it, and that of nobody is none
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        "WIRESHARK_EXTCAP_DIR": str(staged.extcap_dir or empty),
        "WIRESHARK_PLUGIN_DIR": str(staged.plugin_dir if plugin and staged.plugin_dir else empty),
    }
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_PRELOAD"):
        if name in os.environ:
            variables[name] = os.environ[name]
    variables.update(more)
    return {name: str(value) for name, value in variables.items() if value is not None}


def as_user(command):
    """`command` as it must be called to run as nobody; unchanged if this is not root."""
    command = [str(part) for part in command]
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command]


def start(command, env=None, **options):
    """subprocess.Popen as a normal user, with text pipes for stdout and stderr unless `options`
    say otherwise."""
    settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                "text": True, "env": env or environment(), "cwd": "/tmp", **options}
    return subprocess.Popen(as_user(command), **settings)


def run(command, env=None, timeout=120, **options):
    """Runs `command` as a normal user to its end: CompletedProcess with stdout and stderr."""
    settings = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                "text": True, "env": env or environment(), "cwd": "/tmp", **options}
    return subprocess.run(as_user(command), timeout=timeout, **settings)


def run_tshark(args, env=None, **options):
    """`tshark` with `args`, as a normal user, with the staged extcap and plugin."""
    return run(["tshark", *args], env, **options)


def tshark(args, env=None, **options):
    """The stdout of a tshark run that must succeed without a word on stderr."""
    done = run_tshark(args, env, **options)
    complaints = "\n".join(line for line in done.stderr.splitlines()
                           if "Running as user" not in line)
    assert done.returncode == 0 and not complaints, (args, done.returncode, done.stderr)
    return done.stdout


@functools.cache
def wireshark_version():
    """(major, minor, micro) of the installed tshark."""
    text = subprocess.run(["tshark", "--version"], capture_output=True, text=True,
                          check=True).stdout
    return tuple(int(n) for n in re.search(r"(\d+)\.(\d+)\.(\d+)", text).groups())


def readable(path):
    """Makes a file, and the folders above it that are the caller's, readable by nobody."""
    path = pathlib.Path(path)
    path.chmod(path.stat().st_mode | 0o444)
    for folder in path.parents:
        if folder.stat().st_uid == os.geteuid() and folder != pathlib.Path("/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    return path


def iso_time(text):
    """Wireshark 4.6's form of a time that earlier ones print as "Nov 23, 2026 06:20:00.5 UTC"; any
    other text as it is."""
    parts = re.fullmatch(r"([A-Z][a-z]{2} \d+, \d{4}) (\d\d:\d\d:\d\d\.\d+) UTC", text)
    if not parts:
        return text
    day = datetime.datetime.strptime(parts[1], "%b %d, %Y").date()
    return f"{day.isoformat()}T{parts[2]}Z"
