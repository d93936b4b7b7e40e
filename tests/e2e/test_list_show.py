# SPDX-License-Identifier: GPL-2.0-or-later
"""`list` and `show`: tables for people, JSON for programs."""

import json
import re

import pytest
from capturing import INSTANT, Client
from emulator import TOKEN

FILTER = {"source_address": "192.0.2.1", "destination_port": 443, "protocol": 6}


@pytest.fixture(scope="module")
def made(request):
    """An emulator with three captures, and who asks about them."""
    from emulator import Emulator
    with Emulator(*INSTANT, "--list-order", "oldest") as api:
        jobs = [api.create(filter_v1=f).result for f in ({}, FILTER, {"protocol": 17})]
        yield Client(api), jobs


def test_list_is_a_table_newest_first(made):
    client, jobs = made
    done = client.tool("list")
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["ID", "SUBMITTED", "TYPE", "STATUS", "COLO", "REQUESTED", "FILTER"]
    assert [row.split()[0] for row in rows] == [job["id"] for job in reversed(jobs)]
    pcap_id, submitted, kind, status, colo, capture_filter = rows[1].split(maxsplit=5)
    assert submitted == jobs[1]["submitted"][:19] + "Z"
    assert (kind, status, colo) == ("sample", "success", "all")
    assert capture_filter == "source_address 192.0.2.1, destination_port 443, protocol 6"
    assert rows[2].endswith(" none")
    # Local times make a column wider, for its heading, too.
    abroad = Client(client.env["CLOUDFLARE_API_BASE_URL"], TZ="America/New_York").tool("list").stdout.splitlines()
    assert {line.index(word) for line, word in
            zip(abroad, ["TYPE", *["sample"] * 3])} == {abroad[0].index("TYPE")}
    assert abroad[0].index("TYPE") > head.index("TYPE")


def test_list_as_json(made):
    client, jobs = made
    done = client.tool("list", "--json")
    told = json.loads(done.stdout)
    assert [job["id"] for job in told] == [job["id"] for job in reversed(jobs)]
    assert told[1]["filter_v1"] == FILTER and told[2]["filter_v1"] == {}
    assert told[1]["submitted"] == jobs[1]["submitted"] and told[1]["type"] == "simple"


def test_an_empty_list(emulator):
    client = Client(emulator(*INSTANT))
    assert client.tool("list").stdout.count("\n") == 1
    assert json.loads(client.tool("list", "--json").stdout) == []


def test_show(made):
    client, jobs = made
    done = client.tool("show", jobs[1]["id"])
    assert (done.returncode, done.stderr) == (0, "")
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    for name in ("id", "type", "system", "submitted"):
        assert told[name] == jobs[1][name]
    assert told["time_limit"] == "300"
    assert told["filter_v1"] == "source_address 192.0.2.1, destination_port 443, protocol 6"
    told = json.loads(client.tool("show", "--json", jobs[1]["id"]).stdout)
    assert told["filter_v1"] == FILTER and told["time_limit"] == 300


def test_show_what_is_not_there(made):
    done = made[0].tool("show", "a" * 32)
    assert done.returncode == 1 and "HTTP 404" in done.sentence and done.stdout == ""


def test_secrets_in_a_destination_are_not_shown(emulator, tmp_path):
    file = tmp_path / "job.json"
    job = {"id": "a" * 32, "type": "full", "status": "success", "colo": "ORD",
           "destination_conf": "r2://bucket?account-id=1&access-key-id=planted1"
                               "&secret-access-key=planted2",
           "error_message": "with {braces}\n and planted-" + TOKEN}
    envelope = {"success": True, "errors": [], "messages": []}
    file.write_text(json.dumps({**envelope, "result": job}))
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps({**envelope, "result": [job]}))
    client = Client(emulator(*INSTANT, "--answer", f"GET /{'a' * 32}=200:{file}",
                             "--answer", f"GET /pcaps=200:{listed}"))
    for words in (["show", "a" * 32], ["show", "--json", "a" * 32], ["list"], ["list", "--json"]):
        done = client.tool(*words)
        assert done.returncode == 0 and "a" * 32 in done.stdout and "ORD" in done.stdout
        assert "planted1" not in done.stdout and "planted2" not in done.stdout
        assert TOKEN not in done.stdout


def test_a_nul_and_the_token_in_a_list(emulator, tmp_path):
    file = tmp_path / "list.json"
    job = {"id": "a" * 32, "type": "simple", "status": f"{'x' * 20}{TOKEN}\u0000",
           "filter_v1": {"source_address": f"{'y' * 50} {TOKEN}"}}
    file.write_text(json.dumps({"success": True, "errors": [], "messages": [], "result": [job]}))
    client = Client(emulator(*INSTANT, "--answer", f"GET /pcaps=200:{file}"))
    done = client.tool("list")
    assert done.returncode == 0, done.stderr
    assert "a" * 32 in done.stdout and TOKEN[:5] not in done.stdout


@pytest.mark.parametrize("result", [
    None, [], [{}], [None, 5, "x", []], [{"id": 5, "status": [], "filter_v1": "x", "submitted": 7}],
    [{"id": "x" * 5000, "type": "\x1b[31m", "status": "novel\nword", "submitted": "yesterday"}],
])
def test_odd_lists(emulator, tmp_path, result):
    file = tmp_path / "list.json"
    file.write_text(json.dumps({"success": True, "errors": [], "messages": [], "result": result}))
    client = Client(emulator(*INSTANT, "--answer", f"GET /pcaps=200:{file}"))
    done = client.tool("list")
    assert done.returncode == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", done.stdout)
    captures = [one for one in result or [] if isinstance(one, dict)]
    assert len(done.stdout.splitlines()) == 1 + len(captures)
    assert len(json.loads(client.tool("list", "--json").stdout)) == len(captures)
