# SPDX-License-Identifier: GPL-2.0-or-later
"""`stop`: ends a full capture at Cloudflare, for its data is still to be had."""

import re

import pytest
from capturing import Client, requests_of, wait_until
from full_captures import (Folder, FullClient, check_whole, emulator_of, end_of, ids_of,
                           stops)


@pytest.fixture
def running(emulator, recorded):
    """A full capture that runs until it is stopped: the emulator, its bucket, the id."""
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--job-result", "never")
    pcap_id = api.create_full(destination_conf=bucket.destination, time_limit=600).result["id"]
    api.wait(pcap_id, "running")
    return api, bucket, pcap_id


def test_a_running_capture_is_stopped_and_its_packets_are_got(running):
    api, bucket, pcap_id = running
    client = FullClient(api, bucket)
    done = client.tool("stop", pcap_id)
    assert (done.returncode, done.stderr) == (0, "")
    assert pcap_id in done.stdout and "cloudflare-download" in done.stdout
    assert stops(api) == [pcap_id]
    captured = client.download(pcap_id)
    assert captured.returncode == 4 and "the capture was stopped early, at 20" in captured.stderr
    check_whole(captured, bucket.read(pcap_id))


@pytest.mark.parametrize("options", [{}, {"if_busy": "attach"}])
def test_a_capture_that_somebody_else_stops_is_incomplete(emulator, recorded, options):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--job-result", "never")
    client = FullClient(api, bucket, speed=5)
    if options:
        api.create_full(destination_conf=bucket.destination, time_limit=600)
    process, path = client.start_full(time_limit=600, **options)
    wait_until(lambda: ids_of(api) and len(requests_of(api, "GET", ids_of(api)[0])) > 1, "watched")
    assert FullClient(api, bucket).tool("stop", ids_of(api)[0]).returncode == 0
    captured = end_of(process, path)
    assert captured.returncode == 4, captured.stderr
    assert "Incomplete: " in captured.stderr
    assert "the capture was stopped early, at 20" in captured.stderr
    check_whole(captured, bucket.read(ids_of(api)[0]))


def test_one_that_is_over_is_left_alone(running):
    api, bucket, pcap_id = running
    client = FullClient(api, bucket)
    assert client.tool("stop", pcap_id).returncode == 0
    api.wait(pcap_id, "success")
    done = client.tool("stop", pcap_id)
    assert (done.returncode, done.stdout) == (0, f"capture {pcap_id} has already ended\n")
    assert stops(api) == [pcap_id]


def test_a_sample_cannot_be_stopped(emulator):
    api = emulator("--job-result", "never")
    pcap_id = api.create().result["id"]
    done = Client(api).tool("stop", pcap_id)
    assert done.returncode == 1 and done.stdout == ""
    assert done.sentence == (f"capture {pcap_id} is a sample of past traffic: "
                             "there is nothing to stop.")
    assert not stops(api)


def test_what_cloudflare_refuses_is_said(emulator, running):
    api, bucket, pcap_id = running
    refusing = emulator_of(emulator, bucket, "--job-result", "never", "--answer", "PUT /stop=403")
    other = refusing.create_full(destination_conf=bucket.destination, time_limit=600).result["id"]
    done = FullClient(refusing, bucket).tool("stop", other)
    assert done.returncode == 1 and "HTTP 403" in done.sentence and done.stdout == ""
    done = FullClient(api, bucket).tool("stop", "f" * 32)
    assert done.returncode == 1 and "HTTP 404" in done.sentence
    assert not stops(api)


@pytest.mark.parametrize("words", [[], ["a" * 32, "b" * 32], ["../accounts"], [""]])
def test_what_is_no_id_is_not_asked_for(instant_api, words):
    asked = len(instant_api.log())
    done = Client(instant_api).tool("stop", *words)
    assert done.returncode == 2 and done.stdout == ""
    assert re.search("id", done.sentence, re.I) and len(done.stderr.splitlines()) == 1
    assert len(instant_api.log()) == asked
