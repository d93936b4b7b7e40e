# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulator's GraphQL endpoint is as strict as Cloudflare's pages, and tells the packets that it
serves."""

import collections
import datetime
import itertools
import subprocess
import time

import packets as p
import pytest
from emulator import ACCOUNT, PROGRAM, Emulator, Packet, write_pcap

NODE = "magicTransitNetworkAnalyticsAdaptiveGroups"
NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)


def moment(seconds_ago):
    return (NOW - datetime.timedelta(seconds=seconds_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


SPAN = f'datetime_geq: "{moment(3600)}", datetime_lt: "{moment(0)}"'
GOOD = f"{NODE}(limit: 10, filter: {{{SPAN}}}) {{ sum {{ packets }} dimensions {{ coloCode }} }}"


@pytest.fixture(scope="module")
def made():
    """Packets of the last minutes: (seconds ago, source, destination, protocol, ports)."""
    kinds = [(p.TCP, 40000, 443), (p.UDP, 50000, 53), (p.ICMP, 0, 0)]
    return [(900 - n, f"198.51.100.{n % 4}", f"203.0.113.{n % 3}", *kinds[n % 3])
            for n in range(60)]


@pytest.fixture(scope="module")
def api(made, tmp_path_factory):
    packets = []
    for ago, source, destination, protocol, source_port, port in made:
        payload = p.ports(source_port, port) if source_port else bytes(8)
        time = int((NOW.timestamp() - ago) * 10**9)
        packets.append(Packet(time, p.ip4(protocol, payload, source, destination)))
    path = write_pcap(tmp_path_factory.mktemp("graphql") / "in.pcap", packets)
    with Emulator("--packets", path, "--entry", "ord02=src host 198.51.100.1", "--entry",
                  "fra07=src host 198.51.100.2", "--drop", "dosd=udp", "--trace-colo", "LHR",
                  "--egress", "src host 198.51.100.3") as one:
        yield one


def ask(api, selection, account=ACCOUNT, **more):
    query = ("query Q($accountTag: string!) { viewer { accounts(filter: {accountTag: $accountTag}) "
             f"{{ {selection} }} }} }}")
    return api.request("POST", "/graphql",
                       {"query": query, "variables": {"accountTag": account}}, **more)


def account_of(reply):
    assert reply.status == 200, reply.body
    assert reply.json["errors"] is None
    return reply.json["data"]["viewer"]["accounts"][0]


def rows(api, conditions="", dimensions="coloCode", limit=1000, order="[sum_packets_DESC]"):
    reply = ask(api, f"q: {NODE}(limit: {limit}, filter: {{{SPAN}, {conditions}}}, orderBy: {order}) "
                     f"{{ sum {{ packets }} dimensions {{ {dimensions} }} }}")
    return [(*row["dimensions"].values(), row["sum"]["packets"]) for row in account_of(reply)["q"]]


def test_packets_are_counted_where_they_enter(api, made):
    site = {"198.51.100.1": "ORD", "198.51.100.2": "FRA"}
    due = collections.Counter(site.get(packet[1], "LHR") for packet in made)
    assert dict(rows(api)) == {colo: 10000 * count for colo, count in due.items()}


@pytest.mark.parametrize(("condition", "holds"), [
    ('direction: "ingress"', lambda k: k[1] != "198.51.100.3"),
    ('outcome: "drop"', lambda k: k[3] == p.UDP),
    ('mitigationSystem: "dosd"', lambda k: k[3] == p.UDP),
    ("ipProtocol: 6", lambda k: k[3] == p.TCP),
    ("ipProtocol_in: [1, 17]", lambda k: k[3] in (p.ICMP, p.UDP)),
    ("ipProtocol_notin: [1, 17]", lambda k: k[3] == p.TCP),
    ("destinationPort_geq: 53, destinationPort_lt: 443", lambda k: k[5] == 53),
    ('ipDestinationAddress: "203.0.113.2"', lambda k: k[2] == "203.0.113.2"),
    ('ipSourceAddress_neq: "198.51.100.2"', lambda k: k[1] != "198.51.100.2"),
    ('ipDestinationAddress_like: "%.113.1"', lambda k: k[2] == "203.0.113.1"),
    ('ipDestinationSubnet: "203.0.113.0/24"', lambda k: True),
    ('ipDestinationSubnet: "203.0.112.0/24"', lambda k: False),
    ('OR: [{ipProtocol: 1}, {ipProtocol: 6, ipSourceAddress: "198.51.100.0"}]',
     lambda k: k[3] == p.ICMP or (k[3] == p.TCP and k[1] == "198.51.100.0")),
    ('AND: [{ipProtocol: 1}, {ipSourceAddress: "198.51.100.0"}]',
     lambda k: k[3] == p.ICMP and k[1] == "198.51.100.0"),
])
def test_filters_hold_what_their_words_say(api, made, condition, holds):
    assert sum(row[-1] for row in rows(api, condition)) == 10000 * sum(map(holds, made))


def test_the_end_of_the_span_is_open(api, made):
    first = moment(made[0][0])
    reply = ask(api, f'q: {NODE}(limit: 1, filter: {{datetime_geq: "{first}", datetime_lt: '
                     f'"{moment(made[1][0])}"}}) {{ sum {{ packets }} }}')
    assert account_of(reply)["q"] == [{"sum": {"packets": 10000}}]


def test_order_and_limit(api, made):
    by_address = rows(api, dimensions="ipSourceAddress", order="[ipSourceAddress_DESC]", limit=2)
    assert [address for address, _ in by_address] == ["198.51.100.3", "198.51.100.2"]


@pytest.mark.parametrize(("selection", "words"), [
    (GOOD.replace("coloCode", "coloIata"), 'unknown field "coloIata"'),
    (GOOD.replace("packets", "packet"), 'unknown field "packet"'),
    (GOOD.replace("sum {", "total {"), 'unknown field "total"'),
    (GOOD.replace(NODE, "magicTransit"), 'unknown field "magicTransit"'),
    (GOOD.replace("limit: 10,", ""), "limit must be positive number and not greater than 10000"),
    (GOOD.replace("limit: 10", "limit: 10001"), "limit must be positive number"),
    (GOOD.replace("limit: 10", "limit: 0"), "limit must be positive number"),
    (GOOD.replace(SPAN, SPAN + ", sourceIp: \"1.2.3.4\""), 'unknown field "sourceIp"'),
    (GOOD.replace(SPAN, SPAN + ", ipProtocol: \"6\""), 'error parsing args for "ipProtocol"'),
    (GOOD.replace(SPAN, SPAN + ", ipSourceAddress: 6"), 'error parsing args for "ipSourceAddress"'),
    (GOOD.replace(SPAN, SPAN + ", ipProtocol_like: 6"), 'unknown field "ipProtocol_like"'),
    (GOOD.replace(SPAN, SPAN + ", ipSourceAddress_cidr: \"::/0\""), "unknown field"),
    (GOOD.replace(SPAN, SPAN + ", OR: {ipProtocol: 6}"), 'error parsing args for "OR"'),
    (GOOD.replace(SPAN, ""), "error parsing args"),
    (GOOD.replace(moment(0), "now"), 'error parsing args for "datetime_lt"'),
    (GOOD.replace("limit: 10", "limit: 10, first: 3"), "error parsing args"),
    (GOOD.replace("limit: 10", "limit: 10, orderBy: [packets_DESC]"), 'parsing args for "orderBy"'),
    (GOOD + " " + GOOD, "two fields"),
    (GOOD.replace(moment(3600), moment(8 * 86400)), "query time range is too large"),
    (GOOD.replace(moment(3600), moment(200 * 86400)).replace(moment(0), moment(199 * 86400)),
     "cannot request data older than"),
    ("settings { httpRequests { enabled } }", "unknown field"),
    (f"settings {{ {NODE} {{ maxRows }} }}", 'unknown field "maxRows"'),
    ("{", "error parsing args"),
], ids=itertools.count())  # the times in them are not the same in each of pytest's processes
def test_what_is_wrong_is_refused_in_the_published_words(api, selection, words):
    reply = ask(api, selection)
    assert (reply.status, reply.json["data"]) == (400, None)
    assert words in reply.json["errors"][0]["message"], reply.body
    assert set(reply.json["errors"][0]) == {"message", "path", "extensions"}


def test_the_settings_node(api):
    fields = "enabled maxDuration notOlderThan maxPageSize maxNumberOfFields availableFields"
    told = account_of(ask(api, f"settings {{ {NODE} {{ {fields} }} }}"))["settings"][NODE]
    assert told["enabled"] is True and told["notOlderThan"] == 16 * 7 * 86400
    assert {"sum_packets", "avg_sampleInterval", "dimensions_coloCode"} <= set(told["availableFields"])


def test_who_may_not_ask(api):
    assert ask(api, GOOD, token="wrong-token").status == 401
    reply = ask(api, GOOD, account="0" * 32)
    assert reply.status == 403 and "not authorized for that account" in reply.message
    assert api.request("GET", "/graphql").status == 405
    assert api.request("POST", "/graphql", b"{}", headers={"Content-Type": "text/plain"}).status == 415


@pytest.mark.parametrize(("access", "words"), [
    ("denied", "not authorized for that account"), ("absent", "does not have access to the path")])
def test_accounts_without(emulator, access, words):
    reply = ask(emulator("--analytics", access), GOOD)
    assert reply.status == 403 and words in reply.message


def test_the_budget_is_spent_and_comes_back(emulator):
    settings = f"settings {{ {NODE} {{ enabled }} }}"
    api = emulator("--analytics-budget", 2)
    replies = [ask(api, settings) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[2].json["errors"][0]["extensions"]["code"] == "budget"
    quick = emulator("--analytics-budget", 2, "--speed", 600)  # five minutes are half a second
    statuses = []
    end = time.monotonic() + 20
    while statuses[-2:] != [429, 200] and time.monotonic() < end:
        statuses.append(ask(quick, settings).status)
    assert statuses[-2:] == [429, 200]


def test_late_packets_are_not_known_yet(emulator, tmp_path):
    packets = [Packet(int((NOW.timestamp() - ago) * 10**9), p.ip4(p.UDP, p.ports(1, 2)))
               for ago in (500, 400, 100)]
    path = write_pcap(tmp_path / "in.pcap", packets)
    since = int(datetime.datetime.now(datetime.UTC).timestamp() - NOW.timestamp())
    assert rows(emulator("--packets", path, "--analytics-lag", 300 + since)) == [("SIN", 20000)]


@pytest.mark.parametrize("rule", ["ORD=udp", "ord02", "ord02=udp prot 53"])
def test_a_rule_that_is_none_ends_the_emulator(rule):
    done = subprocess.run([PROGRAM, "--entry", rule], capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
