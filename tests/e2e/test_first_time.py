# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody who has installed it and set up nothing."""

import re

import pytest
from test_face import ask, interfaces, of_kind
from wireshark import environment, open_folder, run, run_tshark, stage

CITIES = {"IAD": "Ashburn", "ORD": "Chicago", "LHR": "London", "FRA": "Frankfurt",
          "SIN": "Singapore"}


@pytest.fixture(scope="module")
def nobody():
    """An environment without any configuration, whose HOME may be written."""
    return environment(home=open_folder())


def test_tshark_lists_four_interfaces_and_five_data_centers(nobody):
    listed = dict(re.findall(r"^\d+\. (cloudflare-\S+) \((.+)\)$",
                             run_tshark(["-D"], nobody).stdout, re.M))
    # The order is ours in the answer; tshark sorts by name.
    assert interfaces() == ["cloudflare-sample", "cloudflare-live", "cloudflare-full",
                            "cloudflare-download", *(f"cloudflare-{code}" for code in CITIES)]
    assert sorted(listed) == sorted(interfaces())
    for code, city in CITIES.items():
        assert listed[f"cloudflare-{code}"] == (
            f"Cloudflare {code} ({city}): full capture via your bucket")


def test_tshark_lists_the_data_centers_that_are_named():
    named = {"CLOUDFLAREDUMP_COLOS": "ORD,ord02,FRA"}
    names = ["cloudflare-sample", "cloudflare-live", "cloudflare-full", "cloudflare-download", "cloudflare-ORD",
             "cloudflare-ord02", "cloudflare-FRA"]
    assert interfaces(**named) == names
    listed = re.findall(r"^\d+\. (cloudflare-\S+)", run_tshark(
        ["-D"], environment(**named)).stdout, re.M)
    assert sorted(listed) == sorted(names)


@pytest.mark.parametrize("name", interfaces())
def test_its_dialog_opens_and_a_capture_says_what_to_do(nobody, name):
    tabs = {a["group"] for a in of_kind("arg", ask("--extcap-config", "--extcap-interface", name))}
    assert "Account" in tabs
    done = run_tshark(["-i", name, "-w", f"{nobody['HOME']}/{name}.pcapng"], nobody, timeout=60)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "Cloudflare API token" in line]
    assert len(lines) == 1, done.stderr
    for word in (f"{nobody['HOME']}/.config/cloudflaredump/config.ini", "chmod 600",
                 "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_ACCOUNT_ID", "Account tab",
                 "\"Magic Firewall Packet Captures: Edit\""):
        assert word in lines[0]


def test_check_tells_settings_that_cannot_be(nobody):
    config = open_folder() / "config.ini"
    config.write_text("[default]\ntime-limit=3600\ncolos=ORD;FRA, AMS # Amsterdam,CDG,ODR\n")
    config.chmod(0o644)
    done = run([stage().tool, "check"], {**nobody, "CLOUDFLAREDUMP_CONFIG": str(config)})
    assert done.returncode == 1
    assert "NOT OK  on cloudflare-sample: time-limit is \"3600\"" in done.stdout
    for entry in ("ORD;FRA", "AMS # Amsterdam"):
        assert f'NOT OK  colos has "{entry}"' in done.stdout
    assert 'note    colos has "ODR", a data center that this version does not know' in done.stdout
    assert '"CDG"' not in done.stdout


def test_check_says_it_as_well(nobody):
    done = run([stage().tool, "check"], nobody)
    assert done.returncode == 1 and "no Cloudflare API token" in done.stdout
    for what in ("extcap", "plugin"):
        assert re.search(rf"^ok +the {what} is installed: |^note +there is no {what} at ",
                         done.stdout, re.M)
