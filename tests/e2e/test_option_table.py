# SPDX-License-Identifier: GPL-2.0-or-later
"""Every option of every interface, from `tshark -o extcap.…` to the program that captures."""

import re

import pytest
from capturing import Client
from test_face import ask, interfaces, of_kind


def some_value(argument, values, number):
    """A value that the option takes and that is not its default."""
    call = argument["call"]
    if argument["type"] == "selector":
        others = [value["value"] for value in values
                  if value["arg"] == argument["number"] and "default" not in value]
        return others[-1] if others else f"picked-{number}"
    limits = re.search(r" From ([0-9,]+) to ([0-9,]+)\.$", argument["tooltip"])
    if limits:
        least, most = (int(one.replace(",", "")) for one in limits.groups())
        return str(min(least + 1 + number % 3, most))
    return {"--profile": "other", "--start-time": "-10m", "--end-time": "-5m"}.get(
        call, f"value {number} of {call[2:]}")


@pytest.mark.parametrize("name", interfaces())
def test_each_option_reaches_the_program(name):
    answer = ask("--extcap-config", "--extcap-interface", name)
    arguments, values = of_kind("arg", answer), of_kind("value", answer)
    assert len(arguments) >= 14
    # Nothing listens there; what the program was told stands in its log before it asks.
    client = Client("http://127.0.0.1:9/client/v4", instant=False)
    client.configure("[other]\nretry-time=0\n")
    log = client.folder / "log"
    given = {}
    for number, argument in enumerate(arguments):
        if argument["type"] == "password":
            continue  # Wireshark passes none that was not typed into its dialog
        given[argument["call"].removeprefix("--")] = some_value(argument, values, number)
    given |= {"log-file": str(log), "log-level": "debug"}
    words = [word for option, value in given.items() for word in
             ("-o", f"extcap.{name.lower().replace('-', '_')}.{option.replace('-', '')}:{value}")]
    done = client.tshark("udp", *words, interface=name)
    assert done.returncode == 1
    text = log.read_text()
    for option, value in given.items():
        source = f"{option}-pick" if f"{option}-pick" in given else option
        assert f" {option} = {given[source]} (given as an option)\n" in text, (option, value)


def test_the_tool_the_file_and_the_dialog_name_the_same_options(client):
    """One table: what the dialog passes, `capture` takes and the configuration file knows."""
    told = client.tool("capture", "--help").stdout
    names = {argument["call"] for name in interfaces()
             for argument in of_kind("arg", ask("--extcap-config", "--extcap-interface", name))}
    # What only the dialog can fill is accepted, not shown, and not a key of the file.
    picks = {name for name in names if name.endswith("-pick")}
    assert len(picks) == 3 and not re.search("-pick", told)
    names -= picks
    assert len(names) >= 25
    missing = [name for name in sorted(names) if not re.search(rf"^ +{name}=", told, re.M)]
    assert not missing
    other = Client("http://127.0.0.1:9/client/v4", instant=False)
    other.configure("[spare]\n" + "".join(f"{name[2:]}=\n" for name in sorted(names))
                    + "novelty=\n", mode=0o600)
    report = other.tool("check").stdout
    assert "novelty" in report
    assert not [name for name in names if f"unknown key [spare] {name[2:]};" in report]
