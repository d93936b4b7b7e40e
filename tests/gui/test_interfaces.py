# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody sees who opens Wireshark: the interfaces, and whether a capture filter is good."""

from test_face import ask, of_kind


def listed():
    """What the extcap tells Wireshark: {name: display}."""
    return {row["value"]: row["display"] for row in of_kind("interface", ask("--extcap-interfaces"))}


def test_every_interface_stands_in_the_list(window, account, screenshots):
    """Among those of this machine."""
    shown = window(account()[1], hidden=[])
    shown.await_interfaces()
    rows = shown.interfaces()
    assert set(rows) >= {f"{display}: {name}" for name, display in listed().items()}
    assert len([row for row in rows if "cloudflare" in row]) == len(listed()) == 9
    shown.select("cloudflare-sample")
    shown.type_filter("udp port 53")
    shown.picture(screenshots / "interfaces.png")


def test_configured_data_centers_stand_in_the_list(window, account):
    shown = window(account(CLOUDFLAREDUMP_COLOS="ord02,FRA")[1])
    shown.await_interfaces()
    assert {row.split(": ")[-1] for row in shown.interfaces()} == {
        "cloudflare-sample", "cloudflare-live", "cloudflare-full", "cloudflare-download",
        "cloudflare-ord02", "cloudflare-FRA"}


def test_the_filter_field_is_red_with_libpcap_s_reason_and_green(window, account, screenshots):
    shown = window(account()[1])
    shown.select("cloudflare-ORD")
    assert shown.filter_color() == "white"
    shown.desktop.click(shown.filter_field)
    shown.desktop.type("udp port")
    shown.wait(lambda: shown.filter_color() == "red", "a red filter")
    reason = ask("--extcap-capture-filter", "udp port", "--extcap-interface",
                 "cloudflare-ORD").strip()
    assert "syntax error" in reason
    shown.wait(lambda: reason in shown.status_bar(), "the reason in the status bar")
    shown.picture(screenshots / "filter-red.png")
    shown.desktop.type(" 53")
    shown.wait(lambda: shown.filter_color() == "green", "a green filter")
    shown.wait(lambda: reason not in shown.status_bar(), "the reason to go")
    shown.picture(screenshots / "filter-green.png")
