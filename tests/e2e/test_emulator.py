# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulator of the PCAPs API: what it accepts, how captures go, which packets a sample has."""

import json
import re
import subprocess
import time
from datetime import datetime, timezone

import pytest
from emulator import ACCOUNT, PROGRAM, TOKEN, Emulator, read_pcap

SECOND = 10**9
FAST = ("--job-seconds", 0, "--sample-interval", 0)


def rfc3339(nanoseconds):
    seconds, rest = divmod(nanoseconds, SECOND)
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


def ago(seconds):
    return rfc3339(time.time_ns() - int(seconds * SECOND))


@pytest.fixture(scope="module")
def api():
    with Emulator(*FAST) as emulator:
        yield emulator


# ---- starting and ending

def run(*options):
    return subprocess.run([str(PROGRAM), *options], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("options", [
    ["--listen", "0.0.0.0:0"], ["--listen", "192.0.2.1:80"], ["--listen", "[::]:0"],
    ["--listen", "127.0.0.1"], ["--listen", "127.0.0.1:65536"], ["--listen", "example.com:80"],
    ["--no-such-option"], ["stray"], ["--rebase"], ["--linktype", "147"], ["--magic", "ms"],
    ["--window-ends", "open"], ["--speed", "0"], ["--speed", "-1"], ["--speed", "nan"],
    ["--job-seconds", "-1"], ["--sample-interval", "x"], ["--packets", "/nonexistent"],
    ["--packets", "/dev/null"], ["--serve-as-is", "/nonexistent"], ["--answer", "GET"],
    ["--answer", "GET /pcaps=99"], ["--answer", "GET /pcaps=200:/nonexistent"],
    ["--answer-header", "no colon"], ["--answer-body", "xml"], ["--download-rate", "-1"],
    ["--log", "/nonexistent/log"], ["--list-order", "random"], ["--filter-ipv6", "maybe"],
])
def test_bad_options_are_one_sentence_and_status_2(options):
    ended = run(*options)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert re.fullmatch(r"cloudflare-emulator: .+\.\n", ended.stderr)


def test_help_names_every_option_and_ends_0():
    ended = run("--help")
    assert ended.returncode == 0 and ended.stderr == ""
    for option in ("listen account token packets rebase serve-as-is linktype magic big-endian "
                   "window-ends sample-interval job-seconds job-result answer speed log").split():
        assert f"--{option}" in ended.stdout


@pytest.mark.parametrize("signal_name", ["SIGTERM", "SIGINT"])
def test_signals_end_it_with_status_0(signal_name):
    import signal
    emulator = Emulator().start()
    emulator.process.send_signal(getattr(signal, signal_name))
    _, errors = emulator.process.communicate(timeout=30)
    assert emulator.process.returncode == 0 and errors == ""


def test_signal_ends_it_while_answers_wait():
    emulator = Emulator("--answer-delay", 60).start()
    import socket
    host, port = re.match(r"http://(.*):(\d+)/", emulator.url).groups()
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while not emulator.log():
            time.sleep(0.02)
        assert emulator.stop() == 0


def test_the_port_taken_is_one_sentence_and_status_1(api):
    port = api.url.split(":")[2].split("/")[0]
    ended = run("--listen", f"127.0.0.1:{port}")
    assert ended.returncode == 1 and "Cannot listen" in ended.stderr


def test_the_first_line_is_the_base_url():
    process = subprocess.Popen([str(PROGRAM), "--listen", "localhost:0"], stdout=subprocess.PIPE,
                               text=True)
    line = process.stdout.readline()
    process.terminate()
    process.communicate()
    assert re.fullmatch(r"listening on http://127\.0\.0\.1:\d+/client/v4\n", line)


# ---- credentials, accounts, routes

@pytest.mark.parametrize("headers, status, code", [
    ({}, 400, 9106),
    ({"X-Auth-Email": "user@example.com"}, 400, 9106),
    ({"X-Auth-Key": "emulator-key"}, 400, 9106),
    ({"Authorization": "Basic dXNlcjpwYXNz"}, 400, 6003),
    ({"Authorization": "Bearer "}, 400, 6003),
    ({"Authorization": "Bearer two words"}, 400, 6003),
    ({"Authorization": "Bearer wrong"}, 401, 10000),
    ({"X-Auth-Email": "user@example.com", "X-Auth-Key": "wrong"}, 403, 9109),
    ({"X-Auth-Email": "other@example.com", "X-Auth-Key": "emulator-key"}, 403, 9109),
])
def test_credentials_that_are_refused(api, headers, status, code):
    for method in ("GET", "POST"):
        reply = api.pcaps(method, token=None, headers=headers)
        assert (reply.status, reply.code) == (status, code)
        assert reply.json["success"] is False and reply.json["result"] is None


@pytest.mark.parametrize("headers", [
    {"Authorization": "Bearer " + TOKEN},
    {"X-Auth-Email": "user@example.com", "X-Auth-Key": "emulator-key"},
])
def test_credentials_that_are_good(api, headers):
    assert api.pcaps(token=None, headers=headers).status == 200


def test_a_token_that_may_only_read():
    with Emulator("--read-token", "reader", *FAST) as api:
        assert api.pcaps(token="reader").status == 200
        refused = api.pcaps("POST", body={}, token="reader")
        assert (refused.status, refused.code) == (403, 10000)


def test_accounts_and_routes(api):
    cases = {
        f"/accounts/{'0' * 32}/pcaps": (403, 7403),
        "/accounts/short/pcaps": (400, 7003),
        "/accounts//pcaps": (400, 7003),
        f"/accounts/{ACCOUNT}/pcapss": (400, 7003),
        f"/accounts/{ACCOUNT}": (400, 7003),
        "/": (400, 7003),
        f"/accounts/{ACCOUNT}/pcaps/": (400, 7003),
        f"/accounts/{ACCOUNT}/pcaps/not-an-id": (400, 7003),
        f"/accounts/{ACCOUNT}/pcaps/{'g' * 32}": (400, 7003),
        f"/accounts/{ACCOUNT}/pcaps/{'a' * 32}": (404, 20004),
        f"/accounts/{ACCOUNT}/pcaps/{'a' * 32}/download": (404, 20004),
        f"/accounts/{ACCOUNT}/pcaps/{'a' * 32}/other": (400, 7003),
    }
    for path, expected in cases.items():
        reply = api.request("GET", path)
        assert (reply.status, reply.code) == expected, path


def test_methods_that_a_path_does_not_have(api):
    assert api.pcaps("DELETE").status == 405
    assert api.pcaps("DELETE").headers["Allow"] == "GET, POST"
    assert api.pcaps("POST", "/" + "a" * 32, {}).status == 405


def test_trace_names_the_data_center_without_credentials():
    with Emulator("--trace-colo", "ORD") as api:
        root = api.url.removesuffix("/client/v4")
        for base in (root, api.url):
            api.url = base
            reply = api.request("GET", "/cdn-cgi/trace", token=None)
            assert reply.headers["Content-Type"] == "text/plain"
            values = dict(line.split("=", 1) for line in reply.body.decode().splitlines())
            assert values["colo"] == "ORD" and {"ip", "ts", "h"} <= set(values)


# ---- the schema of a sample request

GOOD = {"type": "simple", "system": "magic-transit", "time_limit": 300, "packet_limit": 10000}
FILTER = {"source_address": "192.0.2.1", "destination_address": "203.0.113.7",
          "source_port": 0, "destination_port": 65535, "protocol": 255}


@pytest.mark.parametrize("change", [
    {}, {"time_limit": 1}, {"time_limit": 1.5}, {"packet_limit": 1}, {"filter_v1": {}},
    {"filter_v1": FILTER}, {"filter_v1": {"source_address": "2001:db8::1"}},
    {"filter_v1": {"later": "addition"}}, {"unknown": None}, {"colo_name": "ORD"},
    {"filter_v1": {"protocol": 6.0}},
])
def test_sample_requests_that_the_schema_allows(api, change):
    reply = api.pcaps("POST", body={**GOOD, **change})
    assert reply.status == 200, reply.body
    result = reply.result
    assert re.fullmatch("[0-9a-f]{32}", result["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", result["submitted"])
    assert result["filter_v1"] == change.get("filter_v1", {})
    assert result["time_limit"] == change.get("time_limit", 300)
    assert (result["type"], result["system"]) == ("simple", "magic-transit")
    assert not {"offset_time", "colo_name", "unknown", "error_message"} & set(result)


@pytest.mark.parametrize("change, word", [
    ({"type": None}, "type"), ({"type": "sample"}, "type"), ({"type": 1}, "type"),
    ({"type": "Simple"}, "type"),
    ({"system": None}, "system"), ({"system": "magic-wan"}, "system"), ({"system": {}}, "system"),
    ({"time_limit": None}, "time_limit"), ({"time_limit": 0}, "time_limit"),
    ({"time_limit": 301}, "time_limit"), ({"time_limit": 300.5}, "time_limit"),
    ({"time_limit": "300"}, "time_limit"), ({"time_limit": True}, "time_limit"),
    ({"packet_limit": None}, "packet_limit"), ({"packet_limit": 0}, "packet_limit"),
    ({"packet_limit": 10001}, "packet_limit"), ({"packet_limit": "1"}, "packet_limit"),
    ({"packet_limit": -1}, "packet_limit"),
    ({"filter_v1": []}, "filter_v1"), ({"filter_v1": "udp"}, "filter_v1"),
    ({"filter_v1": {"source_address": 1}}, "source_address"),
    ({"filter_v1": {"source_address": ""}}, "source_address"),
    ({"filter_v1": {"source_address": "192.0.2.0/24"}}, "source_address"),
    ({"filter_v1": {"source_address": "192.0.2.1 "}}, "source_address"),
    ({"filter_v1": {"source_address": "192.0.2"}}, "source_address"),
    ({"filter_v1": {"destination_address": "example.com"}}, "destination_address"),
    ({"filter_v1": {"destination_address": "2001:db8::/32"}}, "destination_address"),
    ({"filter_v1": {"source_port": "53"}}, "source_port"),
    ({"filter_v1": {"source_port": 65536}}, "source_port"),
    ({"filter_v1": {"destination_port": -1}}, "destination_port"),
    ({"filter_v1": {"destination_port": 53.5}}, "destination_port"),
    ({"filter_v1": {"protocol": 256}}, "protocol"),
    ({"filter_v1": {"protocol": "udp"}}, "protocol"),
    ({"filter_v1": {"protocol": False}}, "protocol"),
    ({"offset_time": 1700000000}, "offset_time"), ({"offset_time": ""}, "offset_time"),
    ({"offset_time": "now"}, "offset_time"), ({"offset_time": "2026-01-01"}, "offset_time"),
    ({"offset_time": "2020-01-01T08:00:00Z"}, "24h"),
])
def test_sample_requests_that_it_does_not(api, change, word):
    body = {k: v for k, v in {**GOOD, **change}.items() if v is not None}
    reply = api.pcaps("POST", body=body)
    assert reply.status == 400 and reply.json["result"] is None
    assert word in reply.message


@pytest.mark.parametrize("value", [None, []])
def test_nothing_is_nullable(api, value):
    for name in GOOD:
        assert api.pcaps("POST", body={**GOOD, name: value}).status == 400
    assert api.pcaps("POST", body={**GOOD, "filter_v1": {"protocol": value}}).status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"{}x", b"\xff\xfe",
                                  b'{"type":"simple","type":"simple"}'])
def test_bodies_that_are_no_json_object(api, body):
    assert api.pcaps("POST", body=body).status == 400


def test_the_body_must_be_called_json(api):
    body = json.dumps(GOOD).encode()
    for kind, status in (("application/json; charset=utf-8", 200), ("text/plain", 415),
                         ("application/x-www-form-urlencoded", 415)):
        assert api.pcaps("POST", body=body, headers={"Content-Type": kind}).status == status


def test_offset_time_is_within_the_last_day(api):
    def status(seconds_ago):
        return api.create(offset_time=ago(seconds_ago)).status
    assert [status(s) for s in (0, 60, 86390, -2)] == [200] * 4
    assert [status(s) for s in (86410, 10**6, -30)] == [400] * 3


@pytest.mark.parametrize("zone", ["Z", "z", "+00:00", "-00:00"])
def test_offset_time_is_echoed_as_written(api, zone):
    text = ago(60)[:-1] + zone
    capture = api.create(offset_time=text).result
    assert capture["offset_time"] == text
    assert api.pcaps(rest="/" + capture["id"]).result["offset_time"] == text


@pytest.mark.parametrize("text", [
    "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
    "2026-01-01T00:00:61Z", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "20260101T000000Z",
    "2026-01-01T00:00:00+1", "2026-01-01T00:00:00.Z", "2026-W01-1T00:00:00Z",
])
def test_offset_time_is_rfc3339_and_no_other_iso8601(api, text):
    assert "RFC 3339" in api.create(offset_time=text).message


def test_ipv6_addresses_can_be_switched_off():
    with Emulator("--filter-ipv6", "off", *FAST) as api:
        assert api.create(filter_v1={"source_address": "192.0.2.1"}).status == 200
        assert api.create(filter_v1={"source_address": "2001:db8::1"}).status == 400


# ---- life of a sample

def test_a_sample_is_pending_then_success():
    with Emulator("--job-seconds", 0.3) as api:
        capture = api.create().result
        assert capture["status"] == "pending" and capture["packets_remaining"] == 0
        early = api.download(capture["id"])
        assert early.status == 400 and early.json["success"] is False
        api.wait(capture["id"], "success")
        reply = api.download(capture["id"])
        assert reply.headers["Content-Type"] == "application/vnd.tcpdump.pcap"
        assert read_pcap(reply.body)


def test_speed_divides_the_waits():
    with Emulator("--job-seconds", 100, "--sample-interval", 100, "--speed", 1000) as api:
        first = api.create().result["id"]
        refused = api.create()
        assert refused.status == 429 and refused.headers["Retry-After"] == "1"
        api.wait(first, "success")
        time.sleep(0.1)
        assert api.create().status == 200


@pytest.mark.parametrize("word", ["complete", "failed", "unknown", "conversion_running", "novel"])
def test_the_last_status_is_as_ordered(word):
    with Emulator("--job-result", word, *FAST) as api:
        capture = api.create().result
        assert api.pcaps(rest="/" + capture["id"]).result["status"] == word
        assert api.download(capture["id"]).status == (200 if word == "complete" else 400)


def test_a_sample_may_never_end():
    with Emulator("--job-result", "never", *FAST) as api:
        assert api.create().result["status"] == "pending"


def test_one_sample_a_minute():
    with Emulator() as api:
        assert api.pcaps("POST", body={}).status == 400  # Refused: does not count.
        assert api.create().status == 200
        refused = api.create()
        assert (refused.status, refused.code) == (429, 971)
        assert 58 <= int(refused.headers["Retry-After"]) <= 60
        assert len(api.pcaps().result) == 1


def test_the_list_is_of_the_last_50():
    for order in ("newest", "oldest"):
        with Emulator("--list-order", order, *FAST) as api:
            assert api.pcaps().result == []
            made = [api.create().result["id"] for _ in range(53)]
            listed = [capture["id"] for capture in api.pcaps().result]
            assert listed == (made[:2:-1] if order == "newest" else made[3:])
            assert len(set(made)) == 53
            assert api.pcaps(rest="/" + made[0]).status == 200


def test_stop_and_ownership_ids_are_no_captures(api):
    assert api.pcaps(rest="/stop").status == 400


# ---- ordered answers and the log

def test_ordered_answers(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<b>no</b>")
    with Emulator("--answer", "POST /pcaps=503x2", "--answer", f"GET /pcaps=200:{page}",
                  "--answer", "GET '/pcaps/*'=404".replace("'", ""),
                  "--answer-header", "Retry-After: 2", *FAST) as api:
        for _ in range(2):
            reply = api.create()
            assert (reply.status, reply.headers["Retry-After"]) == (503, "2")
            assert reply.json["success"] is False
        made = api.create()
        assert made.status == 200 and "Retry-After" not in made.headers
        listed = api.pcaps(token=None)
        assert listed.body == b"<b>no</b>" and "html" in listed.headers["Content-Type"]
        assert api.pcaps(rest="/" + made.result["id"]).status == 404


def test_an_object_store_can_be_played(tmp_path):
    document = tmp_path / "expired.xml"
    document.write_text("<Error><Code>ExpiredToken</Code></Error>")
    with Emulator("--answer", f"GET /bucket*=400:{document}") as api:
        api.url = api.url.removesuffix("/client/v4")
        reply = api.request("GET", "/bucket?list-type=2", token=None)
        assert (reply.status, reply.body) == (400, document.read_bytes())
        assert reply.headers["Content-Type"] == "application/xml"


def test_ordered_bodies():
    for body, content_type in (("html", "text/html; charset=UTF-8"), ("empty", None),
                               ("json", "application/json")):
        with Emulator("--answer", "* /pcaps=502", "--answer-body", body) as api:
            reply = api.pcaps()
            assert (reply.status, reply.headers["Content-Type"]) == (502, content_type)


def test_a_request_can_take_effect_and_its_answer_be_lost():
    with Emulator("--answer-after", "POST /pcaps=closex1", *FAST) as api:
        with pytest.raises(OSError):
            api.create()
        assert [c["type"] for c in api.pcaps().result] == ["simple"]
        assert [entry["status"] for entry in api.log()] == [0, 200]


def test_the_log_has_a_line_a_request_and_no_token(api):
    with Emulator("--token", "planted-secret", *FAST) as api:
        api.pcaps(token="planted-secret")
        api.pcaps("POST", body=GOOD, token="planted-secret")
        api.pcaps("POST", body=b"not json", token="planted-secret")
        api.pcaps(token="planted-secret-too")
        log = api.log()
        assert "planted" not in api.log_file.read_text()
    assert [(e["method"], e["status"]) for e in log] == [
        ("GET", 200), ("POST", 200), ("POST", 400), ("GET", 401)]
    assert [e["body"] for e in log] == [None, GOOD, "not json", None]
    assert {e["path"] for e in log} == {f"/client/v4/accounts/{ACCOUNT}/pcaps"}
    for entry in log:
        datetime.strptime(entry["time"], "%Y-%m-%dT%H:%M:%S.%fZ")


def test_answers_can_be_late():
    with Emulator("--answer-delay", 0.3) as api:
        start = time.monotonic()
        assert api.pcaps().status == 200
        assert time.monotonic() - start >= 0.3


def test_downloads_can_be_slow(tmp_path):
    file = tmp_path / "file.pcap"
    file.write_bytes(bytes(range(250)) * 40)
    with Emulator("--serve-as-is", file, "--download-rate", 20000, *FAST) as api:
        capture = api.create().result["id"]
        start = time.monotonic()
        assert api.download(capture).body == file.read_bytes()
        assert time.monotonic() - start >= 0.4


def test_a_download_can_be_any_bytes(tmp_path):
    for content in (b"", b"not pcap at all", bytes(range(256)) * 4000):
        file = tmp_path / "file.bin"
        file.write_bytes(content)
        with Emulator("--serve-as-is", file, *FAST) as api:
            reply = api.download(api.create().result["id"])
            assert reply.body == content
            assert reply.headers["Content-Type"] == "application/vnd.tcpdump.pcap"
