# SPDX-License-Identifier: GPL-2.0-or-later
"""No room on the disk, no right to write, and names that lead elsewhere: for the capture, the log,
the state, the originals and what is spooled."""

import contextlib
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import time

import pytest
import wireshark
from capturing import INSTANT, Client, finish, requests_of, wait_until, wait_until_caught
from emulator import Packet, write_pcap
from full_captures import FULL, Folder, FullClient, S3Bucket, emulator_of, ids_of, numbered
from packets import UDP, ip4, ports
from s3_server import S3Server, installed
from test_errors import check_sentence

FULL_DISK = "/dev/full"


@pytest.fixture
def large(emulator, tmp_path):
    """An emulator that serves 3 MB."""
    packets = [Packet(1795414800 * 10**9 + n * 1000, ip4(UDP, ports(n, 53, bytes(300))))
               for n in range(9999)]
    return emulator(*INSTANT, "--serve-as-is", write_pcap(tmp_path / "large.pcap", packets))


@pytest.mark.parametrize("command", [["list"], ["list", "--json"], ["explain", "udp"], ["--version"],
                                     ["compare", "--router-filter", "-f", "dst host 203.0.113.7"]])
def test_what_cannot_be_printed_is_a_failure(instant_api, command):
    client = Client(instant_api)
    run = client.run(["sh", "-c", f'exec "$@" > {FULL_DISK}', "sh", client.tool_path, *command])
    assert (run.returncode, run.stderr) == (
        1, "cloudflaredump: cannot write to standard output: No space left on device.\n")


def test_nothing_is_captured_for_a_closed_standard_output(large):
    client = Client(large)
    command = client.capture_command("-")
    run = client.run(["sh", "-c", 'exec "$@" >&-', "sh", *command])
    assert (run.returncode, run.stderr) == (
        2, "cloudflaredump: standard output is closed; give a file with -w.\n")
    closed = client.run(["sh", "-c", 'exec "$@" >&-', "sh", client.tool_path, "list", "--json"])
    assert closed.returncode == 1 and closed.stdout == ""
    assert "cannot write to standard output" in closed.stderr
    assert json.loads(client.tool("list", "--json").stdout) == []


def limited(kilobytes, *command):
    """A command whose files may grow so far."""
    return ["prlimit", f"--fsize={kilobytes * 1024}", *command]


def check_whole_blocks(path):
    """What was written is whole pcapng blocks, but for the last one."""
    done = subprocess.run(["tshark", "-r", path, "-T", "fields", "-e", "frame.number"],
                          capture_output=True, text=True)
    numbers = [int(line) for line in done.stdout.split()]
    assert numbers == list(range(1, len(numbers) + 1)) and numbers
    return len(numbers)


def test_a_capture_file_without_room(client):
    done = client.run(client.capture_command(FULL_DISK))
    assert done.returncode in (1, 4) and "Complete" not in done.stderr
    check_sentence(done.stderr.split("\n")[0].removeprefix("cloudflaredump: "), "No space left",
                   "another file with -w")


def test_a_report_on_what_could_not_be_written(emulator, tmp_path):
    """A full capture's packets are written at its end. A device has none for a digest, or no end."""
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", write_pcap(tmp_path / "in.pcap", numbered(20)))
    client = FullClient(api, bucket)
    for device, status, verdict in [(FULL_DISK, 4, "Incomplete: "), ("/dev/zero", 0, "Complete: ")]:
        report = client.new_path("report.md")
        done = client.run(client.capture_command(device, None, *client.words(FULL),
                                                 f"--report={report}", interface=FULL))
        assert done.returncode == status and ("No space left" in done.stderr) == (status == 4)
        assert done.stderr.split("\n")[-2].startswith(verdict) and "20 packets" in done.stderr
        assert ("--pcap-id " + ids_of(api)[0] in done.stderr) == (status == 4)
        assert f"**{verdict}" in report.read_text()
        assert "SHA-256 not known: not a regular file" in report.read_text()


def test_a_signal_ends_the_reading_for_a_report(emulator):
    """A file that grew to a quarter of a terabyte while the capture ran."""
    client = Client(emulator("--speed", 60, "--job-seconds", 4), speed=60, instant=False)
    path, report = client.new_path(), client.new_path("report.md")
    process = client.start(client.capture_command(path, None, "--max-requests=3", f"--report={report}",
                                                  interface="cloudflare-live"))
    wait_until(lambda: path.exists() and path.stat().st_size > 0, "the first window")
    os.truncate(path, 1 << 38)
    assert "Complete: " in next(line for line in process.stderr if "omplete" in line)
    time.sleep(0.2)
    assert process.poll() is None and not report.exists()
    process.send_signal(signal.SIGTERM)
    finish(process)
    assert process.returncode == 0 and "SHA-256 not known: stopped" in report.read_text()


def test_a_capture_file_that_reaches_its_limit(large):
    """The packets that were written before are there, and the loss is said."""
    client = Client(large)
    path = client.new_path()
    done = client.run(limited(1000, *client.capture_command(path)), path=path)
    assert done.returncode in (1, 4), done
    check_sentence(done.stderr.split("\n")[0].removeprefix("cloudflaredump: "), "File too large")
    assert 500 < check_whole_blocks(path) < 9999


def test_standard_output_without_room(client):
    with open(FULL_DISK, "wb") as full:
        done = client.run(client.capture_command("-"), stdout=full)
    assert done.returncode in (1, 4) and "No space left" in done.stderr


@pytest.fixture
def small_disk():
    """A folder with room for 8 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount one")
    folder = wireshark.open_folder("cloudflaredump-small-")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k,mode=777", "tmpfs", folder],
                      capture_output=True).returncode != 0:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Leaves no room, but room for names."""
    with open(folder / "filler", "wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass


def test_a_log_without_room(instant_api, small_disk):
    """It does not end the capture."""
    fill(small_disk)
    client = Client(instant_api, CLOUDFLAREDUMP_LOG=small_disk / "log",
                    CLOUDFLAREDUMP_LOG_LEVEL="noisy")
    done = client.capture("udp")
    assert done.returncode == 0 and done.records


def test_a_state_folder_without_room(instant_api, small_disk):
    fill(small_disk)
    client = Client(instant_api, XDG_STATE_HOME=small_disk,
                    CLOUDFLAREDUMP_LOG=wireshark.open_folder() / "log")
    done = client.capture("udp")
    assert done.returncode == 0 and done.records
    assert "recovery is off" in pathlib.Path(client.env["CLOUDFLAREDUMP_LOG"]).read_text()
    left = [path for path in (small_disk / "cloudflaredump").glob("started.json*")
            if path.suffix != ".lock" and path.suffix != ".turn"]
    assert not left, "half a state file"


def test_a_state_folder_that_fills_up_keeps_the_last_state(instant_api, small_disk):
    client = Client(instant_api, XDG_STATE_HOME=small_disk)
    assert client.capture("udp").returncode == 0
    state = small_disk / "cloudflaredump/started.json"
    before = state.read_text()
    fill(small_disk)
    assert client.capture("udp").returncode == 0
    assert json.loads(before) and state.read_text() == before


def test_originals_without_room(large, small_disk):
    """The capture is complete all the same, and a warning says what is not kept."""
    client = Client(large)
    done = client.capture(None, "--keep-originals", small_disk)
    assert done.returncode == 0 and len(done.records) == 9999
    assert "original file" in done.stderr and "No space left" in done.stderr
    assert not [path for path in small_disk.iterdir()], "half an original"


@pytest.mark.skipif(not installed(), reason="no S3 server")
def test_a_full_capture_s_originals_without_room(emulator, small_disk, tmp_path):
    with S3Server() as s3:
        bucket = S3Bucket(s3, "pcaps")
        api = emulator_of(emulator, bucket, "--parts", 2, "--packets",
                          write_pcap(tmp_path / "in.pcap", numbered(400, size=100)))
        done = FullClient(api, bucket).full(keep_originals=small_disk)
        assert done.returncode == 0 and len(done.records) == 400
        assert "the original file was not kept" in done.stderr


# ---- modes, and names that lead elsewhere


def modes_below(folder):
    """{name: mode} of all files."""
    return {path.name: stat.S_IMODE(path.stat().st_mode)
            for path in pathlib.Path(folder).rglob("*") if path.is_file()}


def test_all_files_are_private_whatever_the_umask(instant_api):
    client = Client(instant_api)
    originals = client.folder / "originals"
    client.env.update(CLOUDFLAREDUMP_LOG=str(client.folder / "log"))
    path = client.new_path()
    done = client.run(["sh", "-c", 'umask 0; exec "$@"', "sh", *client.capture_command(
        path, "udp", "--keep-originals", originals)], path=path)
    assert done.returncode == 0
    modes = modes_below(client.folder)
    del modes["config.ini"]  # the test's own
    assert len(modes) >= 5 and set(modes.values()) == {0o600}, modes
    assert stat.S_IMODE(originals.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["log", "state/cloudflaredump/started.json",
                                  "state/cloudflaredump/started.json.lock"])
def test_a_link_is_not_written_through(instant_api, name):
    """Somebody else's link at the place of the log, the state or its lock."""
    client = Client(instant_api, CLOUDFLAREDUMP_LOG=None)
    client.env.update(XDG_STATE_HOME=str(client.folder / "state"),
                      CLOUDFLAREDUMP_LOG=str(client.folder / "log"))
    victim = client.folder / "victim"
    victim.write_text("precious")
    victim.chmod(0o666)
    link = client.folder / name
    link.parent.mkdir(parents=True, exist_ok=True)
    for folder in {link.parent, link.parent.parent} - {client.folder, client.folder.parent}:
        folder.chmod(0o777)
    link.symlink_to(victim)
    done = client.capture("udp")
    assert victim.read_text() == "precious"
    assert done.returncode == (1 if name == "log" else 0), done.stderr


def test_a_folder_is_no_file_to_write(emulator):
    api = emulator(*INSTANT)
    client = Client(api)
    done = client.run(client.capture_command(client.folder, "udp"))
    assert done.returncode == 1 and "Is a directory" in done.sentence
    assert requests_of(api, "POST", "/pcaps") == []


def test_originals_and_log_in_the_home_folder(emulator):
    """Wireshark's dialog has no shell that knows ~."""
    client = Client(emulator(*INSTANT))
    done = client.capture("udp", "--keep-originals=~/kept", "--log-file=~/own.log",
                          "--log-level=debug")
    assert done.returncode == 0, done.stderr
    (client.folder / "kept").mkdir(exist_ok=True)
    assert (client.folder / "own.log").exists() and not (client.folder / "~").exists()


def test_a_pipe_to_write_to_can_be_given_up(large):
    """Nobody reads, or nobody reads on: a signal ends it all the same."""
    client = Client(large)
    pipe = client.new_path("pipe")
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    process = client.start(client.capture_command(pipe, "udp"))
    wait_until_caught(process, signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = finish(process, 10)
    assert process.returncode == 4 and "stopped before a reader opened" in err, out + err
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    process = client.start(client.capture_command(pipe, None))
    wait_until_caught(process, signal.SIGINT)
    for _ in range(2):  # those within a second are one
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
    finish(process, 10)
    os.close(reader)
    assert process.returncode == 4


def test_standard_output_is_given_back_as_it_was(emulator):
    client = Client(emulator(*INSTANT))
    reader, writer = os.pipe()
    process = client.start(client.capture_command("-", "udp dst port 53"), stdout=writer)
    os.set_blocking(reader, False)
    while process.poll() is None:
        with contextlib.suppress(BlockingIOError):
            os.read(reader, 1 << 16)
        time.sleep(0.01)
    assert process.returncode == 0 and os.get_blocking(writer)
    os.close(reader)
    os.close(writer)


def test_a_link_at_an_original_is_not_written_through(emulator):
    """The names of originals can be known before."""
    api = emulator(*INSTANT)
    client = Client(api)
    originals = wireshark.open_folder()
    victim = client.folder / "victim"
    victim.write_text("precious")
    victim.chmod(0o666)
    first = client.capture("udp", "--keep-originals", originals)
    pcap_id = requests_of(api, "GET", "/download")[0]["path"].split("/")[-2]
    kept = originals / f"pcap_{pcap_id}.pcap"
    assert first.returncode == 0 and kept.exists()
    kept.unlink()
    kept.symlink_to(victim)
    again = client.capture(None, "--pcap-id", pcap_id, "--keep-originals", originals,
                           interface="cloudflare-download")
    assert again.returncode == 0 and victim.read_text() == "precious"
    assert kept.is_symlink() and "was not kept" in again.stderr


@pytest.mark.skipif(not installed(), reason="no S3 server")
def test_an_object_s_name_leads_nowhere(emulator, tmp_path):
    """Keys come from the bucket; originals stay in their folder, and terminals stay as they are."""
    folder = wireshark.open_folder()
    with S3Server() as s3:
        bucket = S3Bucket(s3, "pcaps", directory="dir")
        api = emulator_of(emulator, bucket, "--parts", 1, "--packets",
                          write_pcap(tmp_path / "in.pcap", numbered(20)))
        client = FullClient(api, bucket)
        assert client.full().returncode == 0
        pcap_id = ids_of(api)[0]
        for n, name in enumerate(("a;$(touch x)|\x1b[31m{x}.pcap", "\n.pcap", "\\..\\up.pcap",
                                  "/../../../../tmp/up.pcap")):
            other = write_pcap(tmp_path / "other.pcap", numbered(20, size=60 + n))
            s3.put("pcaps", f"dir/pcap_{pcap_id}{name}", pathlib.Path(other).read_bytes())
        done = client.download(pcap_id, f"--keep-originals={folder / 'kept'}")
    assert done.returncode in (0, 4), done
    assert len(done.records) >= 60, "the parts that can be asked for"
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", done.stderr)
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert len(kept) >= 3
    assert {path.parent for path in kept} == {folder / "kept"}
    assert all(re.fullmatch(r"[A-Za-z0-9._+=@-]+", path.name) for path in kept)
    assert not pathlib.Path("/tmp/up.pcap").exists()
