# SPDX-License-Identifier: GPL-2.0-or-later
"""A display of our own with a window manager and an accessibility bus, and hands to use it."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import widgets
import wireshark
from capturing import wait_until

SIZE = (1400, 1000)
NEEDED = ("Xvfb", "openbox", "xdotool", "import", "xprop", "dbus-daemon", "wireshark")


def missing():
    """The programs that are not installed."""
    return [name for name in NEEDED if shutil.which(name) is None]


def own_folder(prefix):
    """A folder that belongs to the user who runs Wireshark, as a runtime folder must."""
    folder = wireshark.open_folder(prefix)
    folder.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(folder, wireshark.NOBODY, wireshark.NOBODY)
    return folder


class Desktop:
    """`with Desktop() as desktop:` has the display `desktop.display`, and ends all it started."""

    def __init__(self):
        self._children = []
        self.display = None

    def __enter__(self):
        try:
            self._start_display()
            self.runtime = own_folder("cloudflaredump-runtime-")
            bus = f"unix:path={self.runtime}/bus"
            self.variables = {"DISPLAY": self.display, "QT_QPA_PLATFORM": "xcb",
                              "XDG_RUNTIME_DIR": str(self.runtime),
                              "DBUS_SESSION_BUS_ADDRESS": bus,
                              "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1"}
            self._start("openbox", "--sm-disable")
            wait_until(lambda: "window id" in self._root_property("_NET_SUPPORTING_WM_CHECK"),
                       "the window manager")
            self._start("dbus-daemon", "--session", "--nofork", f"--address={bus}")
            wait_until((self.runtime / "bus").exists, "the session bus")
            self._start("/usr/libexec/at-spi-bus-launcher", "--launch-immediately")
            # libatspi in this process asks for the bus there.
            os.environ["AT_SPI_BUS_ADDRESS"] = wait_until(self._accessibility_bus,
                                                          "the accessibility bus")
            widgets.everything()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for child in reversed(self._children):
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _start_display(self):
        read_end, write_end = os.pipe()
        self._children.append(subprocess.Popen(
            ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24",
             "-nolisten", "tcp", "-noreset"],
            pass_fds=[write_end], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL))
        os.close(write_end)
        with os.fdopen(read_end) as file:
            number = file.readline().strip()
        assert number, "Xvfb did not start"
        self.display = f":{number}"

    def _start(self, *command):
        self._children.append(wireshark.start(
            command, wireshark.environment(home=self.runtime, **self.variables),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def _root_property(self, name):
        return self.do("xprop", "-root", name)

    def _accessibility_bus(self):
        shown = self._root_property("AT_SPI_BUS")
        return shown.split('"')[1] if '"' in shown else None

    def do(self, *command):
        """The stdout of one of X's tools."""
        return subprocess.run([str(word) for word in command], check=False, capture_output=True,
                              text=True, timeout=60, env={**os.environ, "DISPLAY": self.display}).stdout

    def key(self, *keys):
        for one in keys:
            self.do("xdotool", "key", "--clearmodifiers", one)

    def type(self, text):
        """Types into what has the focus."""
        self.do("xdotool", "type", "--delay", 30, text)

    def click(self, widget, times=1):
        x, y = widget.center
        self.do("xdotool", "mousemove", x, y, "click", "--repeat", times, "--delay", 60, 1)

    def raise_window(self, pid, title):
        """Waits for a window of a process and brings it to the front: its number."""
        def find():
            found = self.do("xdotool", "search", "--onlyvisible", "--all", "--pid", pid, "--name",
                            title).split()
            return found and found[-1]
        number = wait_until(find, f"a window named {title}", 90)
        self.do("xdotool", "windowactivate", "--sync", number)
        return number

    def _pixels(self):
        return subprocess.run(["import", "-window", "root", "-depth", "8", "ppm:-"], check=True,
                              capture_output=True,
                              env={**os.environ, "DISPLAY": self.display}).stdout

    def color(self, widget, dx, dy):
        """(red, green, blue) of the pixel so far from a widget's upper left corner."""
        pixels = self._pixels()
        x, y = widget.extents[0] + dx, widget.extents[1] + dy
        start = len(pixels) - 3 * SIZE[0] * SIZE[1] + 3 * (y * SIZE[0] + x)
        return tuple(pixels[start:start + 3])

    def picture(self, path, seconds=3):
        """Keeps what is on the display once it stands still; if it never does, the last of it."""
        end = time.monotonic() + seconds
        last, now = None, self._pixels()
        while now != last and time.monotonic() < end:
            time.sleep(0.2)
            last, now = now, self._pixels()
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["convert", "ppm:-", "-colors", "128", f"png8:{path}"], input=now, check=True)
        return path
