# SPDX-License-Identifier: GPL-2.0-or-later
"""A sample captured by the real tshark and by the tool: the packets are those that were served."""

import collections
import json
import subprocess
import time

import pytest
from capturing import (INSTANT, Client, downloads_of, expected_records, finish, record, requests_of,
                       wait_until)
from emulator import ACCOUNT, write_pcap
from full_captures import DOWNLOAD, numbered
from pcapng import read_pcapng
from wireshark import stage, tshark

# Filters of all kinds that the emulator's made-up traffic has packets for.
FILTERS = [
    None, "udp port 53", "host 203.0.113.7", "tcp[tcpflags] & tcp-syn != 0", "icmp or icmp6", "ip6",
    "proto gre", "not tcp", "net 198.51.100.0/24 and tcp", "src portrange 50000-60000",
    "greater 200", "port 443 or port 80", "ip[8] = 64 and udp",
]


def check(capture, downloads, capture_filter):
    """The capture holds exactly what should have come, in time order."""
    assert capture.returncode == 0, capture
    expected = expected_records(downloads, capture_filter)
    records = capture.records
    assert expected, "the emulator served nothing that matches: the test would show nothing"
    assert collections.Counter(records) == expected
    assert [t for t, _, _ in records] == sorted(t for t, _, _ in records)


@pytest.mark.parametrize("capture_filter", FILTERS)
def test_tshark_and_the_tool_deliver_what_matches(emulator, capture_filter):
    for how in ("tshark", "capture"):
        api = emulator(*INSTANT)
        capture = getattr(Client(api), how)(capture_filter)
        check(capture, downloads_of(api), capture_filter)
        if how == "tshark":
            assert "Error" not in capture.stderr


def test_they_deliver_the_same(emulator):
    """The same past window twice: the same packets in the same order."""
    api = emulator(*INSTANT)
    end = int(time.time()) - 60
    captures = Client(api).both("udp port 53", start_time=end - 200, end_time=end)
    assert captures[0].returncode == captures[1].returncode == 0
    assert captures[0].records and captures[0].records == captures[1].records
    for body in [entry["body"] for entry in requests_of(api, "POST")]:
        assert body["time_limit"] == 200
        assert body["offset_time"].startswith(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(end)))


def test_packets_cut_before_the_bytes_a_filter_needs_are_kept_and_marked(emulator):
    api = emulator(*INSTANT)
    capture = Client(api).capture("ip[200] = 46")
    served = [packet for packets in downloads_of(api) for packet in packets]
    long = [record(p) for p in served if p.data[0] >> 4 == 4 and p.length > 200]
    assert long and capture.returncode == 0
    assert capture.records == long
    assert all('cloudflaredump:{"version":1,"undecided":true}' in packet.comments[0]
               for packet in capture.section.packets)
    assert all(not packet.comments for packet in Client(api).capture("ip[8] = 64").section.packets)


def test_local_filter_off_delivers_all_that_came(emulator):
    api = emulator(*INSTANT)
    captures = Client(api).both("tcp[tcpflags] & tcp-syn != 0", local_filter="off")
    for capture, served in zip(captures, downloads_of(api), strict=True):
        assert capture.records == [record(packet) for packet in served]


def test_the_filter_is_asked_for_and_noted(emulator):
    """Each interface block says what its request asked for, as the emulator's log shows it."""
    api = emulator(*INSTANT)
    capture = Client(api).tshark("dst host 203.0.113.7 and tcp dst port 443")
    post, = requests_of(api, "POST")
    assert post["body"]["filter_v1"] == {"destination_address": "203.0.113.7",
                                         "destination_port": 443, "protocol": 6}
    rows = tshark(["-r", capture.path, "-T", "fields", "-e", "cloudflare.filter_v1.protocol",
                   "-e", "cloudflare.filter_v1.destination_address",
                   "-e", "cloudflare.filter_v1.destination_port"]).splitlines()
    assert rows and set(rows) == {"6\t203.0.113.7\t443"}


# ---- fields


@pytest.mark.skipif(stage().plugin_dir is None, reason="the plugin was not built")
def test_fields_of_a_capture(emulator):
    api = emulator(*INSTANT)
    capture = Client(api).tshark("udp port 53", "-o", "extcap.cloudflare_sample.timelimit:120")
    made = {job["id"]: job for job in api.pcaps().result}
    shown = json.loads(tshark(["-r", capture.path, "-T", "json"]))
    everything = tshark(["-r", capture.path, "-Y", 'cloudflare.type == "simple"', "-T", "fields",
                         "-e", "frame.number"]).split()
    assert len(everything) == len(shown) == len(capture.records) > 0
    for packet in shown:
        layer = packet["_source"]["layers"]["cloudflare"]
        job = made[layer["cloudflare.pcap_id"]]
        assert layer["cloudflare.system"] == "magic-transit"
        assert layer["cloudflare.status"] == "success"
        assert layer["cloudflare.time_limit"] == "120"
        assert layer["cloudflare.packet_limit"] == "10000"
        assert layer["cloudflare.capture_filter"] == "udp port 53"
        assert "cloudflare.colo" not in layer
        assert job["time_limit"] == 120
    assert {p["_source"]["layers"]["cloudflare"]["cloudflare.pcap_id"] for p in shown} == set(made)


@pytest.mark.skipif(stage().plugin_dir is None, reason="the plugin was not built")
def test_fields_while_capturing(client):
    path = client.new_path()
    capture = client.run(["tshark", "-i", "cloudflare-sample", "-f", "udp port 53", "-T", "fields",
                          "-e", "cloudflare.type", "-e", "cloudflare.capture_filter",
                          "-e", "frame.interface_name"], path=path)
    assert capture.returncode == 0
    rows = capture.stdout.splitlines()
    assert rows and set(rows) == {"simple\tudp port 53\tcloudflare-sample"}


def test_without_the_plugin_the_description_is_a_sentence(client):
    capture = client.tshark("udp port 53")
    bare = Client("http://127.0.0.1:9", plugin=False).env
    described = tshark(["-r", capture.path, "-T", "fields", "-e", "frame.interface_description"],
                       bare).splitlines()
    assert described
    for line in described:
        sentence, separator, machine = line.rpartition(" | ")
        assert separator and machine.startswith('cloudflaredump:{"version":1,"pcap_id":')
        assert sentence.startswith("Cloudflare sample, all data centers, 5 min up to ")
        assert sentence.endswith('filter "udp port 53"') and len(sentence) <= 120


# ---- the tool's own


def test_standard_output(client):
    process = client.start(client.capture_command("-", "udp port 53"), text=False)
    out, err = finish(process)
    assert process.returncode == 0
    path = client.new_path()
    path.write_bytes(out)
    section, = read_pcapng(path)
    assert section.packets
    assert err.decode().count("\n") == 1 and b"match the filter" in err  # the verdict, no progress


def test_a_pipe_into_tshark(client):
    """The way over ssh: what comes on standard output is shown as it comes."""
    capture = client.start(client.capture_command("-", "udp port 53"), text=False)
    shown = subprocess.run(["tshark", "-r", "-", "-T", "fields", "-e", "udp.port"],
                           stdin=capture.stdout, capture_output=True, text=True, timeout=60,
                           env=client.env)
    capture.stdout.close()
    capture.stdout = None
    finish(capture)
    assert capture.returncode == 0
    rows = shown.stdout.splitlines()
    assert rows and all("53" in row.split(",") for row in rows)


def test_the_summary_counts(emulator):
    api = emulator(*INSTANT)
    capture = Client(api).capture("tcp[tcpflags] & tcp-syn != 0", "--json")
    told = json.loads(capture.stdout)
    downloads = downloads_of(api)
    received = sum(map(len, downloads))
    delivered = len(capture.records)
    assert told["received"] == received and told["delivered"] == delivered
    assert delivered == sum(expected_records(downloads, told["capture_filter"]).values())
    assert told["filtered_out"] == received - delivered - told["duplicates"]
    assert (told["exit_status"], told["stopped"], told["losses"]) == (0, False, [])
    assert told["pcap_ids"] == [job["id"] for job in reversed(api.pcaps().result)]
    assert told["interface"] == "cloudflare-sample" and "error" not in told


def test_progress_and_quiet(emulator):
    api = emulator("--job-seconds", 3, "--speed", 60)
    client = Client(api, speed=60, instant=False)
    talk = client.capture("udp port 53", "--progress").stderr
    for word in ("pending", "downloading", "waiting"):
        assert word in talk
    assert client.capture("udp port 53", "-q").stderr == ""
    assert client.capture("udp port 53").stderr.count("\n") == 1  # the verdict


def test_an_output_file_is_replaced_and_its_folder_must_be_there(client):
    path = client.new_path()
    path.write_bytes(b"old" * 10**6)
    path.chmod(0o666)
    done = client.run(client.capture_command(path, "udp port 53"), path=path)
    assert done.returncode == 0 and done.section.packets
    done = client.run(client.capture_command(client.folder / "none/out", "udp port 53"))
    assert done.returncode == 1 and "none/out" in done.sentence


# ---- the API


def test_e_mail_and_key(emulator):
    api = emulator(*INSTANT)
    client = Client(api, CLOUDFLARE_API_TOKEN=None, CLOUDFLARE_EMAIL="user@example.com",
                    CLOUDFLARE_API_KEY="emulator-key")
    assert client.tshark("udp").returncode == 0


def test_credentials_from_the_configuration_file(emulator):
    api = emulator(*INSTANT)
    client = Client(api, CLOUDFLARE_API_TOKEN=None, CLOUDFLARE_ACCOUNT_ID=None)
    client.configure(f"[work]\nsample-interval=0\naccount-id={ACCOUNT}\napi-token=emulator-token\n",
                     mode=0o600)
    assert client.tshark("udp", "-o", "extcap.cloudflare_sample.profile:work").returncode == 0
    assert client.capture("udp", "--profile", "work").returncode == 0
    assert client.capture("udp").returncode == 1


@pytest.mark.parametrize("word", ["success", "complete"])
def test_a_sample_that_takes_its_time(emulator, word):
    api = emulator("--sample-interval", 0, "--job-seconds", 12, "--speed", 20, "--job-result", word)
    capture = Client(api, speed=20).tshark("udp port 53")
    check(capture, downloads_of(api), "udp port 53")
    pcap_id = requests_of(api, "GET", "/download")[0]["path"].split("/")[-2]
    polls = requests_of(api, "GET", pcap_id)
    assert 4 <= len(polls) <= 6  # after 1, 2, 3, 5 and 5 s


def test_one_sample_a_minute(emulator):
    """The second request of a filter waits for its turn; the turn of somebody else's counts."""
    api = emulator("--speed", 30, "--job-seconds", 1)
    assert api.create().status == 200
    capture = Client(api, speed=30, instant=False).tshark("udp port 53")
    assert capture.returncode == 0
    posts = requests_of(api, "POST")
    assert [post["status"] for post in posts] == [200] * 3, "no request came too early"


def test_a_turn_that_another_took_meanwhile(emulator):
    api = emulator("--speed", 20, "--job-seconds", 1)
    client = Client(api, speed=20, instant=False)
    assert api.create().status == 200
    process = client.start(client.tshark_command(client.new_path(), "udp dst port 53"))
    wait_until(lambda: requests_of(api, "GET", "/pcaps"), "the first look at the list")
    time.sleep(1)
    wait_until(lambda: api.create().status == 200, "the turn", 10)
    finish(process)
    assert process.returncode == 0
    mine = [post for post in requests_of(api, "POST") if post["body"].get("offset_time")]
    assert mine[-1]["status"] == 200


def test_tshark_s_user_is_told_that_no_packet_matches(emulator, tmp_path):
    file = write_pcap(tmp_path / "in.pcap", numbered(20))
    client = Client(emulator(*INSTANT, "--serve-as-is", file))
    for done in (client.tshark("src host 9.9.9.9"), client.capture("src host 9.9.9.9")):
        assert done.returncode == 0 and len(done.records) == 20
        assert "do not match it here" in done.stderr and "with the option local-filter off" in done.stderr


def test_a_sample_that_caught_nothing_fetched_by_its_id(emulator, tmp_path):
    """Cloudflare calls it failed and has no file for it; it is a complete capture without packets."""
    job = {"id": "a" * 32, "type": "simple", "status": "failed", "submitted": "2026-01-02T03:04:05Z",
           "error_message": "No packets matched the filter in the time limit given. Please modify the "
                            "filter or try again."}
    file = tmp_path / "job.json"
    file.write_text(json.dumps({"success": True, "errors": [], "messages": [], "result": job}))
    api = emulator("--answer", f"GET /{'a' * 32}=200:{file}")
    client = Client(api)
    done = client.capture(None, "--pcap-id", "a" * 32, interface=DOWNLOAD)
    assert done.returncode == 3, done.stderr
    seen = client.tshark(None, "-o", f"extcap.cloudflare_download.pcapid:{'a' * 32}",
                         interface=DOWNLOAD)
    assert seen.returncode == 0, seen.stderr
    for captured in (done, seen):
        assert captured.records == [] and "0 packets received" in str(captured.section)
    assert not requests_of(api, "GET", f"/{'a' * 32}/download")


def test_a_fault_in_the_middle_of_a_long_run_is_borne(emulator, tmp_path):
    """Before anything is there five seconds are; later as long as for what runs already."""
    empty = tmp_path / "list.json"
    empty.write_text('{"success":true,"errors":[],"messages":[],"result":[]}')
    faults = ["--answer", f"GET /pcaps=200x1:{empty}", "--answer", "GET /pcaps=503x8"]
    api = emulator(*INSTANT, *faults)
    done = Client(api, speed=50).capture("udp dst port 53", "--start-time=-9m")
    assert done.returncode == 0, done.stderr
    assert len(requests_of(api, "POST", "/pcaps")) == 2
    at_once = Client(emulator(*INSTANT, *faults[2:]), speed=50).capture("udp dst port 53")
    assert at_once.returncode == 1 and "HTTP 503" in at_once.sentence
