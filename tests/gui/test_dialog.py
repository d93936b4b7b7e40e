# SPDX-License-Identifier: GPL-2.0-or-later
"""The dialog of an interface's options: what it asks, its reload buttons, and that what is typed
there reaches the program, and nobody else."""

import pytest
from capturing import requests_of, wait_until
from emulator import ACCOUNT
from full_captures import ids_of, posts
from options_dialog import OptionsDialog
from test_face import dialog, of_kind
from window import captures_of

TOKEN = "typed-token-0123456789abcdefghijklmn"


def open_dialog(shown, interface):
    return OptionsDialog(shown.desktop, shown.open_options(interface))


def started(shown, interface):
    """Starts a capture as people do: {pid: words} of its extcap."""
    shown.select(interface, times=2)
    return shown.wait(lambda: captures_of(shown.client), "the extcap")


@pytest.mark.parametrize("interface", ["cloudflare-sample", "cloudflare-live", "cloudflare-full",
                                       "cloudflare-ORD", "cloudflare-download"])
def test_each_tab_asks_what_the_options_table_says(window, account, screenshots, interface):
    _, client = account(configuration="time-limit=45\n")
    options = of_kind("arg", dialog(interface))
    shown = window(client)
    asked = open_dialog(shown, interface)
    groups = list(dict.fromkeys(option["group"] for option in options))
    assert asked.tabs() == [tab for tab in ("Capture", "Filter", "Account", "Bucket", "Advanced")
                            if tab in groups]
    for tab in asked.tabs():
        asked.open_tab(tab)
        expected = [option for option in options if option["group"] == tab]
        rows = {label: [(w.role, w.name) for w in row] for label, row in asked.rows().items()}
        assert list(rows) == [option["display"] for option in expected]
        for option in expected:
            row = rows[option["display"]]
            kind = {"password": "password text", "selector": "combo box"}.get(option["type"], "text")
            assert kind in [role for role, _ in row], option
            assert (("push button", "Reload data") in row) == (option.get("reload") == "true")
        shown.picture(screenshots / f"dialog-{interface}-{tab.lower()}.png")


def test_the_reload_button_lists_the_captures(window, account, screenshots):
    api, client = account()
    api.create(filter_v1={"destination_port": 53, "protocol": 17})
    assert client.full("dst host 203.0.113.7", time_limit=8).returncode == 0
    shown = window(client)
    asked = open_dialog(shown, "cloudflare-download")
    assert asked.choices("Pick a capture") == ["as typed"]
    before = len(requests_of(api, "GET", "/pcaps"))
    asked.reload("Pick a capture")
    rows = shown.wait(lambda: asked.choices("Pick a capture")[1:], "the captures")
    assert len(requests_of(api, "GET", "/pcaps")) == before + 1
    assert len(rows) == 2
    full = next(row for row in rows if "full at ORD, filter destination_address 203.0.113.7, " in row)
    assert any(", sample of all data centers, filter " in row for row in rows)
    shown.desktop.click(asked.field("Pick a capture"))
    shown.picture(screenshots / "dialog-reload.png")
    shown.desktop.key("Escape")

    asked_before = len(requests_of(api, "GET", f"/pcaps/{ids_of(api)[0]}"))
    asked.choose("Pick a capture", full)
    asked.save()
    shown.select("cloudflare-download", times=2)
    shown.wait(lambda: shown.packets(), "its packets")
    assert len(requests_of(api, "GET", f"/pcaps/{ids_of(api)[0]}")) > asked_before
    assert {row["Data center"] for row in shown.packets()} == {"ORD"}


@pytest.mark.parametrize("interface, label, row", [
    ("cloudflare-full", "Pick a data center",
     "LHR (London): 100% of the account's traffic in the last hour"),
    ("cloudflare-ORD", "Pick a bucket", None)], ids=["data centers", "buckets"])
def test_the_other_reload_buttons(window, account, screenshots, interface, label, row):
    _, client = account("--trace-colo", "LHR")
    shown = window(client)
    asked = open_dialog(shown, interface)
    if row is None:
        asked.open_tab("Bucket")
        row = client.bucket.destination
    asked.reload(label)
    rows = shown.wait(lambda: asked.choices(label)[1:], "the list")
    assert rows[0] == row
    shown.desktop.click(asked.field(label))
    shown.picture(screenshots / f"dialog-reload-{interface}.png")


def test_a_reload_without_credentials_says_what_to_do(window, account, screenshots):
    _, client = account(CLOUDFLARE_API_TOKEN=None)
    shown = window(client)
    asked = open_dialog(shown, "cloudflare-download")
    asked.reload("Pick a capture")
    said = shown.wait(lambda: [row for row in asked.choices("Pick a capture") if row != "as typed"],
                      "the reason")
    assert len(said) == 1 and "no Cloudflare API token" in said[0] and "Account tab" in said[0]
    shown.desktop.click(asked.field("Pick a capture"))
    shown.picture(screenshots / "dialog-reload-failed.png")


def test_what_is_typed_reaches_cloudflare_and_a_secret_nobody_else(window, account, screenshots):
    """Only the typed token opens the account, and it was typed nowhere else."""
    api, client = account("--token", TOKEN, "--job-result", "never",
                          CLOUDFLARE_API_TOKEN=None, CLOUDFLARE_ACCOUNT_ID=None)
    shown = window(client)
    asked = open_dialog(shown, "cloudflare-sample")
    asked.type("Time limit (s)", "77")
    asked.type("Packet limit", "123")
    asked.open_tab("Account")
    asked.type("Account ID", ACCOUNT)
    asked.type("API token", TOKEN)
    assert TOKEN not in asked.field("API token").text
    shown.picture(screenshots / "dialog-typed.png")
    asked.save()
    capture = started(shown, "cloudflare-sample")
    post = wait_until(lambda: posts(api), "the request", 60)[0]
    assert (post["status"], post["path"].split("/")[-2]) == (200, ACCOUNT)
    assert (post["body"]["time_limit"], post["body"]["packet_limit"]) == (77, 123)

    assert captures_of(client).keys() == capture.keys(), "the same process"
    words = next(iter(captures_of(client).values()))
    assert "--api-token" in words and TOKEN not in " ".join(words), "still in argv"
    kept = [path for path in client.folder.rglob("*") if path.is_file()
            and TOKEN.encode() in path.read_bytes()]
    assert not kept


@pytest.mark.parametrize("interface, limit", [("cloudflare-sample", 300), ("cloudflare-ORD", 60)])
def test_what_is_left_alone_is_the_program_s_own_default(window, account, interface, limit):
    """Wireshark passes nothing then."""
    api, client = account()
    shown = window(client)
    open_dialog(shown, interface).save()
    words = next(iter(started(shown, interface).values()))
    assert not [word for word in words if word.startswith(("--time", "--packet", "--api"))]
    post = wait_until(lambda: posts(api), "the request", 60)[0]
    assert (post["body"]["time_limit"], post["body"]["packet_limit"]) == (limit, 10000)
