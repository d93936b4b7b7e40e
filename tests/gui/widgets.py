# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands in a window, found by role and name as assistive technology finds it (AT-SPI)."""

import functools
import warnings

import gi

gi.require_version("Atspi", "2.0")
# pylint: disable=wrong-import-position
from gi.repository import Atspi, GLib

# Debian's newest libatspi calls its C functions for texts deprecated in favour of methods that
# Debian 12's does not have.
warnings.filterwarnings("ignore", category=DeprecationWarning, message="Atspi")


# What newer versions of AT-SPI call a role, as older ones do.
ROLES = {"button": "push button"}


@functools.cache
def everything():
    """The widget above all applications. The bus's address is in AT_SPI_BUS_ADDRESS, which is read
    once, before the first application begins: libatspi never sees one that came just before it."""
    if Atspi.init() not in (0, 1):
        raise RuntimeError("no accessibility bus answers")
    root = Atspi.get_desktop(0)
    # Nobody here serves the events that would keep a cache true.
    root.set_cache_mask(Atspi.Cache.NONE)
    return Widget(root)


def application(pid):
    """The widget above all windows of a process; None before it has one."""
    return next((app for app in everything().children() if app.pid == pid), None)


def _or(default):
    """What a widget says that has gone meanwhile."""
    def decorate(method):
        @functools.wraps(method)
        def call(self, *words):
            try:
                return method(self, *words)
            except GLib.Error:
                return default
        return call
    return decorate


class Widget:
    """One thing. What has gone has no children, no text and no place."""

    def __init__(self, node):
        self._node = node

    def __repr__(self):
        return f"<{self.role} {self.name!r} {self.text!r} {self.extents}>"

    @property
    @_or("")
    def role(self):
        name = self._node.get_role_name()
        return ROLES.get(name, name)

    @property
    @_or("")
    def name(self):
        return self._node.get_name()

    @property
    @_or("")
    def text(self):
        """What is typed or shown in it; of a password field one character for each."""
        if self._node.get_text_iface() is None:
            return ""
        return Atspi.Text.get_text(self._node, 0, Atspi.Text.get_character_count(self._node))

    @property
    @_or(None)
    def pid(self):
        return self._node.get_process_id()

    @property
    @_or((0, 0, 0, 0))
    def extents(self):
        """(x, y, width, height) on the screen."""
        box = self._node.get_extents(Atspi.CoordType.SCREEN)
        return box.x, box.y, box.width, box.height

    @property
    def center(self):
        x, y, width, height = self.extents
        return x + width // 2, y + height // 2

    @_or(False)
    def has(self, state):
        """Whether it is "showing", "enabled", "checked", "selected" …"""
        return self._node.get_state_set().contains(getattr(Atspi.StateType, state.upper()))

    @_or(())
    def children(self):
        nodes = [self._node.get_child_at_index(n) for n in range(self._node.get_child_count())]
        return tuple(Widget(node) for node in nodes if node is not None)

    def walk(self, showing=True):
        """All below it, each before what is below it. What is on a hidden page or in a menu that
        is not unfolded is not looked for, unless `showing` is false: that takes seconds."""
        for child in self.children():
            if showing and not child.has("showing"):
                continue
            yield child
            if not showing or child.role != "menu bar":
                yield from child.walk(showing)

    def all(self, role=None, name=None, showing=True):
        """Those below it of this role and name (a callable that judges the name, or the name)."""
        fits = name if callable(name) else lambda text: name in (None, text)
        return (widget for widget in self.walk(showing)
                if role in (None, widget.role) and fits(widget.name))

    def find(self, role=None, name=None, showing=True):
        """The first of them, or None."""
        return next(self.all(role, name, showing), None)

    def act(self, action):
        """Does what assistive technology can do with it: "Press", "ShowMenu", "Toggle"."""
        names = [Atspi.Action.get_action_name(self._node, n)
                 for n in range(Atspi.Action.get_n_actions(self._node))]
        assert action in names, (self, names)
        Atspi.Action.do_action(self._node, names.index(action))
