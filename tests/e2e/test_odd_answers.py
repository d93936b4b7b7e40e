# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers of the API in forms that its schema does not show, or forbids: a run gives what its user
would want all the same, or one sentence that says what came. The emulator plays all of them."""

import gzip
import json

import pytest
from capturing import Client
from emulator import write_pcap
from full_captures import numbered

ID = "6d1f0aac13cd40e3900d29f5dd0e8a2b"
JOB = {"id": ID, "submitted": "2026-11-27T05:00:00.641845Z", "filter_v1": {}, "time_limit": 300,
       "status": "success", "packets_remaining": 0, "type": "simple", "system": "magic-transit"}
MISSING = object()


def envelope(result, **more):
    return {"result": result, "success": True, "errors": [], "messages": [], **more}


def job(**more):
    """The capture in an envelope, with members changed or MISSING."""
    return envelope({key: value for key, value in {**JOB, **more}.items() if value is not MISSING})


def refusal(*errors, **more):
    return {"result": None, "success": False, "errors": list(errors), "messages": [], **more}


class Play:
    """A run of a sample in which each request is answered from a file."""

    def __init__(self, emulator, folder):
        self._emulator = emulator
        self.folder = folder
        self._rules = []
        self._count = 0

    def answer(self, request, body, status=200, times=None):
        """Orders an answer: JSON of anything, or bytes as they are."""
        self._count += 1
        file = self.folder / f"{self._count}.json"
        file.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
        limit = "" if times is None else f"x{times}"
        self._rules.append((request, f"{request}={status}{limit}:{file}"))

    def start(self, *words):
        """The emulator that gives these answers."""
        # "*" crosses slashes: what is for a download or a bucket is looked at before what is for any
        # path.
        rules = sorted(self._rules, key=lambda rule: rule[0].endswith("*"))
        return self._emulator(*words, *(word for _, rule in rules for word in ("--answer", rule)))

    def run(self, *words, interface="cloudflare-sample"):
        pcap = write_pcap(self.folder / "in.pcap", numbered(7))
        self.answer("GET /download", open(pcap, "rb").read())
        self.answer("GET /pcaps", envelope([]))
        self.answer("POST /pcaps", job())
        self.answer("GET /pcaps/*", job())
        return Client(self.start(), speed=60).capture(None, *words, interface=interface)


@pytest.fixture
def play(emulator, tmp_path):
    return Play(emulator, tmp_path)


GOOD = {
    "as published": job(),
    "status in another case": job(status="Success"),
    "complete": job(status="COMPLETE"),
    "no time": job(submitted=MISSING),
    "an unreadable time": job(submitted="soon"),
    "a time as a number": job(submitted=1795414800),
    "numbers as text": job(time_limit="300", packets_remaining="0"),
    "no filter": job(filter_v1=MISSING),
    "filter null": job(filter_v1=None),
    "filter of another kind": job(filter_v1=[1, 2]),
    "ports as text": job(filter_v1={"destination_port": "53"}),
    "no type": job(type=MISSING),
    "type null": job(type=None),
    "negative numbers": job(packet_limit=-1, time_limit=-5),
    "huge numbers": job(packet_limit=2**63 - 1, time_limit=10**18),
    "a fraction": job(time_limit=299.5),
    "unknown members": job(colo_id=7, nested={"deep": [[[[]]]]}),
    "errors null": {**job(), "errors": None, "messages": None},
    "no errors at all": {"success": True, "result": job()["result"]},
    "success as text": {**job(), "success": "yes"},
    "result first and info": {**job(), "result_info": {"page": 1, "per_page": 50}},
}


@pytest.mark.parametrize("form", GOOD)
@pytest.mark.parametrize("request_line", ["POST /pcaps", "GET /pcaps/*"])
def test_a_good_answer_in_another_form(play, request_line, form):
    play.answer(request_line, GOOD[form])
    if request_line == "POST /pcaps":
        play.answer("GET /pcaps/*", job())
    done = play.run()
    assert done.returncode == 0, done.stderr
    assert len(done.records) == 7


@pytest.mark.parametrize("body", [
    b"\xef\xbb\xbf" + json.dumps(job()).encode(), b"\n \t" + json.dumps(job(), indent=8).encode() + b"\r\n",
    json.dumps(job()).replace('"success"', '"\\u0073uccess"').encode()],
    ids=["a byte order mark", "white space", "escapes"])
def test_json_in_another_form(play, body):
    play.answer("POST /pcaps", body)
    done = play.run()
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("pcap_id", [ID.upper(), "7b2f4a1e-89aa-4c1d-9b62-3f1f1a0a7c55", "a" * 64])
def test_an_id_in_another_form(play, pcap_id):
    play.answer("POST /pcaps", job(id=pcap_id))
    done = play.run("--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pcap_ids"] == [pcap_id]


@pytest.mark.parametrize("pcap_id", ["ab", "../../../user", "a b" * 8, "é" * 32, 7, None, "", "x" * 65])
def test_an_id_that_cannot_be_used(play, pcap_id):
    play.answer("POST /pcaps", job(id=pcap_id))
    done = play.run()
    assert done.returncode == 1
    assert "answered without a usable capture ID; it may have been started all the same" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("state", [job(status="assembling"), job(status=MISSING), job(status=None),
                                   job(status=5), job(status=""), job(status="unknown"),
                                   job(status="conversion_running"), job(status="\x1b[31mred" * 30)],
                         ids=lambda state: str(state["result"].get("status", "missing"))[:20])
def test_a_status_that_nobody_knows_goes_on(play, state):
    play.answer("GET /pcaps/*", state, times=2)
    play.answer("POST /pcaps", job(status="pending"))
    done = play.run("--progress")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stderr


BAD = {
    "a refusal in a 200": (200, refusal({"code": 1012, "message": "Not onboarded"}), "Not onboarded"),
    "success false, no errors": (200, refusal(), "success is false, without a reason"),
    "result null": (200, envelope(None), ""),
    "result a list": (200, envelope([JOB]), ""),
    "not entitled": (403, refusal({"code": 7403, "message": "not authorized"}), "7403"),
    "an error as text": (400, refusal("time_limit is odd"), "time_limit is odd"),
    "an error without code": (400, refusal({"message": "odd"}), "odd"),
    "an error with a code in text": (400, refusal({"code": "1004", "message": "odd"}), "odd"),
    "errors as one object": (400, {"success": False, "errors": {"code": 9, "message": "odd"}}, ""),
    "errors null": (400, {"success": False, "errors": None}, "HTTP 400"),
    "a chain": (400, refusal({"code": 6003, "message": "Invalid request headers", "error_chain": [
        {"code": 6111, "message": "Invalid format for Authorization header"}]}),
        "Invalid format for Authorization header"),
    "another server's JSON": (404, {"message": "no such route"}, "HTTP 404"),
    "a list": (400, [1, 2], "HTTP 400"),
    "a number": (400, 7, "HTTP 400"),
    "nothing": (400, b"", "HTTP 400"),
    "a web page": (403, b"<!DOCTYPE html><title>Attention</title>", "web page"),
    "half an answer": (200, json.dumps(job()).encode()[:-20], "JSON"),
    "bytes": (200, bytes(range(256)), "JSON"),
    "deep nesting": (200, b"[" * 100000, "JSON"),
    "control characters": (400, refusal({"code": 1, "message": "a\x1b]0;title\x07\nb"}), "a"),
}


@pytest.mark.parametrize("form", BAD)
def test_a_refusal_in_another_form(play, form):
    status, body, words = BAD[form]
    play.answer("POST /pcaps", body, status=status)
    done = play.run()
    assert done.returncode == 1, done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1 and "\x1b" not in done.stderr and len(done.stderr) < 1500


def test_too_many_requests_is_waited_out(play):
    play.answer("POST /pcaps", refusal({"code": 971, "message": "Please wait and consider throttling"}),
                status=429, times=1)
    assert play.run().returncode == 0


def test_a_warning_is_shown(play):
    play.answer("POST /pcaps", {**job(), "messages": [
        {"code": 10001, "message": "packet captures will need another permission"}]})
    done = play.run()
    assert done.returncode == 0
    assert "packet captures will need another permission" in done.stderr


@pytest.mark.parametrize("message, status, words", [
    ("No packets matched the filter in the time limit given. Please modify the filter or try again.", 3,
     "0 packets received"),
    ("bucket\x00 gone", 1, "bucket"), (None, 1, "failed"), (7, 1, "failed"), ("x" * 100000, 1, "xxx")])
def test_a_capture_that_failed(play, message, status, words):
    play.answer("GET /pcaps/*", job(status="failed", error_message=message))
    play.answer("POST /pcaps", job(status="pending"))
    done = play.run()
    assert done.returncode == status, done.stderr
    assert words in done.stderr and len(done.stderr) < 4000


LISTS = {
    "null": envelope(None),
    "odd entries": envelope([None, 7, "x", [], {}, {"id": 5}, {"id": "../x", "type": "full",
                                                              "status": "pending"}]),
    "five hundred": envelope([{**JOB, "id": f"{n:032x}"} for n in range(500)]),
    "without a status": envelope([{"id": ID}]),
}


def test_a_list_that_is_none(play):
    play.answer("GET /pcaps", envelope({}))
    done = play.run()
    assert done.returncode == 1 and "answered without a list" in done.sentence


@pytest.mark.parametrize("form", LISTS)
def test_a_list_in_another_form(play, form):
    play.answer("GET /pcaps", LISTS[form])
    done = play.run()
    assert done.returncode == 0, done.stderr
    assert len(done.records) == 7


DOWNLOADS = {
    "an error in JSON": (200, refusal({"code": 1002, "message": "expired"}), "expired"),
    "a web page": (200, b"<html>Sign in</html>", "this is HTML"),
    "nothing": (200, b"", "not a capture file"),
    "a header cut short": (200, b"\xd4\xc3\xb2\xa1", "not a capture file"),
    "gzip that nobody asked for": (200, gzip.compress(b"x" * 100), "this is gzip"),
    "no content": (204, b"", "204"),
    "gone": (410, refusal({"code": 1003, "message": "gone"}), "gone"),
}


@pytest.mark.parametrize("form", DOWNLOADS)
def test_a_download_that_is_none(play, form):
    status, body, words = DOWNLOADS[form]
    play.answer("GET /download", body, status=status)
    done = play.run()
    assert done.returncode == 1, done.stderr
    assert words in done.stderr and done.stderr.count("\n") == 1


def test_a_download_that_comes_later(play):
    play.answer("GET /download", refusal({"code": 1001, "message": "not ready"}), status=404, times=2)
    assert len(play.run().records) == 7
