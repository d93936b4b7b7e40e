# SPDX-License-Identifier: GPL-2.0-or-later
"""The dialog of an interface's options, which the gear in Wireshark's list opens."""

from capturing import wait_until

FIELDS = ("text", "password text", "combo box")


class OptionsDialog:
    """Fields are called by their labels, on the tab that is open."""

    def __init__(self, desktop, widget):
        self.desktop, self.widget = desktop, widget

    def tabs(self):
        return [tab.name for tab in self.widget.all("page tab")]

    def open_tab(self, name):
        tabs = self.widget.find("page tab list")
        self.desktop.click(tabs.find("page tab", name))
        wait_until(lambda: tabs.name == name, f"the tab {name}")  # Qt names it for the open one

    def rows(self):
        """{label: [widget of its row]} of the open tab, in order."""
        rows, row = {}, None
        page = self.widget.find("layered pane")
        for widget in page.walk():
            if widget.role == "label":
                row = rows.setdefault(widget.name, [])
            elif row is not None:
                row.append(widget)
        return rows

    def field(self, label):
        return next(widget for widget in self.rows()[label] if widget.role in FIELDS)

    def type(self, label, text):
        """Types into a field instead of what is there, and goes on to the next field. What is typed
        into a password field is told to nobody, so it cannot be waited for."""
        field = self.field(label)
        self.desktop.click(field)
        wait_until(lambda: field.has("focused"), f"the focus in {label}")
        self.desktop.key("ctrl+a")
        self.desktop.type(text)
        self.desktop.key("Tab")
        wait_until(lambda: field.role == "password text" or field.text == text, f"{text} in {label}")

    def choices(self, label):
        """The rows of a list that folds down."""
        # Where it is folded, its rows do not count as showing with Qt 6.
        return [item.name for item in self.field(label).all("list item", showing=False)]

    def choose(self, label, choice):
        """Picks a row of it by the keyboard."""
        field, down = self.field(label), self.choices(label).index(choice)
        self.desktop.click(field)
        self.desktop.key("Home", *["Down"] * down, "Return")
        wait_until(lambda: field.name == choice, f"{label} to be {choice}")

    def reload(self, label):
        """Presses the button beside a list that fills it."""
        button = next(widget for widget in self.rows()[label] if widget.name == "Reload data")
        self.desktop.click(button)

    def save(self):
        """Keeps what was typed, for the next start."""
        self.desktop.click(self.widget.find("push button", "Save"))
        wait_until(lambda: not self.widget.has("showing"), "the dialog to close")
