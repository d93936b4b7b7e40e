# SPDX-License-Identifier: GPL-2.0-or-later
"""Another user of the machine prepares the files that we read and write. Root plays both users."""

import os
import pathlib
import shlex
import subprocess

import pytest
import wireshark
from capturing import Client, requests_of
from test_odd_answers import ID, Play

NEIGHBOR = 65533

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can play two users")


@pytest.fixture
def shared():
    """A folder where the neighbor was first. Without the sticky bit the kernel protects nobody."""
    return wireshark.open_folder("cloudflaredump-shared-")


def as_neighbor(script, *arguments):
    subprocess.run(["setpriv", f"--reuid={NEIGHBOR}", f"--regid={NEIGHBOR}", "--clear-groups",
                    "sh", "-c", script, "sh", *arguments], check=True, timeout=20)


def check_refused(client, sentence):
    """By the tool and by Wireshark's capture, before anything is asked of the API. The interfaces
    are listed all the same."""
    for done in (client.capture("udp"), client.extcap("udp")):
        assert done.returncode == 1 and done.sentence == sentence
    listed = client.run([client.face_path, "--extcap-interfaces"], timeout=10)
    assert listed.returncode == 0 and "{value=cloudflare-sample}" in listed.stdout
    return listed.stdout


@pytest.mark.parametrize("mode", ["600", "644", "666"])
@pytest.mark.parametrize("content", ["[default]\ncolos=AMS\n", "[default]\napi-token=planted\n"])
def test_a_configuration_file_of_a_neighbors(emulator, shared, content, mode):
    api = emulator("--sample-interval", 0, "--job-seconds", 0)
    config = shared / "config.ini"
    as_neighbor('printf %s "$2" >"$1" && chmod "$3" "$1"', config, content, mode)
    client = Client(api, CLOUDFLAREDUMP_CONFIG=config)
    reason = (f"cannot read the configuration file {config}: Permission denied." if mode == "600" else
              f"the configuration file {config} belongs to another user; use a file of your own.")
    assert "cloudflare-AMS" not in check_refused(client, reason)
    assert not requests_of(api)


@pytest.mark.parametrize("content", ["", "[default]\ncolos=AMS\n", "[default]\napi-token=planted\n"])
def test_a_configuration_file_that_a_neighbor_can_write(instant_api, content):
    client = Client(instant_api)
    client.config = client.folder / "it's; touch pwned"
    client.env["CLOUDFLAREDUMP_CONFIG"] = str(client.config)
    client.configure(content + "\n", mode=0o622)
    as_neighbor('echo "[default]" >>"$1"; echo "api-base-url=http://127.0.0.1:1" >>"$1"', client.config)
    command = f"chmod 600 {shlex.quote(str(client.config))}".replace("'\"'\"'", "'\\''")
    check_refused(client, f"others can write to the configuration file {client.config}; "
                          f"run: {command}.")
    subprocess.run(["sh", "-c", command], check=True, cwd=client.folder)
    assert client.config.stat().st_mode & 0o777 == 0o600
    assert not (client.folder / "pwned").exists()


def test_a_fifo_or_device_as_configuration_file(instant_api, shared):
    fifo = shared / "config.ini"
    as_neighbor('mkfifo "$1" && chmod 666 "$1"', fifo)
    for path in (fifo, "/dev/zero", "/dev/null"):
        check_refused(Client(instant_api, CLOUDFLAREDUMP_CONFIG=path),
                      f"the configuration file {path} is not a regular file.")


def test_roots_configuration_file_is_taken(instant_api, shared):
    config = shared / "config.ini"
    config.write_text("[default]\nsample-interval=0\ncolos=AMS\n")
    config.chmod(0o644)
    client = Client(instant_api, CLOUDFLAREDUMP_CONFIG=config)
    assert client.capture("udp").returncode == 0
    assert "cloudflare-AMS" in client.run([client.face_path, "--extcap-interfaces"]).stdout


LOGS = {
    "a file of the neighbor's": ('touch "$1" && chmod 666 "$1"', "belongs to another user"),
    "a link to a file of ours": ('ln -s "$2" "$1"', "is a symbolic link"),
    "a FIFO": ('mkfifo "$1" && chmod 666 "$1"', "is not a regular file"),
    "a FIFO with a reader": ('mkfifo "$1" && chmod 666 "$1"; (timeout 10 cat "$1" >/dev/null &)',
                             "is not a regular file"),
}


@pytest.mark.parametrize("kind", LOGS)
def test_a_log_that_a_neighbor_prepared(instant_api, shared, kind):
    script, reason = LOGS[kind]
    client = Client(instant_api, CLOUDFLAREDUMP_LOG=shared / "log", CLOUDFLAREDUMP_LOG_LEVEL="debug")
    victim = client.folder / "victim"
    victim.write_text("precious")
    as_neighbor(script, shared / "log", victim)
    done = client.capture("udp", timeout=20)
    assert done.returncode == 1 and reason in done.sentence
    assert str(shared / "log") in done.sentence
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664, 0o606])
def test_a_log_of_our_own(instant_api, mode):
    client = Client(instant_api, CLOUDFLAREDUMP_LOG_LEVEL="debug")
    log = pathlib.Path(client.folder / "log")
    log.touch()
    log.chmod(mode)
    os.chown(log, wireshark.NOBODY, wireshark.NOBODY)
    done = client.capture("udp", "--log-file", log)
    if mode & 0o022:
        assert done.returncode == 1
        assert done.sentence == f"others can write to the log file {log}; run: chmod 600 '{log}'."
    else:
        assert done.returncode == 0 and log.stat().st_mode & 0o777 == 0o600 and log.stat().st_size


PREPARED = {
    "a file of the neighbor's": 'echo theirs >"$1" && chmod 666 "$1"',
    "a link to a file of ours": 'ln -s "$2" "$1"',
    "a FIFO": 'mkfifo "$1" && chmod 666 "$1"',
    "a folder": 'mkdir "$1"',
}


@pytest.mark.parametrize("kind", PREPARED)
def test_an_original_that_a_neighbor_prepared(emulator, shared, tmp_path, kind):
    """Nothing is replaced or followed; the packets come all the same."""
    play = Play(emulator, tmp_path)
    name = shared / f"pcap_{ID}.pcap"
    victim = wireshark.open_folder() / "victim"
    victim.write_text("precious")
    as_neighbor(PREPARED[kind], name, victim)
    before = name.lstat()
    done = play.run("--keep-originals", shared)
    assert done.returncode == 0 and len(done.records) == 7
    assert f"pcap_{ID}.pcap" in done.stderr and "exists" in done.stderr
    assert victim.read_text() == "precious"
    assert (name.lstat().st_ino, name.lstat().st_size) == (before.st_ino, before.st_size)


@pytest.mark.parametrize("file", ["started.json", "started.json.lock", "started.json.turn"])
@pytest.mark.parametrize("kind", PREPARED)
def test_a_state_that_a_neighbor_prepared(instant_api, shared, kind, file):
    """No capture waits for it, or writes through it."""
    victim = wireshark.open_folder() / "victim"
    victim.write_text("precious")
    as_neighbor('mkdir -m 777 "$1"', shared / "cloudflaredump")
    as_neighbor(PREPARED[kind], shared / "cloudflaredump" / file, victim)
    client = Client(instant_api, XDG_STATE_HOME=shared)
    done = client.capture("udp", timeout=20)
    assert done.returncode == 0, done.stderr
    assert victim.read_text() == "precious"
