# SPDX-License-Identifier: GPL-2.0-or-later
"""cloudflare-live: windows that join, what ends them, and what they say, with real tshark against the
emulator's own packets."""

import collections
import datetime
import json
import os
import signal
import time

import pytest
from capturing import INSTANT, Client, ExtcapRun, finish, record, requests_of, wait_until
from faulty_gateway import FaultyGateway
from full_captures import Folder, FullClient, emulator_of
from pcapng import read_pcapng

LIVE = "cloudflare-live"
SPEED = 60  # a minute is a second
FAST = ("--speed", SPEED, "--job-seconds", 4)


def told(interface):
    """What the interface says of its window."""
    return json.loads(interface.description.split("cloudflaredump:")[1])


def seconds_of(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def truth(instant_api, start, end, **filter_v1):
    """Counter of the emulators' records from `start` to `end`: all make the same traffic."""
    found = collections.Counter()
    for at in range(start, end, 300):
        until = min(at + 300, end)
        offset = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
        for packet in instant_api.sample(time_limit=until - at, offset_time=offset,
                                         filter_v1=filter_v1):
            if at == start or packet.time > at * 10**9:
                found[record(packet)] += 1
    return found


def check_whole(instant_api, section, *filters, cut=False):
    """Every packet of the covered time once, none twice; windows are numbered from 1. Returns how
    many there are. With `cut` the reader may have left in the middle of the last."""
    descriptions = [told(interface) for interface in section.interfaces]
    numbers = list(dict.fromkeys(one["window"] for one in descriptions))
    assert numbers == list(range(1, len(numbers) + 1))
    start = seconds_of(descriptions[0]["offset_time"]) - descriptions[0]["time_limit"]
    end = seconds_of(descriptions[-1]["offset_time"])
    expected = collections.Counter()
    for filter_v1 in filters or ({},):
        expected |= truth(instant_api, start, end, **filter_v1)
    found = collections.Counter(record(packet) for packet in section.packets)
    if cut:
        whole_until = seconds_of(descriptions[-1]["offset_time"]) - descriptions[-1]["time_limit"]
        last = max(max(found)[0], whole_until * 10**9)
        expected = collections.Counter({one: n for one, n in expected.items() if one[0] <= last})
    assert found == expected
    return len(numbers)


def live_words(**options):
    return [word for name, value in options.items()
            for word in ("-o", f"extcap.cloudflare_live.{name.replace('_', '')}:{value}")]


def live_tshark(api, *arguments, capture_filter=None, timeout=120, **options):
    """A client and what its tshark captured live."""
    client = Client(api, speed=SPEED, instant=False)
    captured = client.tshark(capture_filter, *live_words(**options), *arguments, interface=LIVE,
                             timeout=timeout)
    return client, captured


def starter(api, *arguments, **options):
    """A client and a running live capture by the tool."""
    client = Client(api, speed=SPEED, instant=False)
    path = client.new_path()
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    return client, path, client.start(
        client.capture_command(path, None, *words, *arguments, interface=LIVE))


def fetched(api, count):
    """Waits until the emulator has served so many samples."""
    wait_until(lambda: len(requests_of(api, "GET", "/download")) >= count, f"{count} windows", 60)


@pytest.mark.parametrize("late", [0, 8])
def test_twenty_windows_join(emulator, instant_api, late):
    client, captured = live_tshark(emulator(*FAST, "--late", late), max_requests=20)
    assert captured.returncode == 0, captured.stderr
    assert check_whole(instant_api, captured.section) == 20


def test_others_make_windows_longer(emulator, instant_api):
    api = emulator(*FAST, "--others", 100)
    client, captured = live_tshark(api, start_time="-3h", max_requests=10)
    assert captured.returncode == 0, captured.stderr
    assert check_whole(instant_api, captured.section) == 10
    # Neither side took more than every second turn.
    ours = {told(interface)["pcap_id"] for interface in captured.section.interfaces}
    asked = [one["id"] in ours for one in reversed(api.pcaps().result)]
    between = asked[asked.index(True):len(asked) - asked[::-1].index(True)]
    assert between.count(False) >= between.count(True) - 2


def test_samples_later_than_the_lag_are_found_a_window_later(emulator, instant_api):
    client, captured = live_tshark(emulator(*FAST, "--late", 18), max_requests=14)
    assert captured.returncode == 0, captured.stderr
    section = captured.section
    first, last = told(section.interfaces[0]), told(section.interfaces[-1])
    known = seconds_of(last["offset_time"]) - 9  # the lag is 10 s
    expected = truth(instant_api, seconds_of(first["offset_time"]) - first["time_limit"], known)
    found = collections.Counter(record(packet) for packet in section.packets)
    assert found and max(found.values()) == 1
    assert {key for key in found if key[0] <= known * 10**9} == set(expected)


def test_two_requests_a_window(emulator, instant_api):
    api = emulator(*FAST)
    host = "203.0.113.7"
    client, captured = live_tshark(api, capture_filter=f"host {host}", max_requests=21,
                                   start_time="-2h")
    assert captured.returncode == 0, captured.stderr
    assert check_whole(instant_api, captured.section, {"destination_address": host},
                       {"source_address": host}) == 10


@pytest.mark.parametrize("requests", [1, 2])
def test_a_gateway_fault_on_every_third_request(emulator, instant_api, requests):
    api = emulator(*FAST)
    host = "203.0.113.7"
    filters = [{"destination_address": host}, {"source_address": host}][:requests]
    with FaultyGateway(api, lambda number: 502 if number % 3 == 0 and number > 3 else 0) as gateway:
        client, captured = live_tshark(
            gateway.url, capture_filter=f"host {host}" if requests == 2 else f"dst host {host}",
            max_requests=10 * requests, start_time="-2h")
        assert captured.returncode == 0, captured.stderr
    assert check_whole(instant_api, captured.section, *filters) == 10


def test_ten_minutes_without_a_server(emulator, instant_api):
    api = emulator(*FAST)
    with FaultyGateway(api) as gateway:
        client, path, process = starter(gateway.url, "--progress", max_requests=0, start_time="-5h")
        fetched(api, 3)
        gateway.gone = True
        time.sleep(11)  # of the emulated clock: eleven minutes
        gateway.gone = False
        fetched(api, 6)
        process.send_signal(signal.SIGINT)
        out, err = finish(process)
    assert process.returncode == 0, err
    assert check_whole(instant_api, read_pcapng(path)[0]) >= 5
    assert "no gaps" in err


def test_the_past_is_caught_up_in_windows_of_five_minutes(emulator, instant_api):
    api = emulator(*FAST)
    client, captured = live_tshark(api, start_time="-1h", max_requests=6)
    assert captured.returncode == 0, captured.stderr
    assert [told(interface)["time_limit"] for interface in captured.section.interfaces] == [300] * 6
    assert check_whole(instant_api, captured.section) == 6


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_is_how_it_ends(emulator, instant_api, stop):
    api = emulator(*FAST)
    client, path, process = starter(api, max_requests=0, start_time="-1h")
    fetched(api, 3)
    time.sleep(0.3)
    begun = time.monotonic()
    process.send_signal(stop)
    out, err = finish(process)
    assert time.monotonic() - begun < 5
    assert process.returncode == 0, err
    assert err.startswith("Complete: live sample from "), err
    check_whole(instant_api, read_pcapng(path)[0])


def test_a_stop_before_the_first_window(emulator):
    api = emulator(*FAST)
    client, path, process = starter(api)
    wait_until(lambda: requests_of(api, "GET", "/pcaps"), "the list")
    process.send_signal(signal.SIGINT)
    out, err = finish(process)
    assert process.returncode == 4
    assert err == "cloudflaredump: stopped before anything was captured.\n"
    assert requests_of(api, "POST") == []


def test_tshark_ends_it_by_count(emulator):
    client, captured = live_tshark(emulator(*FAST), "-c", 25, start_time="-1h")
    assert captured.returncode == 0, captured.stderr
    assert len(captured.section.packets) == 25


def test_tshark_ends_it_by_time(emulator, instant_api):
    client, captured = live_tshark(emulator(*FAST), "-a", "duration:6", max_requests=0,
                                   start_time="-1h")
    assert captured.returncode == 0, captured.stderr
    assert captured.seconds < 12
    assert check_whole(instant_api, captured.section, cut=True) >= 3


def test_tshark_writes_a_ring(emulator):
    client, captured = live_tshark(emulator(*FAST), "-b", "packets:15", "-b", "files:3",
                                   max_requests=3, start_time="-1h")
    assert captured.returncode == 0, captured.stderr
    files = sorted(captured.path.parent.glob("*-out_*.pcapng"))
    assert 1 <= len(files) <= 3
    assert all(len(read_pcapng(file)[0].packets) <= 15 for file in files)


def test_a_reader_that_leaves(emulator):
    api = emulator(*FAST)
    client = Client(api, speed=SPEED, instant=False)
    run = ExtcapRun(client, None, "--max-requests", "0", "--start-time=-1h", interface=LIVE)
    wait_until(lambda: run.read() or run.data, "packets", 60)
    run.close_reader()
    begun = time.monotonic()
    run.process.wait(30)
    assert time.monotonic() - begun < 5
    assert run.process.returncode == 0


def test_a_full_window_says_what_share_it_covers(emulator):
    api = emulator(*FAST)
    client = Client(api, speed=SPEED, instant=False)
    captured = client.capture(None, "--packet-limit", 10, "--max-requests", 5, "--start-time=-1h",
                              "--progress", interface=LIVE)
    assert captured.returncode == 4
    for interface in captured.section.interfaces:
        assert told(interface)["limit_reached"] is True
        assert 0 <= told(interface)["coverage.share"] < 100
    assert "(packet limit reached: " in captured.stderr
    assert "filters that ask for less: dst host " in captured.stderr
    assert "the limit of 10 packets was reached" in captured.stderr


def test_its_price_is_told(emulator):
    api = emulator(*FAST)
    client = Client(api, speed=SPEED, instant=False)
    captured = client.capture("host 203.0.113.7", "--max-requests", 2, "--progress", interface=LIVE)
    assert "2 requests, 2 min, for each window (one with dst host 203.0.113.7)" in captured.stderr
    refused = client.capture("host 203.0.113.7", "--max-requests", 1, interface=LIVE)
    assert refused.returncode == 2
    assert refused.sentence == ("a window takes 2 requests, and max-requests is 1; allow more "
                                "requests, or ask with fewer (requests-per-window 1).")


def test_a_full_capture_is_found_behind_fifty_samples(emulator, recorded):
    """The list of captures ends at fifty; what was started here is remembered by its id."""
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--job-result", "never",
                      "--sample-interval", 0)
    client = FullClient(api, bucket)
    running, path = client.start_full(interface="cloudflare-ORD", time_limit=3600)
    wait_until(lambda: requests_of(api, "POST", "/pcaps"), "the full capture")
    pcap_id = wait_until(
        lambda: [one["id"] for one in api.pcaps().result if one["type"] == "full"], "its id")[0]
    wait_until(lambda: requests_of(api, "GET", f"/pcaps/{pcap_id}"), "that its id is known here")
    for _ in range(55):
        assert api.create().status == 200
    assert pcap_id not in [one["id"] for one in api.pcaps().result]
    assert pcap_id in client.tool("list").stdout
    refused = client.full()
    assert refused.returncode == 1 and pcap_id in refused.sentence
    listed = client.run([client.face_path, "--extcap-interface", "cloudflare-download",
                         "--extcap-config", "--extcap-reload-option", "--pcap-id-pick"])
    assert pcap_id in listed.stdout
    running.send_signal(signal.SIGINT)
    finish(running)
    assert api.wait(pcap_id, "never", "success", "conversion_pending", "conversion_running")


def test_its_samples_are_not_the_latest_capture(emulator):
    """A full capture that is left behind stays preselected for the download while live runs."""
    api = emulator(*FAST)
    client = Client(api, speed=SPEED, instant=False)
    assert client.capture(None, "--time-limit", 5).returncode == 0
    pcap_id = api.pcaps().result[0]["id"]
    assert client.capture(None, "--max-requests", 2, interface=LIVE).returncode == 0
    again = client.capture(interface="cloudflare-download")
    assert told(again.section.interfaces[0])["pcap_id"] == pcap_id
    assert again.returncode == 0, "its limits are known from the record"


def test_five_minutes_with_three_times_the_limit(emulator, instant_api):
    """A sample's window that reached the limit is asked in halves until it is whole."""
    end = int(time.time()) - 60
    everything = truth(instant_api, end - 300, end)
    limit = sum(everything.values()) // 3
    client = Client(emulator(*INSTANT))
    captured = client.capture(None, "--end-time", end, "--packet-limit", limit, "--max-requests", 0)
    assert captured.returncode == 0, captured.stderr
    assert collections.Counter(captured.records) == everything
    times = [packet.time for packet in captured.section.packets]
    assert times == sorted(times)
    assert "coverage.share" not in captured.section.interfaces[0].description
    few = client.capture(None, "--end-time", end, "--packet-limit", limit, "--max-requests", 1)
    assert few.returncode == 4
    assert "% of the time is covered" in few.stderr
    assert told(few.section.interfaces[0])["coverage.share"] < 50


def test_runs_at_once_wait_for_each_others_turn(emulator):
    api = emulator(*FAST)
    client = Client(api, speed=SPEED, instant=False)
    paths = [client.new_path() for _ in range(4)]
    runs = [client.start(client.capture_command(path, None, "--time-limit", 5)) for path in paths]
    for run in runs:
        out, err = finish(run)
        assert run.returncode == 0, err
    assert len({told(read_pcapng(path)[0].interfaces[0])["pcap_id"] for path in paths}) == 4


def test_the_time_in_the_name_of_the_file(instant_api):
    client = Client(instant_api, TZ="Asia/Kathmandu")
    before = time.time()
    done = client.run([client.tool_path, "capture", "-q", "-i", "cloudflare-sample", "-w",
                       "at-%Y%m%d-%H%M%S-100%%.pcapng", "--report", "at-%Y.md"])
    assert done.returncode == 0, done.stderr
    names = sorted((path.name for path in client.folder.glob("at-*")), key=len, reverse=True)
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=45))
    moments = {datetime.datetime.fromtimestamp(before + late, zone).strftime(
        "at-%Y%m%d-%H%M%S-100%.pcapng") for late in range(10)}
    assert len(names) == 2 and names[1] == f"at-{datetime.datetime.now(zone).year}.md"
    assert names[0] in moments
    assert read_pcapng(client.folder / names[0])
    assert os.stat(client.folder / names[0]).st_size > 0


def test_an_option_of_other_interfaces_is_named(emulator):
    client = Client(emulator(*FAST), speed=SPEED, instant=False)
    done = client.capture(None, "--end-time=now", "--byte-limit=5", "--max-requests=1",
                          "--start-time=-1h", interface=LIVE)
    assert done.returncode == 0
    assert done.stderr.startswith(
        "cloudflaredump: warning: --end-time has no effect on cloudflare-live.\n"
        "cloudflaredump: warning: --byte-limit has no effect on cloudflare-live.\n")


def test_a_disk_that_is_full_ends_it(emulator):
    api = emulator(*FAST)
    client = Client(api, speed=SPEED, instant=False)
    done = client.run(client.capture_command("/dev/full", None, "--max-requests=0",
                                             "--start-time=-5h", interface=LIVE))
    assert done.returncode == 4 and "/dev/full" in done.stderr and "Incomplete: " in done.stderr
    assert len(requests_of(api, "POST")) == 1


def test_if_every_window_fails_it_is_said(emulator):
    client = Client(emulator(*FAST, "--job-result", "failed"), speed=SPEED, instant=False)
    done = client.capture(None, "--max-requests=2", "--start-time=-1h", "-q", interface=LIVE)
    assert done.returncode == 1
    # What failed is not to be had later.
    assert " failed" in done.sentence and "--pcap-id" not in done.sentence
