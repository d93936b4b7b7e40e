# SPDX-License-Identifier: GPL-2.0-or-later
"""Cloudflare's gateways answer in place of the API, with a web page, before or after the request was
carried out: no run ends by it, and no capture is left running or forgotten."""

import itertools

import pytest
from capturing import INSTANT, Client, wait_until
from faulty_gateway import FaultyGateway
from full_captures import Folder, FullClient, check_whole, emulator_of, ids_of, stops
from played_store import PlayedServer, bucket_of

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


def stored(bucket, pcap_id=""):
    """The files of a folder as the objects of a store."""
    return {"dir/" + key: body for key, body in bucket.read(pcap_id).items()}


class Run:
    """A run through gateways before the API and before the store, `answers` of whose requests, counted
    together from 1, are replaced by a gateway's."""

    def __init__(self, api, bucket, fault, after):
        self.count = 0

        def counted(_):
            self.count += 1
            return STATUSES[self.count % 4] if self.count == fault else 0
        self._store = PlayedServer(lambda *asked: bucket_of(stored(bucket))(*asked))
        self._gateways = [FaultyGateway(one, counted, after) for one in (api, self._store)]
        for one in self._gateways:
            one.__enter__()
        self.client = FullClient(self._gateways[0].url, bucket, plugin=False,
                                 AWS_ENDPOINT_URL_S3=self._gateways[1].url,
                                 AWS_ACCESS_KEY_ID="AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY="secret")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in (*self._gateways, self._store):
            one.__exit__()


READ_FROM = "s3://store/dir?region=us-east-1"


def full(run, _):
    return run.client.full(read_from=READ_FROM)


def download(run, pcap_id):
    return run.client.capture(None, f"--pcap-id={pcap_id}", f"--read-from={READ_FROM}",
                              interface="cloudflare-download")


@pytest.mark.parametrize("after", [False, True], ids=["not carried out", "carried out"])
@pytest.mark.parametrize("kind", [full, download])
def test_each_answer_of_a_run_in_turn(emulator, recorded, kind, after):
    """Whichever request of API or store it is, the run is complete, and nothing is left running."""
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(30))
    pcap_id = ""
    if kind is download:
        pcap_id = api.create_full(destination_conf=bucket.destination, time_limit=1).result["id"]
        wait_until(lambda: len(bucket.read(pcap_id)) == 3, "its files")
    # How often the status is asked for depends on the machine: every request has had its turn once a
    # run ends before the fault's.
    for fault in itertools.count(1):
        before = ids_of(api)
        with Run(api, bucket, fault, after) as run:
            captured = kind(run, pcap_id)
            assert captured.returncode == 0, f"request {fault}: {captured.stderr}"
            assert run.count != fault
        made = [one for one in ids_of(api) if one not in before]
        assert len(made) == (1 if kind is full else 0), f"request {fault}"
        check_whole(captured, stored(bucket, made[0] if made else pcap_id))
        if run.count < fault:
            break
    assert run.count > 4
    assert stops(api) == []
