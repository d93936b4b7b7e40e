# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that repeat secrets: each of ours, in every form, in every text of every answer. Nothing that
leaves the program has one of them."""

import json
import os
import re
import urllib.parse

import pytest
from capturing import Client
from emulator import write_pcap
from full_captures import numbered
from played_store import PlayedServer
from test_odd_answers import ID, JOB, Play, envelope, refusal

TOKEN = "planted-api-token/0123+456789abcdefghij"
AWS = "planted-aws/secret+key0123456789abcdefgh"
R2 = "planted-r2/secret+0123456789abcdef"


def forms(secret):
    """As a server may write it: plain, percent-encoded in capitals or not."""
    quoted = urllib.parse.quote(secret, safe="")
    return [secret, quoted, re.sub("%..", lambda digits: digits[0].lower(), quoted)]


# What nobody registered, but what its name says is a secret.
NAMED = "https://host/?secret-access-key=planted-by-name-1&X-Amz-Signature=planted-by-name-2"
TEXT = " ".join(f"[{form}]" for secret in (TOKEN, AWS, R2) for form in forms(secret)) + " " + NAMED
# A long text is cut somewhere: at every place of a secret in one of them.
LONG = [("x" * length) + TEXT for length in range(0, 400, 19)]


def planted(value, text):
    """JSON with `text` in each text, and in a member of its own."""
    if isinstance(value, dict):
        return {**{key: planted(one, text) for key, one in value.items()}, "more": text}
    if isinstance(value, list):
        return [planted(one, text) for one in value]
    return text if isinstance(value, str) else value


FULL_JOB = {**JOB, "type": "full", "colo_name": "ORD", "destination_conf": "s3://bucket/d?region=us-east-1",
            "error_message": "", "stop_requested": "2026-11-27T05:00:00Z", "packets_captured": 7,
            "filter_v1": {"source_address": "192.0.2.1", "protocol": 17}}


# Of Cloudflare's analytics: what an account may ask, and one row of an answer.
BOUNDS = {name: {"availableFields": ["sum_packets", "avg_sampleInterval"], "enabled": True,
                 "maxDuration": 86400, "maxPageSize": 1000, "notOlderThan": 604800} for name in (
    "magicTransitNetworkAnalyticsAdaptiveGroups", "magicTransitTunnelTrafficAdaptiveGroups")}
ROW = {"dimensions": {"coloCode": "ORD", "coloName": "ord02", "outcome": "drop",
                      "mitigationSystem": "dosd", "ipDestinationAddress": "203.0.113.7"},
       "sum": {"packets": 120000}, "avg": {"sampleInterval": 10000}}


def with_text(job, text, **kept):
    return {**planted(job, text), "id": ID, **kept}


def errors(text):
    return [{"code": 1, "message": text, "error_chain": [{"code": 2, "message": text}],
             "documentation_url": text, "source": {"pointer": text}}, text]


def answers(text):
    """What the API answers: {name: [(request, answer, status)]}."""
    messages = [{"code": 1, "message": text}]
    job = with_text(JOB, text, status="success", type="simple")
    full = with_text(FULL_JOB, text, status="success", type="full")
    bucket = {"id": "b" * 32, "destination_conf": "s3://bucket/d", "filename": "f", "status": "pending",
              "submitted": "2026-11-27T05:00:00Z", "validated": "x"}
    return {
        "jobs": [("POST /pcaps", envelope(job, messages=messages), 200),
                 ("GET /pcaps", envelope([job, full], messages=messages), 200),
                 ("GET /pcaps/ownership", envelope([planted(bucket, text)], messages=messages), 200),
                 ("GET /pcaps/*", envelope(job, messages=messages), 200)],
        "a status": [("GET /pcaps/*", envelope({**job, "status": text}), 200)],
        "a type": [("GET /pcaps/*", envelope({**job, "type": text}), 200)],
        "an id": [("POST /pcaps", envelope({**job, "id": text}), 200),
                  ("GET /pcaps", envelope([{**full, "id": text}]), 200)],
        "a failure": [("GET /pcaps/*", envelope({**full, "status": "failed"}), 200)],
        "a full capture": [("GET /pcaps/*", envelope(full), 200)],
        "a running capture": [("GET /pcaps", envelope([{**full, "status": "running"}]), 200)],
        **{f"refused {status}": [(request, refusal(*errors(text)), status) for request in (
            "POST /pcaps", "GET /pcaps/ownership", "POST /pcaps/ownership", "GET /download")]
           for status in (200, 400, 403, 429, 500)},
        "a list refused": [("GET /pcaps", refusal(*errors(text)), 403)],
        "no JSON": [("GET /pcaps", text.encode(), 200), ("POST /pcaps", text.encode(), 500)],
        "analytics refused": [("POST /graphql", {"data": None, "errors": errors(text)}, 200)],
        "analytics": [("POST /graphql", {"data": {"viewer": {"accounts": [
            {"settings": BOUNDS, **{f"q{number}": planted([ROW], text) for number in range(4)}}]}},
            "errors": None}, 200)],
        "analytics forbidden": [("POST /graphql", refusal(*errors(text)), 403)],
        "a page": [("GET /pcaps", f"<html>{text}</html>".encode(), 403)],
    }


def store_that(text, refuses, body=b""):
    """A store that repeats secrets in names and errors; it refuses listings, objects or nothing."""
    xml = text.replace("&", "&amp;").replace("<", "&lt;")

    def answer(_method, path):
        kind = "listings" if path == "/bucket/" else "objects"
        if kind == refuses:
            return 403, (f"<Error><Code>{xml}</Code><Message>{xml}</Message><RequestId>{xml}</RequestId>"
                         f"<Resource>{xml}</Resource><Details>{xml}</Details></Error>").encode()
        if kind == "objects":
            return 200, body
        return 200, (f"<ListBucketResult><Name>{xml}</Name><Contents><Key>d/pcap_{ID}_{xml}.pcap</Key>"
                     f"<Size>{len(body) or 100}</Size><ETag>{xml}</ETag></Contents>"
                     "<IsTruncated>false</IsTruncated></ListBucketResult>").encode()
    return answer


def check_nowhere(client, *done):
    """No output and no file has a secret, in whatever form, or a piece of one that was cut."""
    texts = {f"output {number}": (one.stdout + one.stderr).encode() for number, one in enumerate(done)}
    for folder, _, files in os.walk(client.folder):
        for name in files:
            path = os.path.join(folder, name)
            texts[path + " (name)"] = name.encode()
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    texts[path] = file.read()
    for name, text in texts.items():
        place = text.find(b"planted")
        assert place < 0, f"{name}: {text[max(place - 200, 0):place + 80]}"


def run_all(client, full_words):
    """Whatever prints what the API or a store said."""
    log = ["--log-file", client.folder / "log", "--log-level", "debug"]
    report = ["--json", "--progress", "--report", client.folder / "report.md", "--keep-originals",
              client.folder]
    yield client.capture(None, *report, *log)
    yield client.capture(None, f"--pcap-id={ID}", *report, *log, *full_words,
                         interface="cloudflare-download")
    yield client.capture(None, "--if-busy=attach", "--colo=ORD", *report, *log, *full_words,
                         "--destination-conf=s3://bucket/d?region=us-east-1", interface="cloudflare-full")
    for words in (["list"], ["list", "--json"], ["show", ID], ["show", ID, "--json"], ["check"],
                  ["colos"], ["colos", "--json"], ["stop", ID], ["register-bucket", "s3://bucket/d?region=us-east-1"]):
        yield client.tool(*words, *log)
    for pick, name in (("--pcap-id-pick", "cloudflare-download"),
                       ("--destination-conf-pick", "cloudflare-full")):
        yield client.run([client.face_path, "--extcap-interface", name, "--extcap-config",
                          "--extcap-reload-option", pick])


def secretive_client(play, **variables):
    pcap = write_pcap(play.folder / "in.pcap", numbered(3))
    with open(pcap, "rb") as file:
        play.answer("GET /download", file.read())
    for request in ("POST /pcaps", "GET /pcaps/*"):
        play.answer(request, envelope(JOB))
    play.answer("GET /pcaps", envelope([]))
    return Client(play.start("--token", TOKEN), speed=1000, CLOUDFLARE_API_TOKEN=TOKEN,
                  AWS_ACCESS_KEY_ID="AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY=AWS,
                  R2_ACCESS_KEY_ID="0123456789", R2_SECRET_ACCESS_KEY=R2, **variables)


@pytest.fixture
def play(emulator, tmp_path):
    return Play(emulator, tmp_path)


@pytest.mark.parametrize("kind", answers(TEXT))
def test_the_api_repeats_secrets(play, kind):
    for request, answer, status in answers(TEXT)[kind]:
        play.answer(request, answer, status=status)
    client = secretive_client(play)
    with PlayedServer(store_that(TEXT, "listings")) as store:
        client.env["AWS_ENDPOINT_URL_S3"] = store.url
        check_nowhere(client, *run_all(client, []))
    assert (client.folder / "log").stat().st_size > 0


@pytest.mark.parametrize("text", LONG, ids=len)
def test_a_text_that_is_cut(play, text):
    """A secret at the place where a long text ends is not half there."""
    for request, answer, status in answers(text)["refused 403"] + answers(text)["a failure"]:
        play.answer(request, answer, status=status)
    client = secretive_client(play)
    check_nowhere(client, client.capture(None, "--json"), client.tool("show", ID), client.capture(
        None, f"--pcap-id={ID}", "--json", interface="cloudflare-download"))


@pytest.mark.parametrize("refuses", ["listings", "objects", "nothing"])
@pytest.mark.parametrize("text", [TEXT, *LONG[::5]], ids=len)
def test_a_store_repeats_secrets(play, text, refuses):
    play.answer("GET /pcaps/*", envelope({**FULL_JOB, "destination_conf": "s3://bucket/d?region=us-east-1"}))
    client = secretive_client(play)
    with open(write_pcap(play.folder / "object.pcap", numbered(7)), "rb") as file:
        body = file.read()
    with PlayedServer(store_that(text, refuses, body)) as store:
        client.env["AWS_ENDPOINT_URL_S3"] = store.url
        check_nowhere(client, *run_all(client, []))
        assert any(AWS not in asked and "AWS4-HMAC-SHA256" in asked for asked in store.asked)


def test_the_forms_are_what_they_should_be():
    assert len(set(forms(TOKEN))) == 3 and json.loads(json.dumps(TEXT)) == TEXT
