# SPDX-License-Identifier: GPL-2.0-or-later
"""How the programs are built, and what they are able to call."""

import pathlib
import re
import subprocess

import pytest
import wireshark
from capturing import SANITIZED, Client, kill_group, wait_until
from emulator import TOKEN

# Never needed: a shell, names for temporary files, copies without a bound.
FORBIDDEN = {"system", "popen", "execvp", "execlp", "tmpnam", "tempnam", "mktemp", "gets", "strcpy",
             "strcat", "sprintf", "vsprintf", "wordexp", "dlopen"}
# A build without GNU ld's options.
CACHE = wireshark.build_dir() / "CMakeCache.txt"
PORTABLE = CACHE.exists() and "CLOUDFLAREDUMP_PORTABLE:BOOL=ON" in CACHE.read_text()


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def programs():
    staged = wireshark.stage()
    plugins = sorted(staged.plugin_dir.rglob("cloudflare.so")) if staged.plugin_dir else []
    return [staged.tool, staged.extcap_dir / "cloudflaredump", *plugins]


@pytest.fixture(params=range(3), ids=["tool", "face", "plugin"])
def program(request):
    there = programs()
    if request.param >= len(there):
        pytest.skip("not built")
    return there[request.param]


def instrumented(program):
    return re.search("__asan_|__gcov_", output("nm", program) + output("nm", "-D", program))


def test_addresses_are_random_and_tables_read_only(program):
    kind = output("readelf", "-h", program)
    assert re.search(r"Type:\s+DYN", kind), "not position independent"
    if PORTABLE:
        pytest.skip("the linker was asked for nothing more")
    segments = output("readelf", "-lW", program)
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.*\sRW\s", segments), "an executable stack"
    dynamic = output("readelf", "-dW", program)
    assert re.search(r"BIND_NOW|\bNOW\b", dynamic), "not bound at start"
    assert "RPATH" not in dynamic and "RUNPATH" not in dynamic
    assert "TEXTREL" not in dynamic


def test_the_stack_and_copies_are_guarded(program):
    if instrumented(program):
        pytest.skip("another build")
    symbols = output("nm", "-D", program)
    assert "__stack_chk_fail" in symbols
    if program.suffix != ".so":  # the plugin makes no call that could be fortified
        assert re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", "")), "not fortified"


@pytest.mark.skipif(SANITIZED or PORTABLE, reason="not hidden in such a build")
def test_memory_with_secrets_is_hidden(emulator):
    """No core dump, and no other program of the same user reads it."""
    api = emulator("--job-result", "never")
    client = Client(api)
    process = client.start(client.capture_command("-", None), stdout=subprocess.PIPE)
    try:
        wait_until(lambda: api.log(), "a request")
        limits = pathlib.Path(f"/proc/{process.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.M)
        assert pathlib.Path(f"/proc/{process.pid}/environ").stat().st_uid == 0
        read = client.run(["cat", f"/proc/{process.pid}/environ"])
        assert read.returncode != 0 and TOKEN not in read.stdout
    finally:
        kill_group(process)
        process.communicate()


def test_nothing_dangerous_is_called(program):
    if instrumented(program):
        pytest.skip("the sanitizer's own calls")
    called = {line.split()[-1].split("@")[0] for line in output("nm", "-D", "-u", program).splitlines()}
    assert not called & FORBIDDEN


def test_the_face_knows_no_network():
    face = wireshark.stage().extcap_dir / "cloudflaredump"
    libraries = re.findall(r"NEEDED.*\[(.*)\]", output("readelf", "-d", face))
    assert not [name for name in libraries if "curl" in name or "xml" in name or "ssl" in name]


def test_the_plugin_exports_what_wireshark_looks_for():
    """And without GNU ld's help what the standard library's templates are, but nothing of ours."""
    plugin = next(iter(programs()[2:]), None)
    if plugin is None or instrumented(plugin):
        pytest.skip("no such build")
    exported = [line.split()[-1] for line in
                output("nm", "-D", "-C", "--defined-only", plugin).splitlines()]
    wanted = {"plugin_version", "plugin_want_major", "plugin_want_minor", "plugin_register",
              "plugin_describe"}
    assert wanted <= set(exported)
    assert PORTABLE or set(exported) == wanted
    assert not [name for name in exported if "cloudflaredump::" in name]
