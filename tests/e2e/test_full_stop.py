# SPDX-License-Identifier: GPL-2.0-or-later
"""Stopping full captures: the job at Cloudflare ends, too, and what it captured is not lost."""

import json
import os
import signal
import time

import pytest
from capturing import finish, kill_group, requests_of, wait_until
from full_captures import (Folder, FullClient, check_whole, emulator_of, end_of, ids_of, posts,
                           stops)


@pytest.fixture
def bucket():
    return Folder()


def asked(api, method, ending, count=1):
    return lambda: len(requests_of(api, method, ending)) >= count


def status_of(api, word):
    return lambda: any(job["status"] == word for job in api.pcaps().result or [])


# State of the job when the stop comes: options of the emulator, and how to know that it is there.
# --speed 0.05 stretches "pending" to many seconds.
STATES = {
    "posting": (("--answer-delay", 0.3), lambda api: asked(api, "POST", "/pcaps")),
    "pending": (("--speed", 0.05, "--job-seconds", 0), lambda api: status_of(api, "pending")),
    "running": (("--job-result", "never"), lambda api: status_of(api, "running")),
}
# The program's clock: the stop has 3 s of it, and a delayed answer must come within them.
SPEEDS = {"posting": 3, "pending": 5, "running": 5}


def running(emulator, bucket, recorded, state):
    """An emulator, and a function that waits for the state."""
    options, ready = STATES[state]
    if state == "posting":
        options = (*options, "--job-result", "never")
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 4, *options)

    def wait():
        wait_until(ready(api), state)
        time.sleep(0.1)

    return api, wait


def check_stopped(api, bucket, captured, state):
    """The job was stopped once, and what it had captured is there."""
    (pcap_id,) = ids_of(api)
    assert stops(api) == [pcap_id] and len(posts(api)) == 1
    if state == "running":
        assert bucket.read(pcap_id)
    if bucket.read(pcap_id):
        check_whole(captured, bucket.read(pcap_id))


@pytest.mark.parametrize("state", STATES)
def test_the_tool_is_stopped(emulator, bucket, recorded, state):
    api, wait = running(emulator, bucket, recorded, state)
    client = FullClient(api, bucket, speed=SPEEDS[state])
    process, path = client.start_full(time_limit=600)
    wait()
    process.send_signal(signal.SIGINT)
    captured = end_of(process, path)
    assert captured.returncode == 4, captured.stderr
    check_stopped(api, bucket, captured, state)


@pytest.mark.parametrize("state, number", [*((state, "SIGTERM") for state in STATES),
                                           ("running", "SIGINT"), ("running", "SIGHUP")])
def test_the_extcap_is_stopped_and_its_reader_stays(emulator, bucket, recorded, state, number):
    api, wait = running(emulator, bucket, recorded, state)
    client = FullClient(api, bucket, speed=SPEEDS[state])
    face = client.start_face(time_limit=600)
    wait()
    face.process.send_signal(getattr(signal, number))
    captured = face.finish()
    assert captured.returncode == 0 and captured.stderr == "", captured.stderr
    check_stopped(api, bucket, captured, state)


@pytest.mark.parametrize("state", STATES)
def test_tshark_is_stopped(emulator, bucket, recorded, state):
    """A Ctrl-C: SIGINT for all, then SIGTERM from tshark, and nobody reads any more."""
    api, wait = running(emulator, bucket, recorded, state)
    client = FullClient(api, bucket, speed=SPEEDS[state])
    path = client.new_path()
    process = client.start(client.tshark_command(
        path, None, *client.preferences("cloudflare-ORD", time_limit=600),
        interface="cloudflare-ORD"))
    try:
        wait()
        os.killpg(process.pid, signal.SIGINT)
        _, err = finish(process, 40)
    finally:
        kill_group(process)
    wait_until(lambda: stops(api), "the stop")
    (pcap_id,) = ids_of(api)
    assert stops(api) == [pcap_id]
    if state == "running":
        later = client.download()
        check_whole(later, bucket.read(pcap_id))
        # Who downloads it later learns that it is not all that was asked for.
        assert later.returncode == 4 and "the capture was stopped early, at 20" in later.stderr
        assert len(later.records) == 300
    assert err.count("Error") <= 1


def test_a_killed_capture_is_the_latest_download(emulator, bucket, recorded):
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 4)
    client = FullClient(api, bucket)
    process, path = client.start_full(time_limit=40)
    wait_until(status_of(api, "running"), "it to run")
    wait_until(asked(api, "GET", ids_of(api)[0]), "its answer")
    process.kill()
    finish(process)
    assert stops(api) == [] and not path.exists()
    captured = client.download()
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read(ids_of(api)[0]))
    assert len(captured.records) == 300


@pytest.mark.parametrize("status", [503, 403])
def test_what_could_not_be_stopped_is_stopped_by_the_next(emulator, bucket, recorded, status):
    # A server that asks for a minute is not asked again within the seconds of a stop.
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--answer",
                      f"PUT /stop={status}x1", "--answer-header", "Retry-After: 60")
    client = FullClient(api, bucket, speed=5)
    process, path = client.start_full("--stop-wait=2", time_limit=3600)
    wait_until(status_of(api, "running"), "it to run")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    left = end_of(process, path)
    (pcap_id,) = ids_of(api)
    assert left.returncode == 4 and pcap_id in left.stderr, left.stderr
    assert stops(api) == [pcap_id] and status_of(api, "running")()
    state = json.loads((client.folder / ".local/state/cloudflaredump/started.json").read_text())
    assert [one["needs_stop"] for one in state] == [True]
    captured = client.full(time_limit=1, if_busy="wait")
    assert captured.returncode == 0, captured.stderr
    assert stops(api) == [pcap_id] * 2
    check_whole(captured, bucket.read(ids_of(api)[0]))


def test_a_second_signal_leaves_but_not_before_the_stop(emulator, bucket, recorded):
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--job-result", "never",
                      "--job-seconds", 2000)
    client = FullClient(api, bucket)
    process, path = client.start_full("--stop-wait=3600", time_limit=600)
    wait_until(status_of(api, "running"), "it to run")
    process.send_signal(signal.SIGINT)
    wait_until(lambda: stops(api), "the stop")
    time.sleep(1.2)
    assert process.poll() is None, "it waits for the files"
    process.send_signal(signal.SIGINT)
    left = end_of(process, path, 10)
    assert left.returncode == 4 and not path.exists()
    assert ids_of(api)[0] in left.stderr and "cloudflare-download" in left.stderr


# ---- one full capture at a time

def test_a_second_one_is_refused_and_the_first_is_named(emulator, bucket):
    api = emulator_of(emulator, bucket, "--job-result", "never")
    first = api.create_full(destination_conf=bucket.destination, time_limit=3600,
                            filter_v1={"destination_address": "203.0.113.7", "protocol": 17})
    pcap_id = first.result["id"]
    client = FullClient(api, bucket)
    for done in (client.full(interface="cloudflare-LHR"),
                 client.full_tshark(interface="cloudflare-LHR")):
        assert done.returncode == 1 and not done.path.exists()
        for word in (pcap_id, "at ORD", "since 20", " left", "destination_address 203.0.113.7",
                     "set the option if-busy to wait", "(attach)", f"cloudflaredump stop {pcap_id}"):
            assert word in done.sentence
    assert len(posts(api)) == 1 and stops(api) == []


def test_the_second_waits(emulator, bucket, recorded):
    api = emulator_of(emulator, bucket, "--packets", recorded())
    first = api.create_full(destination_conf=bucket.destination, time_limit=20).result["id"]
    captured = FullClient(api, bucket).full(if_busy="wait")
    assert captured.returncode == 0, captured.stderr
    second = next(one for one in ids_of(api) if one != first)
    check_whole(captured, bucket.read(second))
    assert len(captured.records) == 300 and stops(api) == [] and len(posts(api)) == 2


def test_waiting_can_be_stopped(emulator, bucket):
    api = emulator_of(emulator, bucket, "--job-result", "never")
    first = api.create_full(destination_conf=bucket.destination, time_limit=3600).result["id"]
    process, path = FullClient(api, bucket).start_full(if_busy="wait")
    wait_until(asked(api, "GET", first, 2), "it to wait")
    process.send_signal(signal.SIGINT)
    done = end_of(process, path, 20)
    assert done.returncode == 4 and not path.exists()
    assert stops(api) == [] and len(posts(api)) == 1


def test_the_second_attaches(emulator, bucket, recorded):
    api = emulator_of(emulator, bucket, "--packets", recorded())
    first = api.create_full(destination_conf=bucket.destination, time_limit=20).result["id"]
    captured = FullClient(api, bucket).full(if_busy="attach")
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read(first))
    assert ids_of(api) == [first] and stops(api) == []


def test_what_was_attached_to_is_others(emulator, bucket, recorded):
    """Its bucket, limits and filter are its own; the filter here is tested on what it brings."""
    other = Folder()
    api = emulator_of(emulator, bucket, "--registered", other.destination, "--packets", recorded())
    first = api.create_full(destination_conf=other.destination, time_limit=20).result["id"]
    captured = FullClient(api, bucket).full("udp and dst host 192.0.2.99", if_busy="attach",
                                            packet_limit=3, read_from=other.path)
    assert captured.returncode == 3, captured.stderr
    assert captured.records == [] and "0 match the filter" in captured.stderr
    description = str(captured.section)
    assert first in description and '"packet_limit":3,' not in description
    assert "destination_address" not in description


def test_what_was_attached_to_lacks_what_it_did_not_ask_for(emulator, bucket, recorded):
    api = emulator_of(emulator, bucket, "--packets", recorded())
    api.create_full(destination_conf=bucket.destination, time_limit=20,
                    filter_v1={"destination_address": "203.0.113.7"})
    client = FullClient(api, bucket)
    wider = client.start_full("-f", "udp", if_busy="attach", if_broad="warn")
    elsewhere = client.start_full("-f", "udp and dst host 203.0.113.7", if_busy="attach",
                                  interface="cloudflare-FRA")
    captured = end_of(*wider)
    assert captured.returncode == 4
    assert "has the filter " in captured.stderr and "other packets are not in it" in captured.stderr
    captured = end_of(*elsewhere)
    assert captured.returncode == 4
    assert "was attached to is at ORD, not at FRA" in captured.stderr
    assert "not in it" not in captured.stderr


def test_waiting_for_another_ends(emulator, bucket):
    api = emulator_of(emulator, bucket, "--job-result", "never")
    api.create_full(destination_conf=bucket.destination, time_limit=2)
    done = FullClient(api, bucket).full(if_busy="wait", max_wait=20)
    assert done.returncode == 1 and "Cloudflare runs one full capture at a time" in done.sentence


def test_a_capture_whose_answer_and_list_were_lost_is_stopped_by_the_next(emulator, tmp_path,
                                                                          bucket, recorded):
    empty = tmp_path / "list.json"
    empty.write_text('{"success":true,"errors":[],"messages":[],"result":[]}')
    api = emulator_of(emulator, bucket, "--packets", recorded(),
                      "--answer-after", "POST /pcaps=closex1",
                      "--answer", f"GET /pcaps=200x1:{empty}", "--answer", "GET /pcaps=503x12")
    client = FullClient(api, bucket, speed=1)
    lost = client.full(time_limit=600)
    assert lost.returncode == 1 and "may have been started" in lost.sentence
    wait_until(lambda: api.pcaps().status == 200, "the list to work again")
    (first,) = ids_of(api)
    again = FullClient(api, bucket, HOME=str(client.folder)).full(if_busy="wait")
    assert again.returncode == 0, again.stderr
    assert stops(api) == [first]


@pytest.mark.parametrize("by", ["tool", "extcap"])
def test_attaching_never_stops(emulator, bucket, by):
    api = emulator_of(emulator, bucket, "--job-result", "never")
    first = api.create_full(destination_conf=bucket.destination, time_limit=3600).result["id"]
    client = FullClient(api, bucket)
    if by == "tool":
        process, path = client.start_full(if_busy="attach")
    else:
        face = client.start_face(if_busy="attach")
        process = face.process
    wait_until(asked(api, "GET", first, 2), "it to attach")
    process.send_signal(signal.SIGINT)
    done = end_of(process, path, 20) if by == "tool" else face.finish(20)
    assert done.returncode == (4 if by == "tool" else 1)
    assert stops(api) == [] and len(posts(api)) == 1
    assert status_of(api, "running")()
    assert f"capture {first} goes on at Cloudflare" in done.stderr


def test_two_at_once_do_not_both_ask(emulator, bucket, recorded):
    """Two interfaces selected together: one captures, the other says why it cannot."""
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--answer-delay", 0.1)
    client = FullClient(api, bucket)
    both = [client.start_full(interface=name, time_limit=20)
            for name in ("cloudflare-ORD", "cloudflare-LHR")]
    done = sorted((end_of(*one) for one in both), key=lambda one: one.returncode)
    assert [one.returncode for one in done] == [0, 1], [one.stderr for one in done]
    (pcap_id,) = ids_of(api)
    check_whole(done[0], bucket.read(pcap_id))
    assert pcap_id in done[1].sentence and len(posts(api)) == 1
