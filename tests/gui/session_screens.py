#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A session in a real Wireshark window against the emulator, with pictures for people to look at.

    tests/gui/session_screens.py FOLDER [list|capture|error]…

needs wireshark, xvfb, openbox, xdotool and imagemagick, and a build with the plugin. Writes into
FOLDER: list.png, filter-red.png, filter-green.png, toolbar.png (Wireshark 4.0's menu is walked by
keys), packets.png and error.png. Fails if Stop in the window did not stop the capture at
Cloudflare."""

import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
sys.path.insert(0, str(ROOT / "tests/gui"))
# pylint: disable=wrong-import-position
from emulator import ACCOUNT, TOKEN, Emulator
from full_captures import Folder, emulator_of, stops
from plugin_screens import Screen, home_with_profile
from wireshark import environment, open_folder, start

def make_emulator():
    """(emulator, bucket) for full captures of a minute that are over in a few seconds."""
    bucket = Folder()
    started = []
    emulator_of(lambda *options, **more: started.append(Emulator(*options, **more).start()), bucket,
                "--speed", 1, "--job-seconds", 2, "--sample-interval", 5)
    return started[0], bucket


class Window:
    """Wireshark on a display of our own."""

    def __init__(self, screen, *words, **variables):
        home = home_with_profile()
        settings = home / ".config/wireshark"
        with open(settings / "profiles/Cloudflare/preferences", "a", encoding="utf-8") as file:
            file.write("capture.devices_hide: eth0,ifb0,ifb1,any,lo,bluetooth-monitor,nflog,nfqueue,dbus-system,"
                       "dbus-session,ciscodump,dpauxmon,randpkt,sdjournal,sshdump,udpdump,wifidump\n"
                       "capture.prom_mode: FALSE\n")
        shown = "privs.warn_if_elevated: FALSE\ngui.interface_toolbar_show: Cloudflare packet captures\n"
        (settings / "recent_common").write_text(shown)
        (settings / "profiles/Cloudflare/recent").write_text(shown)
        for path in [home, *home.rglob("*")]:
            path.chmod(0o777 if path.is_dir() else 0o666)
        self.screen = screen
        self.process = start(["wireshark", "-C", "Cloudflare", *words], environment(
            home=home, DISPLAY=screen.number, QT_QPA_PLATFORM="xcb",
            XDG_RUNTIME_DIR=str(open_folder()), **variables))
        self.id = screen.window("Wireshark")
        screen.do("xdotool", "windowmove", self.id, "0", "0")
        screen.do("xdotool", "windowsize", self.id, "1400", "970")
        time.sleep(3)

    def close(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def show_list_and_filter(screen, folder, variables, _):
    window = Window(screen, **variables)
    time.sleep(15)
    screen.picture(folder / "list.png")
    screen.click(300, 287)
    screen.click(700, 221)
    screen.do("xdotool", "type", "udp port")
    time.sleep(3)
    screen.picture(folder / "filter-red.png")
    screen.do("xdotool", "type", " 53")
    time.sleep(3)
    screen.picture(folder / "filter-green.png")
    window.close()


def show_capture(screen, folder, variables, api):
    """A full capture, stopped by Wireshark's own Stop: its packets come all the same."""
    window = Window(screen, "-k", "-i", "cloudflare-ORD", "-f", "dst host 203.0.113.7", **variables)
    time.sleep(12)
    # View > Interface Toolbars > Cloudflare packet captures
    screen.key("alt+v", "Down", "Down", "Down")
    screen.key("Right", "Return")
    screen.picture(folder / "toolbar.png")
    screen.click(53, 61)  # Stop
    time.sleep(8)
    screen.picture(folder / "packets.png")
    assert stops(api), "Stop did not reach Cloudflare"
    window.close()


def show_error(screen, folder, *_):
    """Somebody's first capture, with no configuration at all."""
    window = Window(screen, "-k", "-i", "cloudflare-sample")
    time.sleep(20)
    screen.picture(folder / "error.png")
    window.close()


SHOWS = {"list": show_list_and_filter, "capture": show_capture, "error": show_error}


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    api, bucket = make_emulator()
    screen = Screen(":88")
    good = {"CLOUDFLARE_API_BASE_URL": api.url, "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
            "CLOUDFLARE_API_TOKEN": TOKEN, "CLOUDFLAREDUMP_TRACE_URL": api.url + "/cdn-cgi/trace"}
    config = open_folder() / "config.ini"
    config.write_text(f"[default]\ndestination-conf={bucket.destination}\ntime-limit=60\n")
    config.chmod(0o644)
    good["CLOUDFLAREDUMP_CONFIG"] = str(config)
    try:
        for show in sys.argv[2:] or ["list", "capture", "error"]:
            SHOWS[show](screen, folder, good, api)
    finally:
        screen.close()
        api.stop()


if __name__ == "__main__":
    main()
