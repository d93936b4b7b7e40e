# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures in the window: the toolbar, Finish now, Stop, the log, and the packets."""

import re

import pytest
from capturing import wait_until
from full_captures import ids_of, posts, stops
from test_face import interfaces
from window import captures_of

FILTER = "dst host 203.0.113.7"
COLUMNS = ["No.", "Time", "Capture", "Data center", "City", "Source", "Destination", "Protocol",
           "Length", "Info"]


def start_full(window, account, *options, configuration="time-limit=60\n"):
    """A full capture that has caught something and runs on, with its toolbar: (emulator, window)."""
    api, client = account(*options, configuration=configuration)
    shown = window(client, "-k", "-i", "cloudflare-ORD", "-f", FILTER)
    shown.show_toolbar()
    shown.wait(lambda: re.match("running, [1-9]", shown.state()), "the first packets")
    return api, shown


def ended(shown):
    """Waits for the end of the capture; no extcap is left then."""
    shown.wait(lambda: not captures_of(shown.client), "the extcap to end")
    shown.wait(lambda: shown.main.name != "" and not shown.main.name.startswith("Capturing"),
               "the end of the capture")


def check_packets(shown):
    """They are there, in our columns."""
    rows = shown.wait(shown.packets, "the packets")
    assert shown.columns() == COLUMNS
    for row in rows:
        assert (row["Capture"], row["Data center"], row["City"]) == ("full", "ORD", "Chicago")
        assert row["Destination"] == "203.0.113.7"


def test_the_toolbar_follows_a_full_capture(window, account, screenshots):
    api, shown = start_full(window, account)
    seen = set()

    def moved():
        seen.add(shown.state())
        return len(seen) >= 3
    shown.wait(moved, "the text to move")
    running = [state for state in seen if re.fullmatch(r"running, \d+ packets?, 0:\d\d left", state)]
    assert len(running) >= 3, seen
    assert shown.toolbar.find("text").has("enabled"), "it would be too pale to read"
    assert shown.toolbar.find("combo box").name == "cloudflare-ORD"
    names = [item.name for item in shown.toolbar.find("combo box").all("list item", showing=False)]
    assert sorted(names) == sorted(interfaces())
    shown.picture(screenshots / "toolbar.png")
    assert not stops(api)


def test_finish_now_stops_at_cloudflare_and_waits_for_the_packets(window, account, screenshots):
    """Stop-wait would not let them come."""
    api, shown = start_full(window, account, "--job-seconds", 5,
                            configuration="time-limit=600\nstop-wait=0\n")
    assert not stops(api)
    shown.press("Finish now")
    wait_until(lambda: stops(api) == ids_of(api), "PUT stop", 30)
    assert captures_of(shown.client), "it stays until the data is there"
    assert not shown.toolbar.find("push button", "Finishing").has("enabled")
    shown.picture(screenshots / "finish-now.png")
    ended(shown)
    assert shown.state().startswith("Stopped: ")
    check_packets(shown)
    shown.picture(screenshots / "packets.png")


def test_stop_stops_at_cloudflare_and_brings_the_packets(window, account, screenshots):
    api, shown = start_full(window, account)
    shown.desktop.click(shown.stop_button)
    wait_until(lambda: stops(api) == ids_of(api), "PUT stop", 30)
    ended(shown)
    check_packets(shown)
    shown.picture(screenshots / "stopped.png")


def test_the_log_button_shows_what_was_asked(window, account, screenshots):
    api, shown = start_full(window, account)
    shown.press("Log")
    log = shown.dialog(lambda name: "cloudflare-ORD Log" in name)
    lines = shown.wait(lambda: log.find("text").text, "lines").splitlines()
    assert any(f"full capture {ids_of(api)[0]} started at ORD" in line for line in lines), lines
    shown.picture(screenshots / "log.png")


def test_a_sample_in_the_window(window, account, screenshots):
    api, client = account()
    shown = window(client)
    shown.select("cloudflare-sample")
    shown.type_filter("udp port 53")
    shown.desktop.key("Return")
    rows = shown.wait(shown.packets, "the packets")
    ended(shown)
    assert {row["Capture"] for row in rows} == {"simple"} and {row["Data center"] for row in rows} == {""}
    assert {row["Protocol"] for row in rows} == {"DNS"}
    assert [post["body"]["filter_v1"] for post in posts(api)] == [
        {"destination_port": 53, "protocol": 17}, {"source_port": 53, "protocol": 17}]
    shown.picture(screenshots / "sample.png")


def start_live(window, account):
    """A live sample in fast time that was started by a double click: (emulator, window)."""
    api, client = account("--speed", 20, "--job-seconds", 4, "--sample-interval", 60,
                          configuration="sample-interval=60\n", CLOUDFLAREDUMP_SPEED="20")
    shown = window(client)
    shown.show_toolbar()
    shown.select("cloudflare-live")
    shown.type_filter(FILTER)
    shown.select("cloudflare-live", times=2)
    return api, shown


def packets_counted(shown):
    """How many packets the status bar counts."""
    counts = [re.search(r"Packets: (\d+)", text) for text in shown.status_bar()]
    return max((int(count[1]) for count in counts if count), default=0)


def test_a_live_sample_grows_until_stop(window, account, screenshots):
    api, shown = start_live(window, account)
    pattern = (r"window \d\d:\d\d:\d\d to \d\d:\d\d:\d\d: [\d,]+ packets?; next in [\d mins]+; "
               r"[\d,]+ in all")
    rows = shown.wait(shown.packets, "packets of the first windows", 60)
    assert {row["Capture"] for row in rows} == {"simple"}
    assert {row["Destination"] for row in rows} == {"203.0.113.7"}
    few = shown.wait(lambda: packets_counted(shown), "their count")
    shown.wait(lambda: packets_counted(shown) > few, "more packets", 60)
    shown.wait(lambda: re.fullmatch(pattern, shown.state()), "the toolbar's words", 30)
    shown.picture(screenshots / "live.png")
    shown.desktop.click(shown.stop_button)
    ended(shown)
    assert shown.state().startswith("Complete: live sample from "), shown.state()
    shown.picture(screenshots / "live-stopped.png")
    assert len(posts(api)) >= 2


def test_finish_now_takes_a_last_window_of_a_live_sample(window, account, screenshots):
    api, shown = start_live(window, account)
    shown.wait(shown.packets, "packets of the first windows", 60)
    before = len(posts(api))
    shown.press("Finish now")
    ended(shown)
    assert len(posts(api)) > before
    assert shown.state().startswith("Complete: live sample from "), shown.state()


def test_a_wireshark_that_is_killed_leaves_no_capture_behind(window, account):
    """Its dumpcap reads on, and no signal comes."""
    api, shown = start_full(window, account, configuration="time-limit=600\n")
    shown.process.kill()
    wait_until(lambda: stops(api) == ids_of(api), "PUT stop", 30)
    shown.wait(lambda: not captures_of(shown.client), "the extcap to end")


@pytest.mark.parametrize("name, variables, sentence", [
    ("unconfigured", {"CLOUDFLARE_API_TOKEN": None, "CLOUDFLARE_ACCOUNT_ID": None}, "config.ini"),
    ("wrong-token", {"CLOUDFLARE_API_TOKEN": "not-the-token"}, "token"),
    ("unreachable", {"CLOUDFLARE_API_BASE_URL": "http://127.0.0.1:9/client/v4"},
     "cannot reach 127.0.0.1")])
def test_an_error_is_one_sentence_in_a_box(window, account, screenshots, name, variables, sentence):
    _, client = account(configuration="retry-time=0\n", **variables)
    shown = window(client, "-k", "-i", "cloudflare-sample")
    box = shown.wait(lambda: next((box for box in shown.app.all("alert") if box.find(
        "label", lambda name: sentence in name)), None), "the box")
    shown.picture(screenshots / f"error-{name}.png")
    box.find("push button", "OK").act("Press")
    ended(shown)
    shown.select("cloudflare-sample")  # the window stands still for nobody
