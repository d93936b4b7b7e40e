# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the traffic enters, as Cloudflare's analytics tell it: colos, the list of data centers,
the verdict of an empty capture, the refusal of a broad one."""

import collections
import json
import re
import time

import libpcap
import packets as p
import pytest
import wireshark
from capturing import INSTANT, Client, requests_of
from emulator import ACCOUNT, Emulator, Packet, write_pcap
from full_captures import FULL, Folder, FullClient, emulator_of
from test_reload import reload, trace_of

# Entry rules: the first that a packet passes counts; the rest enter at SIN.
ENTRIES = [("ord02", "src net 198.51.100.0/25"), ("ord08", "src net 198.51.100.128/25"),
           ("fra07", "src net 192.0.2.0/24"), ("ams01", "ip6")]
ELSEWHERE = "sin01"
DROPS = [("dosd", "udp dst port 53"), ("magic-firewall", "icmp")]
EGRESS = "src net 203.0.113.0/24"
INTERVAL = 10000

FILTERS = [
    "",
    "dst host 203.0.113.7",
    "host 203.0.113.7",
    "src host 198.51.100.3",
    "host 192.0.2.5 or dst host 203.0.113.9",
    "host 2001:db8:113::7",
    "tcp",
    "icmp",
    "udp dst port 53",
    "port 53",
    "tcp dst port 443 and dst host 203.0.113.7",
    "tcp port 443",
    "udp dst portrange 53-54",
    "dst net 203.0.113.0/24",
    "net 203.0.113.0/24 and udp",
    "src net 198.51.100.0/24",
    "dst net 203.0.112.0/23",
    "dst net 203.0.113.4/30",
    "dst net 203.0.0.0/16",
    "src net 192.0.0.0/8",
    "dst net 2001:db8:113::/64",
    "src net 198.51.100.0/24 and dst net 203.0.113.0/24 and tcp dst port 443",
    "proto 47",
]


def traffic():
    """Packets of the last half hour, every few seconds one, of all kinds that the filters ask for."""
    now = int(time.time())
    made = []
    sources = ["198.51.100.3", "198.51.100.200", "192.0.2.5", "203.0.113.7", "192.88.99.1"]
    for n in range(400):
        source = sources[(n * n + n // 7) % len(sources)]
        destination = f"203.0.113.{(4, 7, 7, 9, 130)[n % 5]}"
        kind = n % 6
        if kind == 0:
            data = p.ip4(p.TCP, p.ports(40000 + n, 443), source, destination)
        elif kind == 1:
            data = p.ip4(p.UDP, p.ports(50000 + n, 53 + n // 6 % 2), source, destination)
        elif kind == 2:
            data = p.ip4(p.ICMP, b"\x08\0\0\0\0\0\0\0", source, destination)
        elif kind == 3:
            data = p.ip6(p.UDP, p.ports(53, 4000 + n), "2001:db8:51::1", f"2001:db8:113::{n % 3 + 7}")
        elif kind == 4:
            data = p.ip4(p.GRE, b"\0\0\x08\0" + p.ip4(p.UDP), source, destination)
        else:
            data = p.ip4(p.UDP, p.ports(53, 40000 + n), source, destination)
        made.append(Packet((now - 1900 + n * 4) * 10**9 + n * 1000, data))
    return made


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """(an emulator over known packets, the packets)."""
    made = traffic()
    path = write_pcap(tmp_path_factory.mktemp("colos") / "in.pcap", made, nanoseconds=True)
    options = [word for site, rule in ENTRIES for word in ("--entry", f"{site}={rule}")]
    options += [word for system, rule in DROPS for word in ("--drop", f"{system}={rule}")]
    with Emulator(*INSTANT, "--packets", path, "--egress", EGRESS, *options) as api:
        yield api, made


def expected(made, capture_filter, start, end):
    """{colo: (packets, {system: dropped}, {site: packets})} of the window, by libpcap's word."""
    def test(text):
        return libpcap.Filter(text).accepts if text else lambda *_: True
    wanted, egress = test(capture_filter), test(EGRESS)
    entries = [(site, test(rule)) for site, rule in ENTRIES]
    drops = [(system, test(rule)) for system, rule in DROPS]
    sites, dropped = collections.Counter(), collections.defaultdict(collections.Counter)
    for packet in made:
        moment, data = packet.time / 1e9, packet.data
        if not start <= moment < end or egress(data) or not wanted(data):
            continue
        site = next((site for site, accepts in entries if accepts(data)), ELSEWHERE)
        sites[site] += INTERVAL
        system = next((system for system, accepts in drops if accepts(data)), None)
        if system:
            dropped[site[:3].upper()][system] += INTERVAL
    colos = collections.defaultdict(dict)
    for site, count in sites.items():
        colos[site[:3].upper()][site] = count
    return {colo: (sum(of.values()), dict(dropped[colo]), of) for colo, of in colos.items()}


def colos(client, *words):
    done = client.tool("colos", *words, "--json")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def epoch(text):
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) - time.timezone


def graphql_of(api):
    return requests_of(api, "POST", "/graphql")


@pytest.mark.parametrize("capture_filter", FILTERS)
def test_shares_are_those_of_the_packets(world, capture_filter):
    api, made = world
    client = Client(api, CLOUDFLAREDUMP_TRACE_URL=trace_of(api))
    told = colos(client, "-f", capture_filter)
    window = told["window"]
    due = expected(made, capture_filter, epoch(window["start"]), epoch(window["end"]))
    assert due
    total = sum(packets for packets, _, _ in due.values())
    assert told["exact"] and told["notes"] is not None and told["sampled"] == INTERVAL
    assert {one["colo"]: (one["packets"], one["dropped_by"],
                          {site["site"]: site["packets"] for site in one["sites"]})
            for one in told["colos"] if one["packets"]} == due
    for one in told["colos"]:
        packets, dropped, _ = due.get(one["colo"], (0, {}, {}))
        assert one["share"] == pytest.approx(packets / total, abs=1e-4)
        assert one["samples"] == packets / INTERVAL
        assert one["dropped_share"] == pytest.approx(
            sum(dropped.values()) / packets if packets else 0, abs=1e-4)
        assert one["share_range"][0] <= one["share"] <= one["share_range"][1]
    assert [one["packets"] for one in told["colos"]] == sorted(
        (one["packets"] for one in told["colos"]), reverse=True)
    # The text of the same window, and the list beside "Data center".
    text = client.tool("colos", "-f", capture_filter, f"--start-time={window['start']}",
                       f"--end-time={window['end']}").stdout
    shares = {colo: round(100 * packets / total) for colo, (packets, _, _) in due.items()}
    assert {colo: int(share) for colo, share in re.findall(
        r"^([A-Z]{3}) \([^)]+\) +(\d+)%", text, re.M)} == pytest.approx(shares, abs=1)
    rows = reload(client, "colo-pick", FULL, "--extcap-capture-filter", capture_filter)
    hour = expected(made, capture_filter, time.time() - 3600, time.time())
    total = sum(packets for packets, _, _ in hour.values())
    listed = [(value, int(re.search(r": (\d+)%", display)[1])) for value, display in rows
              if "in the last hour" in display]
    assert [colo for colo, _ in listed] == [rows[n + 1][0] for n in range(len(listed))]
    assert dict(listed) == pytest.approx(
        {colo: 100 * packets / total for colo, (packets, _, _) in hour.items()}, abs=1)


def test_one_request_besides_the_settings_nodes(world):
    api, _ = world
    client = Client(api)
    before = len(graphql_of(api))
    for _ in range(3):
        assert client.tool("colos", "-f", "dst net 203.0.113.0/24").returncode == 0
    queries = [entry["body"]["query"] for entry in graphql_of(api)[before:]]
    assert len(queries) == 4
    assert [("settings" in query) for query in queries] == [True, False, False, False]


def test_the_list_names_the_traffic_of_the_filter(world):
    api, _ = world
    client = Client(api, CLOUDFLAREDUMP_TRACE_URL=trace_of(api))
    rows = reload(client, "colo-pick", FULL, "--extcap-capture-filter", "dst host 203.0.113.7")
    assert re.fullmatch(r"ORD \(Chicago\): \d+% in the last hour", rows[1][1])
    assert len([value for value, _ in rows if value == "ORD"]) == 1
    rows = reload(client, "colo-pick", FULL)
    assert re.fullmatch(r"ORD \(Chicago\): \d+% of the account's traffic in the last hour",
                        rows[1][1])


def test_the_filter_that_was_typed_last_is_asked_about(world):
    api, _ = world
    session = wireshark.open_folder()
    client = Client(api, CLOUDFLAREDUMP_TRACE_URL=trace_of(api), XDG_RUNTIME_DIR=session)
    for typed in ("udp port 53", "udp prot 53"):  # the second is none, so the first is still the last
        client.run([client.face_path, "--extcap-interface", FULL, "--extcap-capture-filter", typed])
        rows = reload(client, "colo-pick", FULL)
        assert 'the shares are those of the filter typed last, "udp port 53"' in rows[0][1]
        assert re.fullmatch(r"[A-Z]{3} \(\w+\): \d+% in the last hour", rows[1][1])


REFUSALS = {
    "cannot request data older than 9676800s": (400, "give a later start time"),
    "query time range is too large, should be shorter than 1d": (400, "give a shorter window"),
    "limit must be positive number and not greater than 5": (400, "try again"),
    'unknown field "coloCode"': (400, "newer version"),
    'error parsing args for "x"': (400, "newer version"),
    "Unauthorized": (401, "check the API token"),
    "not authorized for that account": (403, "Account Analytics: Read"),
    "account x does not have access to the path": (403, "Enterprise accounts with Magic Transit"),
    "rate limiter budget depleted, try again after 5 minutes": (429, "wait 5 minutes"),
    "internal server error": (500, "try again later"),
    "unable to execute query, please try again later": (503, "try again later"),
}


@pytest.mark.parametrize("words", REFUSALS)
def test_each_published_error_is_one_sentence(emulator, tmp_path, words):
    status, remedy = REFUSALS[words]
    file = tmp_path / "answer.json"
    file.write_text(json.dumps({"data": None, "errors": [{"message": words, "path": None}]}))
    api = emulator(*INSTANT, "--answer", f"POST /graphql={status}:{file}")
    done = Client(api, speed=1000).tool("colos")
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.sentence and remedy in done.sentence


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_errors_are_repeated(world, emulator, tmp_path, status):
    api = emulator(*INSTANT, "--answer", f"POST /graphql={status}x1")
    assert Client(api, speed=10).tool("colos", "-f", "dst host 192.88.99.77").returncode == 0
    assert [entry["status"] for entry in graphql_of(api)] == [status, 200, 200]


def test_a_spent_budget(emulator):
    api = emulator(*INSTANT, "--analytics-budget", 1)
    client = Client(api, speed=1000)
    done = client.tool("colos")
    assert done.returncode == 1 and "wait 5 minutes" in done.sentence


@pytest.mark.parametrize(("access", "words"), [
    ("denied", "Account Analytics: Read"), ("absent", "Enterprise accounts with Magic Transit")])
def test_without_the_permission_everything_else_works_as_before(emulator, access, words):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--sample-interval", 0, "--analytics", access)
    client = FullClient(api, bucket, CLOUDFLAREDUMP_TRACE_URL=trace_of(api))
    done = client.tool("colos")
    assert done.returncode == 1 and words in done.sentence
    rows = reload(client, "colo-pick", FULL, "--extcap-capture-filter", "udp")
    assert rows[0][1] == "as typed" and rows[1][0] == "SIN" and "%" not in str(rows)
    empty = client.full("dst host 192.88.99.77", interface="cloudflare-FRA")
    assert empty.returncode == 3 and "entered at" not in empty.stderr
    assert "analytics" not in empty.stderr
    broad = client.full("dst net 203.0.113.0/24")
    assert broad.returncode == 2 and "set the option if-broad to warn" in broad.stderr
    assert "busiest" not in broad.stderr
    check = client.tool("check")
    assert re.search(r"^note +Account Analytics: Read.*optional", check.stdout, re.M)


def test_check_names_the_permission(world):
    api, _ = world
    assert re.search(r"^ok +Account Analytics: Read \(optional; ", Client(api).tool("check").stdout,
                     re.M)


def full_world(emulator, *options):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--entry", "fra07=src net 198.51.100.0/24", "--entry",
                      "ams01=ip", *options)
    # The emulator makes an hour's packets up, which takes longer than a fast clock allows.
    return api, FullClient(api, bucket, speed=5)


def test_an_empty_capture_at_the_wrong_data_center_names_the_right_ones(emulator):
    api, client = full_world(emulator, "--drop", "dosd=udp port 53")
    done = client.full("dst host 203.0.113.53", interface="cloudflare-ORD")
    assert done.returncode == 3
    assert re.search(r"entered at (FRA|AMS) \(\d+%\)( and (FRA|AMS) \(\d+%\))?, none at ORD; 100% "
                     r"of it was dropped at Cloudflare \(dosd\) \(about, from [\d,]+ samples?\)",
                     done.stderr), done.stderr
    assert len(graphql_of(api)) == 1


def test_a_capture_with_packets_asks_nothing(emulator):
    api, client = full_world(emulator)
    done = client.full("src host 203.0.113.7 or dst host 203.0.113.7", interface="cloudflare-FRA",
                       time_limit=60, if_broad="warn")
    assert done.returncode == 0 and done.records
    assert graphql_of(api) == []


def test_a_sample_without_packets_says_what_analytics_know(emulator):
    api = emulator(*INSTANT)
    done = Client(api).capture("dst host 192.88.99.77")
    assert done.returncode == 3
    assert "have no samples of this traffic in the hour before the end either" in done.stderr
    assert len(graphql_of(api)) == 1


def test_a_broad_filter_is_refused_with_addresses_that_work(world):
    api, made = world
    client = FullClient(api, Folder())
    done = client.full("dst net 203.0.113.0/24")
    assert done.returncode == 2
    busiest = re.search(r"its busiest addresses of the last hour: (.+?); set the option if-broad to warn",
                        done.stderr)[1]
    named = re.findall(r"dst host (203\.0\.113\.\d+) \((\d+)%\)", busiest)
    hour = [packet for packet in made if not libpcap.Filter(EGRESS).accepts(packet.data)
            and libpcap.Filter("dst net 203.0.113.0/24").accepts(packet.data)]
    counts = {host: sum(libpcap.Filter(f"dst host {host}").accepts(packet.data) for packet in hour)
              for host, _ in named}
    assert counts == {host: pytest.approx(int(share) * len(hour) / 100, abs=len(hour) / 100)
                      for host, share in named}
    assert list(counts.values()) == sorted(counts.values(), reverse=True)
    assert busiest in client.full_tshark("dst net 203.0.113.0/24").sentence
    told = colos(client, "-f", "dst net 203.0.113.0/24")
    assert [one["filter"] for one in told["busiest"]] == [f"dst host {host}" for host, _ in named]


def test_what_analytics_cannot_be_told_is_said(world):
    api, _ = world
    client = Client(api)
    told = colos(client, "-f", "dst net 203.0.113.0/24 and not port 53")
    assert told["counted"] == "dst net 203.0.113.0/24" and not told["exact"]
    assert 'can express only "dst net 203.0.113.0/24" of this filter' in " ".join(told["notes"])
    assert all("and (dst net 203.0.113.0/24 and not port 53)" in one["filter"]
               for one in told["busiest"])


def test_the_accounts_bounds_cut_the_window(emulator):
    api = emulator(*INSTANT, "--analytics-max-duration", 600, "--analytics-page", 50)
    told = colos(Client(api))
    window = told["window"]
    assert epoch(window["end"]) - epoch(window["start"]) == 600
    assert any("this account may ask for 10 min" in note for note in told["notes"])


def test_another_sampling_interval(emulator):
    api = emulator(*INSTANT, "--analytics-interval", 7)
    told = colos(Client(api), "--start-time=-5m")
    assert told["sampled"] == 7 and told["packets"] == 7 * told["samples"] > 0
    hidden = emulator(*INSTANT, "--analytics-hide-interval")
    assert colos(Client(hidden), "--start-time=-5m")["sampled"] == INTERVAL


def test_nothing_found_is_no_samples(world):
    api, _ = world
    done = Client(api).tool("colos", "-f", "dst host 192.88.99.77")
    assert (done.returncode, done.stderr) == (0, "")
    assert 'No samples of traffic matching "dst host 192.88.99.77"' in done.stdout
    assert 'That is not "no traffic"' in done.stdout


def test_times_as_words_of_their_own(world):
    told = colos(Client(world[0]), "--start-time", "-20m", "--end-time", "-10m")
    assert epoch(told["window"]["end"]) - epoch(told["window"]["start"]) == 600


@pytest.mark.parametrize(("words", "said"), [
    (["udp"], "give the filter with -f"),
    (["-f", "udp prot 53"], "syntax error"),
    (["--start-time=soon"], 'start-time is "soon"'),
    (["--start-time=-5m", "--end-time=-10m"], "is not before end-time"),
    (["--end-time=2100-01-01T00:00:00Z"], "in the future"),
])
def test_a_wrong_command_line_is_one_sentence(world, words, said):
    done = Client(world[0]).tool("colos", *words)
    assert done.returncode in (1, 2) and done.stdout == "" and said in done.sentence


def test_a_home_that_cannot_be_written_stops_nothing(world):
    client = Client(world[0], XDG_CACHE_HOME="/proc/nowhere")
    assert client.tool("colos").returncode == 0


def test_the_account_and_the_token_stay_out_of_the_cache(world):
    client = Client(world[0])
    assert client.tool("colos").returncode == 0
    files = [path for path in client.folder.rglob("analytics.json")]
    assert len(files) == 1 and files[0].stat().st_mode & 0o777 == 0o600
    assert ACCOUNT in files[0].read_text() and "emulator-token" not in files[0].read_text()
