# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents are right about options, fields, files and output."""

import os
import re
import shlex
import subprocess

import pytest
from wireshark import ROOT, build_dir, stage, tshark

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"),
                *ROOT.glob("packaging/**/README.md")])
TOOL = build_dir() / "bin/cloudflaredump"


def text_of(page):
    return page.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(page))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_and_folders_named_are_there(page):
    named = re.findall(r"(?<![\w/.-])((?:packaging|tests|extcap|dissector|docs|cmake)/[\w./-]*\w)",
                       text_of(page))
    missing = {name for name in named
               if not (ROOT / name).exists() and not list(ROOT.glob(name + ".*"))}
    assert not missing


def test_every_source_file_leads_to_its_tests():
    """By its name, or by the list in tests/README.md."""
    text = text_of(ROOT / "tests/README.md")
    rows = re.findall(r"^\| (`.*) \| (.*) \|$", text.split("## From a source file")[1].split("\n## ")[0], re.M)
    listed = set(re.findall(r"`(\w+\.cpp)`", " ".join(source for source, _ in rows)))
    tests = set(re.findall(r"`(\w+\.(?:cpp|py))`", " ".join(tests for _, tests in rows)))
    there = {path.name for folder in ("unit", "property", "fuzz", "e2e")
             for path in (ROOT / "tests" / folder).iterdir()}
    sources = {path.name for folder in ("common", "extcap", "dissector", "plugin")
               for path in (ROOT / folder).rglob("*.cpp")}
    units = {name for name in there if name.endswith("_test.cpp")}
    by_name = {name for name in sources if name.replace(".cpp", "_test.cpp") in units}
    named = {name.replace(".cpp", "_test.cpp") for name in by_name}
    wrong = {"source files without a row": sources - by_name - listed,
             "rows without a source file": listed - sources - {"option_sections.cpp", "full_run.cpp"},
             "rows without a test": tests - there, "tests without a row": units - tests - named}
    assert not {what: sorted(names) for what, names in wrong.items() if names}


def test_the_readme_is_short():
    assert len(text_of(ROOT / "README.md").splitlines()) <= 150


@pytest.mark.parametrize("command", ["capture", "list", "show", "stop", "explain",
                                     "colos", "compare", "register-bucket", "check"])
def test_each_command_tells_its_name_and_its_options(command):
    told = subprocess.run([TOOL, command, "--help"], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    assert told.startswith(f"Usage:\n  cloudflaredump {command} [OPTION…]")
    also = subprocess.run([TOOL, "help", command], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    assert also == told
    assert ("--json" in told) == (command in ("capture", "list", "show", "colos", "compare"))
    assert "?" not in told.replace("?region=", "").replace("?account-id=", "")
    page = text_of(ROOT / "packaging/man/cloudflaredump.1.in").replace("\\-", "-")
    assert re.search(rf"^\.SY cloudflaredump\\ {command}$", page, re.M)


@pytest.mark.parametrize(("command", "shown", "hidden"), [
    ("list", "account-id api-token profile log-file", "time-limit colo aws-secret-access-key"),
    ("stop", "account-id api-token profile log-file", "stop-wait colo"),
    ("explain", "interface requests-per-window filter-ipv6 profile", "api-token time-limit"),
    ("register-bucket", "api-token bucket-endpoint", "time-limit aws-secret-access-key"),
    ("check", "api-token bucket-endpoint", "time-limit"),
])
def test_each_command_shows_the_options_that_count_for_it(command, shown, hidden):
    told = subprocess.run([TOOL, command, "--help"], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    options = set(re.findall(r"--([a-z0-9-]+)", told))
    assert options >= set(shown.split()) and options.isdisjoint(hidden.split())


def test_options_in_the_readme_are_options():
    known = subprocess.run([TOOL, "capture", "--help"], capture_output=True, text=True, check=True,
                           env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    scripts = "".join(text_of(ROOT / "packaging" / name) for name in ("install-personal",))
    text = re.sub(r"^.*cmake.*$", "", text_of(ROOT / "README.md"), flags=re.M)
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text)):
        assert re.search(rf"{option}\b", known) or option in scripts, option


def test_preferences_in_the_documents_are_options():
    known = subprocess.run([TOOL, "capture", "--help"], capture_output=True, text=True, check=True,
                           env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    names = {name.replace("-", "") for name in re.findall(r"--([a-z0-9-]+)", known)}
    for page in [*PAGES, ROOT / "packaging/man/cloudflaredump.1.in"]:
        text = text_of(page).replace("\\-", "-")
        for name in re.findall(r"extcap\.cloudflare_\w+\.(\w+):", text):
            assert name in names, (page.name, name)


@pytest.mark.skipif(stage().plugin_dir is None, reason="the plugin was not built")
def test_fields_in_the_documents_are_fields():
    fields = {line.split("\t")[2] for line in tshark(["-G", "fields"]).splitlines()
              if line.startswith("F\t")}
    for page in PAGES:
        for field in re.findall(r"`(cloudflare\.[a-z0-9_.]+[a-z0-9])\b(?!\.so)", text_of(page)):
            assert field in fields or field == "cloudflare.so", (page.name, field)


def test_examples_of_explain_print_what_they_say():
    examples = re.findall(r"^    \$ cloudflaredump (explain .*)\n    (\{.*\})$",
                          text_of(ROOT / "README.md"), re.M)
    assert examples
    for command, output in examples:
        told = subprocess.run([TOOL, *shlex.split(command)], capture_output=True, text=True,
                              check=True, timeout=60).stdout
        assert told.strip() == output
