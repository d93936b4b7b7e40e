# SPDX-License-Identifier: GPL-2.0-or-later
"""The lists of the dialog that a button fills, as Wireshark asks for them."""

import re
import socket
import threading
import time

import pytest
from capturing import INSTANT, Client
from full_captures import Folder, FullClient, emulator_of, ids_of
from test_face import sentences

FULL, DOWNLOAD = "cloudflare-full", "cloudflare-download"


def reload(client, name, interface, *words):
    """[(value, display)] of the answer, which is there within 3 s. Also the argument's number."""
    start = time.monotonic()
    done = client.run([client.face_path, "--extcap-config", "--extcap-interface", interface,
                       "--extcap-reload-option", name, *words])
    assert time.monotonic() - start < 3
    assert (done.returncode, done.stderr) == (0, "")
    rows = sentences(done.stdout)
    assert {kind for kind, _ in rows} == {"value"}
    assert len({keys["arg"] for _, keys in rows}) == 1
    number = next(keys["number"] for kind, keys in sentences(client.run(
        [client.face_path, "--extcap-config", "--extcap-interface", interface]).stdout)
        if kind == "arg" and keys["call"] == f"--{name.lstrip('-')}")
    assert rows[0][1]["arg"] == number
    assert rows[0][1]["value"] == "typed" and rows[0][1]["default"] == "true"
    assert sum("default" in keys for _, keys in rows) == 1
    return [(keys["value"], keys["display"]) for _, keys in rows]


def trace_of(api):
    return api.url + "/cdn-cgi/trace"


@pytest.mark.parametrize("name", ["colo-pick", "--colo-pick"])
def test_data_centers_and_first_the_one_that_is_reached(emulator, name):
    api = emulator(*INSTANT, "--trace-colo", "LHR", "--analytics", "denied")
    rows = reload(Client(api, CLOUDFLAREDUMP_TRACE_URL=trace_of(api)), name, FULL)
    assert rows[0][1] == "as typed"
    assert rows[1] == ("LHR", "LHR (London, United Kingdom): reached from this machine, not "
                              "necessarily by your traffic")
    codes = [value for value, _ in rows[1:]]
    assert len(codes) > 300 and len(set(codes)) == len(codes) and "ORD" in codes


def test_data_centers_when_nobody_says_which_is_reached(instant_api):
    rows = reload(Client(instant_api, CLOUDFLAREDUMP_TRACE_URL="http://127.0.0.1:9/"), "colo-pick",
                  FULL)
    assert re.match("as typed; which data center this machine reaches is unknown: .+", rows[0][1])
    assert "ORD" in [value for value, _ in rows[1:]]


def test_buckets_are_listed_without_their_keys(emulator):
    key = "planted0123456789planted0123456789"
    conf = f"r2://pcaps?account-id={'a' * 32}&access-key-id={key}&secret-access-key={key}"
    api = emulator(*INSTANT, "--registered", conf, "--show-keys", "--registered",
                   "s3://other/x?region=us-east-1")
    rows = reload(Client(api), "destination-conf-pick", "cloudflare-ORD")
    assert rows[1:] == [(f"r2://pcaps?account-id={'a' * 32}",) * 2,
                        ("s3://other/x?region=us-east-1",) * 2]
    assert "planted" not in str(rows)


def test_captures_with_when_where_filter_and_status(emulator):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--sample-interval", 0)
    client = FullClient(api, bucket)
    assert client.full("dst host 203.0.113.7", packet_limit=5).returncode in (0, 3, 4)
    api.create()
    rows = reload(client, "pcap-id-pick", DOWNLOAD)
    full = next(display for value, display in rows if value == ids_of(api)[0])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ, full at ORD, filter destination_address "
                        r"203\.0\.113\.7, \w+, [0-9a-f]{32}", full)
    assert any(", sample of all data centers, no filter, " in display for _, display in rows)


def test_what_was_picked_is_downloaded(emulator):
    api = emulator(*INSTANT)
    client = Client(api)
    first = api.create().result["id"]
    api.create(time_limit=1)
    done = client.capture(None, "--pcap-id-pick", first, "--pcap-id", "f" * 32, "--json",
                          interface=DOWNLOAD)
    assert done.returncode == 0 and first in done.stdout
    done = client.tshark(None, "-o", f"extcap.cloudflare_download.pcapidpick:{first}",
                         interface=DOWNLOAD)
    assert done.returncode == 0 and len(done.records) > 0


def only_row(client, name="pcap-id-pick", interface=DOWNLOAD, *words):
    rows = reload(client, name, interface, *words)
    assert len(rows) == 1
    return rows[0][1]


def test_without_credentials_the_row_says_what_to_do(instant_api):
    said = only_row(Client(instant_api, CLOUDFLARE_API_TOKEN=None))
    assert "no Cloudflare API token" in said and "Account tab" in said


def test_the_dialog_s_own_credentials_are_used(emulator):
    api = emulator(*INSTANT, "--token", "other-token-0123456789")
    client = Client(api)
    assert "token" in only_row(client)
    assert "no captures yet" in only_row(client, "pcap-id-pick", DOWNLOAD, "--api-token",
                                         "other-token-0123456789", "--time-limit", "nonsense")


@pytest.mark.parametrize("body", ["{", '{"success":false,"errors":[{"code":1,"message":"no }{value='
                                  'x} \\n"}],"result":null}'])
def test_odd_answers_are_one_row(emulator, tmp_path, body):
    file = tmp_path / "body"
    file.write_text(body)
    api = emulator(*INSTANT, "--answer", f"GET /pcaps=403:{file}")
    assert only_row(Client(api)).startswith("as typed; ")


@pytest.fixture
def silent():
    """A server that takes connections and never answers: its URL."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held = []

        def accept():
            try:
                while True:
                    held.append(server.accept())
            except OSError:
                pass
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/client/v4"
        server.shutdown(socket.SHUT_RDWR)


def test_an_api_that_stalls(silent):
    assert "did not answer in time" in only_row(Client(silent))
    rows = reload(Client(silent, CLOUDFLAREDUMP_TRACE_URL=silent), "colo-pick", FULL)
    assert "did not answer in time" in rows[0][1]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_api_that_is_busy(emulator, status):
    api = emulator("--answer", f"GET /pcaps={status}", "--answer-header", "Retry-After: 60")
    assert only_row(Client(api)).startswith("as typed; ")


def test_what_cannot_be_reloaded_has_no_answer(client):
    for name, interface in (("colo-pick", DOWNLOAD), ("time-limit", FULL), ("novelty", FULL),
                            ("colo-pick", "eth0")):
        done = client.run([client.face_path, "--extcap-config", "--extcap-interface", interface,
                           "--extcap-reload-option", name])
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
