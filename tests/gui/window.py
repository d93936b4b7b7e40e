# SPDX-License-Identifier: GPL-2.0-or-later
"""Wireshark in a window on a Desktop, as the user of a Client of the end-to-end tests."""

import functools
import itertools
import os
import pathlib
import shutil
import signal
import subprocess

import widgets
import wireshark
from capturing import wait_until

PROFILE = wireshark.ROOT / "packaging/wireshark-profile/Cloudflare"
TOOLBAR = "Cloudflare packet captures"

# A window on a busy machine; never what is tested.
PATIENCE = 90


@functools.cache
def other_interfaces():
    """The names of this machine's interfaces and of Wireshark's own extcaps."""
    listed = wireshark.run(["tshark", "-D"], wireshark.environment(WIRESHARK_EXTCAP_DIR=None))
    names = [line.split()[1] for line in listed.stdout.splitlines()]
    return [name for name in names if not name.startswith("cloudflare-")]


def _write_preferences(home, hidden):
    """Our profile, and what keeps Wireshark from asking things."""
    settings = home / ".config/wireshark"
    profile = settings / "profiles/Cloudflare"
    shutil.copytree(PROFILE, profile)
    (settings / "recent_common").write_text("privs.warn_if_elevated: FALSE\n")
    with open(profile / "preferences", "a", encoding="utf-8") as file:
        file.write("gui.update.enabled: FALSE\ncapture.prom_mode: FALSE\n")
        if hidden:
            file.write(f"capture.devices_hide: {','.join(hidden)}\n")
    for path in [home / ".config", *settings.parent.rglob("*")]:
        if path.name != "config.ini":
            path.chmod(0o777 if path.is_dir() else 0o666)


def processes_of(client):
    """{pid: [word of its command line]} of what runs with this client's home."""
    home, found = f"HOME={client.folder}".encode(), {}
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and home in (entry / "environ").read_bytes().split(b"\0"):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if words != [b""]:
                    found[int(entry.name)] = [word.decode() for word in words[:-1]]
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def captures_of(client):
    """{pid: words} of the extcaps that capture."""
    return {pid: words for pid, words in processes_of(client).items() if "--fifo" in words}


class WiresharkWindow:
    """`with WiresharkWindow(desktop, client, "-k", "-i", "cloudflare-ORD") as window:`"""

    def __init__(self, desktop, client, *words, hidden=None):
        self.desktop, self.client = desktop, client
        self.words = words
        self.hidden = other_interfaces() if hidden is None else hidden
        self.process = None

    def __enter__(self):
        if not (self.client.folder / ".config/wireshark").exists():
            _write_preferences(self.client.folder, self.hidden)
        with open(self.client.new_path("wireshark.log"), "wb") as log:
            self.process = wireshark.start(
                ["wireshark", "-C", "Cloudflare", *self.words],
                {**self.client.env, **self.desktop.variables}, stdout=log, stderr=log,
                cwd=self.client.folder)
        try:
            self.id = self.desktop.raise_window(self.process.pid, "Wireshark|Capturing")
            self.app = wait_until(lambda: widgets.application(self.process.pid), "its widgets",
                                  PATIENCE)
            self.desktop.do("xdotool", "windowmove", self.id, 0, 0)
            self.desktop.do("xdotool", "windowsize", "--sync", self.id, 1396, 970)
            self.wait(lambda: self.main.find("menu bar"), "the menu")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        """Ends Wireshark, and whatever of its captures is still there."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in processes_of(self.client):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    @staticmethod
    def wait(condition, what, seconds=PATIENCE):
        return wait_until(condition, what, seconds, pause=0.1)

    def picture(self, path):
        return self.desktop.picture(path)

    @property
    def main(self):
        """The main window; the other ones are dialogs."""
        return self.app.find("frame") or self.app

    def menu(self, *path):
        """Chooses an entry of the menu bar, without unfolding it."""
        item = self.main.find("menu bar")
        for name in path:
            item = item.find("menu item", name, showing=False)
            assert item, path
        item.act("Press")

    def dialog(self, name=None, role="dialog"):
        """Waits for a window other than the main one."""
        return self.wait(lambda: self.app.find(role, name), f"the {role} {name}")

    # ---- the list of interfaces

    def interfaces(self):
        """[text] of the list's rows, as they stand there."""
        return [cell.name for cell in self._interface_cells() if cell.name]

    def _interface_cells(self):
        # Qt 5 calls it a frame, Qt 6 a panel.
        listed = self.main.find(name="Interface list")
        return list(listed.all("table cell")) if listed else []

    def await_interfaces(self):
        self.wait(lambda: self._row("cloudflare-sample"), "the list of interfaces")

    def _row(self, interface):
        """The cells of an interface's row: gear, name, sparkline."""
        cells = self._interface_cells()
        at = next((n for n, cell in enumerate(cells) if cell.name.endswith(f": {interface}")), None)
        return at and cells[at - 1:at + 2]

    def select(self, interface, times=1):
        self.await_interfaces()
        self.desktop.click(self._row(interface)[1], times)

    def open_options(self, interface):
        """Clicks on the gear: the dialog."""
        self.await_interfaces()
        self.desktop.click(self._row(interface)[0])
        return self.dialog(lambda name: "Interface Options" in name)

    @property
    def filter_field(self):
        return self.main.find("text", "Capture filter entry")

    def filter_color(self):
        """"red", "green" or "white": the field's middle, where nothing is written."""
        field = self.filter_field
        red, green, blue = self.desktop.color(field, field.extents[2] * 2 // 3, 4)
        if red > blue + 20 and red > green + 20:
            return "red"
        return "green" if green > blue + 20 and green > red + 20 else "white"

    def type_filter(self, text):
        """Types a good capture filter, and waits until it is found to be one."""
        self.desktop.click(self.filter_field)
        self.desktop.type(text)
        self.wait(lambda: self.filter_color() == "green", "a green filter")

    # ---- what a capture shows

    def status_bar(self):
        """All texts of the lowest line."""
        bar = self.main.find("status bar")
        return [label.name for label in bar.all("label") if label.name]

    def show_toolbar(self):
        """Has the toolbar of our interfaces shown: it is `toolbar` from then on."""
        self.menu("View", "Interface Toolbars", TOOLBAR)
        self.toolbar = self.wait(lambda: self._toolbar_with("Log"), "the toolbar")

    def _toolbar_with(self, button):
        """Tool bars have no names with Qt 6."""
        return next((bar for bar in self.main.all("tool bar") if bar.find("push button", button)),
                    None)

    @property
    def stop_button(self):
        """Of the main tool bar."""
        return self._toolbar_with("Stop").find("push button", "Stop")

    def state(self):
        """The text of the toolbar's status field."""
        return self.toolbar.find("text").text

    def press(self, button):
        """Presses a button of the toolbar."""
        self.toolbar.find("push button", button).act("Press")

    @property
    def packet_list(self):
        return self.main.find("tree", "Packet list")

    @staticmethod
    def _columns_of(table):
        """The names of the packet list's columns; empty while one of them is being replaced, is not
        shown yet or, with Qt 6, has no name yet."""
        # They come before the cells, and what is gone when it is asked has neither role nor name.
        headers = itertools.takewhile(lambda child: child.role != "table cell",
                                      table.children() if table else ())
        names = [header.has("showing") and header.name for header in headers]
        return names if all(names) else []

    def columns(self):
        """The names of the packet list's columns, once all are on the screen."""
        return self.wait(lambda: self._columns_of(self.packet_list), "the names of the columns")

    def packets(self):
        """The packet list's rows that are on the screen, as {column: text}."""
        table = self.packet_list
        columns = self._columns_of(table)
        if not columns:
            return []
        # A list that is being filled has rows of which some cells are not there yet.
        cells = []
        for _ in range(20):
            before, cells = cells, [cell.name for cell in table.all("table cell")]
            if cells == before and len(cells) % len(columns) == 0:
                return [dict(zip(columns, cells[n:n + len(columns)]))
                        for n in range(0, len(cells), len(columns))]
        return []
