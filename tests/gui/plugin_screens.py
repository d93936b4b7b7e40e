#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Takes pictures of the plugin in a real Wireshark window, for people to look at.

    tests/gui/plugin_screens.py FOLDER

needs wireshark, xvfb, openbox, xdotool and imagemagick, and the plugin built. Writes into FOLDER:
details.png (columns, colors and the packet's tree), menu.png (the menu Statistics), statistics.png
(its window) and full.png (the same of a full capture alone, with rates)."""

import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
# pylint: disable=wrong-import-position
from descriptions import FULL, SAMPLE, describe, mark
from pcapng import Interface, Packet, Section, tcp, udp, write_pcapng
from wireshark import environment, open_folder, start

START = 1795414800 * 10**9
SIZE = "1400x1000"


def captures(folder):
    """A sample with two requests and a full capture of two parts in one file; the latter alone."""
    sample = [Interface(name="cloudflare-sample", description=describe(
        "Cloudflare sample, all data centers", **SAMPLE, request=n, requests=2,
        filter_v1__destination_address=address))
        for n, address in ((1, "203.0.113.7"), (2, "198.51.100.9"))]
    full = [Interface(name="cloudflare-ORD", description=describe(
        "Cloudflare ORD (Chicago), full capture",
        **{**FULL, "part": n}, submitted="2026-11-23T06:20:00Z",
        destination_conf="s3://pcaps?region=us-east-1", object=f"pcap_7d7c_{n}.pcap",
        filter_v1__destination_address="203.0.113.7", filter_v1__protocol=6,
        coverage__first="2026-11-23T06:20:01Z", coverage__last="2026-11-23T06:20:59Z"))
        for n in (1, 2)]

    def packets(first, count):
        def one(index, interface):
            frame = tcp(source_port=40000 + index, payload=bytes(90)) if interface >= first else \
                udp(payload=bytes(60))
            comments = {9: [mark(undecided=True)], count - 1: [mark(limit_reached=True)]}
            return Packet(frame, interface, START + index * 10**8,
                          900 if interface < first else None, comments.get(index, []))
        interfaces = 4 if first else 2
        return [one(index, index % interfaces) for index in range(count)]

    return (write_pcapng(folder / "both.pcapng", Section(sample + full, packets(2, 60))),
            write_pcapng(folder / "full.pcapng", Section(full, packets(0, 60))))


def home_with_profile():
    """Preferences that keep Wireshark from asking things."""
    home = open_folder()
    settings = home / ".config/wireshark"
    shutil.copytree(ROOT / "packaging/wireshark-profile/Cloudflare", settings / "profiles/Cloudflare")
    (settings / "recent_common").write_text("privs.warn_if_elevated: FALSE\n")
    with open(settings / "profiles/Cloudflare/preferences", "a", encoding="utf-8") as file:
        file.write("gui.update.enabled: FALSE\n")
    for path in [home, *home.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    return home


class Screen:
    """A display of our own, ended with what runs on it."""

    def __init__(self, number=":87"):
        self.number, self.children = number, []
        self._run(["Xvfb", number, "-screen", "0", f"{SIZE}x24"])
        time.sleep(2)
        self._run(["openbox"])

    def _run(self, command):
        self.children.append(subprocess.Popen(command, env={**os.environ, "DISPLAY": self.number},
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def do(self, *command):
        return subprocess.run(command, env={**os.environ, "DISPLAY": self.number}, check=False,
                              capture_output=True, text=True).stdout

    def key(self, *keys):
        for one in keys:
            self.do("xdotool", "key", one)
            time.sleep(0.5)

    def click(self, x, y):
        self.do("xdotool", "mousemove", str(x), str(y), "click", "1")
        time.sleep(1)

    def window(self, title, seconds=60):
        """Waits for a window and brings it to the front."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.do("xdotool", "search", "--onlyvisible", "--name", title).split()
            if found:
                self.do("xdotool", "windowactivate", "--sync", found[0])
                return found[0]
            time.sleep(0.5)
        raise AssertionError(f"no window named {title}")

    def picture(self, path):
        time.sleep(2)
        self.do("import", "-window", "root", str(path))
        print(path)

    def close(self):
        for child in reversed(self.children):
            child.terminate()
            child.wait(timeout=20)


def show(screen, path, title, take):
    """Opens a file in Wireshark, lets `take` take pictures, closes it."""
    env = environment(home=home_with_profile(), DISPLAY=screen.number, QT_QPA_PLATFORM="xcb",
                      XDG_RUNTIME_DIR=str(open_folder()))
    wireshark = start(["wireshark", "-C", "Cloudflare", "-r", str(path)], env)
    try:
        window = screen.window(title)
        screen.do("xdotool", "windowmove", window, "0", "0")
        screen.do("xdotool", "windowsize", window, "1400", "1000")
        time.sleep(3)
        take()
    finally:
        wireshark.terminate()
        wireshark.wait(timeout=60)


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    both, full = captures(open_folder())
    screen = Screen()
    try:
        def details():
            # Packet 3 is of the full capture. Its tree alone is opened, from the end of the pane.
            screen.click(300, 174)
            screen.click(300, 600)
            screen.key("ctrl+Left", "End", "shift+Right", "End")
            screen.picture(folder / "details.png")
            screen.key("alt+s")
            screen.picture(folder / "menu.png")
            screen.key("Escape", "Escape")

        def statistics(name):
            def take():
                # Plugins' entries are the last in the menu; F5's comes after ours.
                screen.key("alt+s", "Up", "Up", "Return")
                window = screen.window("Cloudflare")
                screen.do("xdotool", "windowsize", window, "1200", "800")
                screen.picture(folder / name)
            return take

        show(screen, both, "both.pcapng", details)
        show(screen, both, "both.pcapng", statistics("statistics.png"))
        show(screen, full, "full.pcapng", statistics("full.png"))
    finally:
        screen.close()


if __name__ == "__main__":
    main()
