# SPDX-License-Identifier: GPL-2.0-or-later
"""Cloudflare's gateways answer in place of the API, with a web page, before or after the request was
carried out: no run ends by it, and no capture is left running or forgotten."""

import pytest
from capturing import INSTANT, Client, wait_until
from full_captures import Folder, FullClient, check_whole, emulator_of, ids_of, stops

STATUSES = [520, 522, 524, 530]


@pytest.fixture(params=["--answer", "--answer-after"])
def order(request):
    """A function that gives the emulator's words for one such answer to `asked`."""
    return lambda asked, status: (request.param, f"{asked}={status}x1", "--answer-body", "html")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("asked", ["GET /pcaps", "POST /pcaps", "GET /pcaps/*", "GET /download"])
def test_a_sample(emulator, order, asked, status):
    captured = Client(emulator(*INSTANT, *order(asked, status)), speed=30).capture("udp")
    assert captured.returncode == 0 and captured.records, captured.stderr


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("asked", ["GET /pcaps", "POST /pcaps", "GET /pcaps/*"])
def test_a_full_capture_and_its_download(emulator, recorded, order, asked, status):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), *order(asked, status))
    client = FullClient(api, bucket)
    captured = client.full()
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read())
    assert len(ids_of(api)) == 1 and stops(api) == []


@pytest.mark.parametrize("status", STATUSES)
def test_a_download(emulator, recorded, order, status):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), *order("GET /pcaps/*", status))
    pcap_id = api.create_full(destination_conf=bucket.destination, time_limit=1).result["id"]
    wait_until(lambda: len(bucket.read(pcap_id)) == 3, "its files")
    captured = FullClient(api, bucket).download(pcap_id)
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read(pcap_id))


@pytest.mark.parametrize("status", STATUSES)
def test_a_stop(emulator, recorded, order, status):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--job-result", "never",
                      *order("PUT /stop", status))
    pcap_id = api.create_full(destination_conf=bucket.destination, time_limit=600).result["id"]
    api.wait(pcap_id, "running")
    done = FullClient(api, bucket).tool("stop", pcap_id)
    assert done.returncode == 0, done.stderr
    api.wait(pcap_id, "success")
