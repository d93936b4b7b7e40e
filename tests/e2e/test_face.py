# SPDX-License-Identifier: GPL-2.0-or-later
"""What the face answers to Wireshark's questions, read as Wireshark 4.0 reads it."""

import os
import re
import shutil
import subprocess

import libpcap
import pytest
from capturing import SAMPLE
from wireshark import build_dir, environment, face_alone, open_folder, run, run_tshark, stage

FACE = stage().extcap_dir / "cloudflaredump"

# Wireshark's own expressions (extcap_parser.c): the kind of a sentence, and its pairs.
SENTENCE = re.compile(r"^[\t| ]*(arg|value|interface|extcap|dlt|control)(?=[\t| ]+\{)", re.I)
PAIR = re.compile(r"\{([a-zA-Z_-]*?)\=(.*?)\}(?=\{|$|\s)")
REQUIRED = {"extcap": {"version"}, "interface": {"value", "display"},
            "dlt": {"number", "name", "display"}, "arg": {"number", "call", "display", "type"},
            "value": {"arg", "value", "display"}, "control": {"number", "type", "display"}}
# A type that Wireshark 4.0 does not know would be complained about on tshark's own stdout.
TYPES_OF_4_0 = {"integer", "unsigned", "long", "double", "boolean", "boolflag", "string",
                "password", "selector", "radio", "multicheck", "fileselect", "timestamp"}
TABS = ["Capture", "Filter", "Account", "Bucket", "Advanced"]


def ask(*words, **variables):
    """The answer to one of Wireshark's calls, which ends well and without noise."""
    done = run([FACE, *words], environment(**variables), timeout=20)
    assert (done.returncode, done.stderr) == (0, ""), words
    return done.stdout


def sentences(answer):
    """[(kind, {key: value})] of an answer; nothing in it may be lost on Wireshark's parser."""
    read = []
    for line in answer.splitlines():
        kind = SENTENCE.match(line)
        assert kind, f"no sentence: {line}"
        pairs = PAIR.findall(line)
        assert line == kind[1] + " " + "".join(f"{{{key}={value}}}" for key, value in pairs)
        keys = dict(pairs)
        assert len(keys) == len(pairs) and REQUIRED[kind[1]] <= {k for k, v in pairs if v}
        read.append((kind[1], keys))
    return read


def of_kind(kind, answer):
    return [keys for one, keys in sentences(answer) if one == kind]


def interfaces(**variables):
    return [i["value"] for i in of_kind("interface", ask("--extcap-interfaces", **variables))]


def dialog(interface=SAMPLE, **variables):
    return ask("--extcap-config", "--extcap-interface", interface, **variables)


# ---- the list of interfaces


def test_interfaces_with_and_without_a_version():
    plain = ask("--extcap-interfaces")
    assert plain == ask("--extcap-interfaces", "--extcap-version=4.0")
    assert plain == ask("--extcap-interfaces", "--extcap-version", "4.6")
    assert sentences(plain)[0][0] == "extcap"
    listed = of_kind("interface", plain)
    assert listed[0] == {"value": "cloudflare-sample", "display":
                         "Cloudflare sample: all data centers, last 5 min, first 160 bytes"}
    names = [i["value"] for i in listed]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"cloudflare-[A-Za-z0-9]+", name) for name in names)


def test_tshark_lists_the_interface():
    done = run_tshark(["-D"])
    assert done.returncode == 0
    assert re.search(r"^\d+\. cloudflare-sample \(Cloudflare sample: .+\)$", done.stdout, re.M)


@pytest.mark.parametrize("words", [
    ["--extcap-interfaces"],
    ["--extcap-dlts", "--extcap-interface", SAMPLE],
    ["--extcap-config", "--extcap-interface", SAMPLE],
    ["--extcap-capture-filter", "udp", "--extcap-interface", SAMPLE],
])
@pytest.mark.parametrize("unknown", [
    ["--extcap-novelty"], ["--extcap-novelty=1"], ["--extcap-novelty", "1"],
    ["--extcap-config-option-name", "N", "--extcap-config-option-value", "V"],
])
def test_options_of_later_wiresharks_change_nothing(words, unknown):
    plain = ask(*words)
    assert ask(*words, *unknown) == plain
    assert ask(*unknown, *words) == plain


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"], ["--version"],
                                   ["--extcap-cleanup-postkill"], ["--extcap-novelty"]])
def test_other_calls_end_well(words):
    ask(*words)


# ---- one interface


def test_each_interface_has_a_link_type():
    for name in interfaces():
        answer = ask("--extcap-dlts", "--extcap-interface", name)
        assert [kind for kind, _ in sentences(answer)] == ["dlt"]
        assert answer == ask(f"--extcap-interface={name}", "--extcap-dlts")
        assert sentences(answer)[0][1]["number"].isdigit()


def test_each_dialog_is_one_that_4_0_can_show():
    for name in interfaces():
        answer = dialog(name)
        arguments, values = of_kind("arg", answer), of_kind("value", answer)
        assert {kind for kind, _ in sentences(answer)} <= {"arg", "value"}
        assert [a["number"] for a in arguments] == [str(n) for n in range(len(arguments))]
        calls = [a["call"] for a in arguments]
        assert all(re.fullmatch(r"--[a-z0-9]+(-[a-z0-9]+)*", call) for call in calls)
        # Preferences are named without the dashes.
        assert len({call.replace("-", "") for call in calls}) == len(calls)
        assert {a["type"] for a in arguments} <= TYPES_OF_4_0
        assert {v["arg"] for v in values} == {a["number"] for a in arguments
                                              if a["type"] in ("selector", "radio")}


def test_each_option_is_explained_and_in_a_tab():
    for name in interfaces():
        arguments = of_kind("arg", dialog(name))
        assert all(len(a["tooltip"]) > 20 for a in arguments)
        assert {a["group"] for a in arguments} <= set(TABS)
        for a in arguments:
            # Wireshark passes such a default as if the user had set it.
            assert "default" not in a


def test_selectors_show_the_program_s_own_default():
    for name in interfaces():
        answer = dialog(name)
        chosen = [v for v in of_kind("value", answer) if v.get("default") == "true"]
        selectors = [a["number"] for a in of_kind("arg", answer) if a["type"] == "selector"]
        assert [v["arg"] for v in chosen] == selectors


def test_the_sample_s_options():
    calls = {a["call"] for a in of_kind("arg", dialog())}
    assert calls >= {"--account-id", "--api-token", "--api-email", "--api-key", "--profile",
                     "--time-limit", "--packet-limit", "--start-time", "--end-time",
                     "--requests-per-window", "--max-requests", "--local-filter", "--filter-ipv6",
                     "--stop-wait", "--max-wait", "--keep-originals", "--log-level", "--log-file"}
    assert not calls & {"--colo", "--byte-limit", "--destination-conf", "--if-busy", "--pcap-id"}


def test_an_unknown_interface_is_one_sentence():
    for call in ("--extcap-dlts", "--extcap-config"):
        done = run([FACE, call, "--extcap-interface", "cloudflare-{x}\nnovelty"], timeout=20)
        assert done.returncode == 1 and done.stdout == ""
        assert re.fullmatch(r'there is no interface "cloudflare-\(x\) novelty"; .+\.\n', done.stderr)


# ---- the effective values


def placeholder(call, answer):
    return next(a for a in of_kind("arg", answer) if a["call"] == call).get("placeholder")


def test_placeholders_say_what_holds_and_why():
    assert placeholder("--time-limit", dialog()) == "300"
    folder = open_folder()
    config = folder / "config.ini"
    config.write_text("[default]\ntime-limit=7\n[office]\npacket-limit=9\n")
    config.chmod(0o644)
    answer = dialog(CLOUDFLAREDUMP_CONFIG=config, CLOUDFLARE_ACCOUNT_ID="account1",
                    CLOUDFLAREDUMP_PROFILE="office")
    assert placeholder("--time-limit", answer) == f"7 ({config} [default])"
    assert placeholder("--packet-limit", answer) == f"9 ({config} [office])"
    assert placeholder("--account-id", answer) == "account1 (CLOUDFLARE_ACCOUNT_ID)"


def test_secrets_are_named_never_shown():
    answer = dialog(CLOUDFLARE_API_TOKEN="planted-token", CLOUDFLARE_API_KEY="planted-key",
                    CLOUDFLARE_EMAIL="me@example.com")
    assert "planted" not in answer
    assert placeholder("--api-token", answer) == "set by CLOUDFLARE_API_TOKEN"
    assert placeholder("--api-key", answer) == "set by CLOUDFLARE_API_KEY"


@pytest.mark.parametrize("value", [
    "a}{value=b} {display=c", "two\nlines", "tab\there", "\x1b[31mred", "{", "}", "{}",
    b"\xff\xfe".decode("utf-8", "surrogateescape"), "x" * 100000, "‮txt.exe",
])
def test_no_value_breaks_a_sentence(value):
    plain = dialog()
    answer = dialog(CLOUDFLARE_ACCOUNT_ID=value, CLOUDFLARE_EMAIL=value)
    assert [(k, v["display"]) for k, v in sentences(answer)] == [
        (k, v["display"]) for k, v in sentences(plain)]
    assert len(answer) < len(plain) + 10000


@pytest.mark.parametrize("text, mode", [
    ("no key file", 0o644), ("[default]\napi-token=planted-token\n", 0o644),
    ("[default]\ntime-limit=never\n", 0o644), ("\xff\xfe", 0o644), ("[default]\n", 0o000),
])
def test_a_broken_configuration_does_not_hide_the_interfaces(text, mode):
    config = open_folder() / "config.ini"
    config.write_text(text, encoding="latin-1")
    config.chmod(mode)
    for variables in ({"CLOUDFLAREDUMP_CONFIG": config}, {"CLOUDFLAREDUMP_CONFIG": config / "none"},
                      {"HOME": None}, {"HOME": "/nonexistent"}):
        assert SAMPLE in interfaces(**variables)
        assert "--api-token" in dialog(**variables)
        assert "planted" not in dialog(**variables)


@pytest.mark.parametrize(("text", "variables"), [
    ("time-limit=3600\n", {}),  # good for full captures only
    ("packet-limit=none\n", {}), ("", {"CLOUDFLAREDUMP_PROFILE": "not there"}),
    ("", {"CLOUDFLAREDUMP_LOG_LEVEL": "loud"}), ("api-token=planted-token\n", {}),
])
def test_one_wrong_value_does_not_hide_the_data_centers(text, variables):
    config = open_folder() / "config.ini"
    config.write_text("[default]\ncolos=AMS,CDG\n" + text)
    config.chmod(0o644)
    listed = interfaces(CLOUDFLAREDUMP_CONFIG=config, **variables)
    assert {"cloudflare-AMS", "cloudflare-CDG"} <= set(listed) and "cloudflare-ORD" not in listed


# ---- the filter's verdict


def verdict(text):
    return ask("--extcap-capture-filter", text, "--extcap-interface", SAMPLE)


@pytest.mark.parametrize("text", [
    "", "udp port 53", "tcp[tcpflags] & tcp-syn != 0", "ip6", "vlan and tcp", "ether host 1:2:3:4:5:6",
    "host www.example.com", "icmp[0] == 8", "not host 192.0.2.1", "net 192.0.2.0/24", " udp ",
    "udp port domain", "greater 100", "  ",
])
def test_filters_that_are_good(text):
    assert verdict(text) == ""


@pytest.mark.parametrize("text", [
    "udp port", "tcp and udp", "net 192.0.2.0/33", "nonsense", "udp port 65536", "udp port 53 and (",
    "len > 0 and", "vlan and (",
])
def test_filters_that_libpcap_refuses(text):
    """In libpcap's own words, whatever its version has."""
    assert verdict(text) == libpcap.says(text) + "\n"


@pytest.mark.parametrize("text", ["inbound", "vlan and outbound", "\x1b[2J"])
def test_filters_that_are_not(text):
    assert re.fullmatch(r"[^\n{}\x1b]+\n", verdict(text))


@pytest.mark.parametrize("count", [600, 2000])
def test_a_filter_that_libpcap_cannot_compile_in_time(count):
    """600 take libpcap 1.10 a minute, 2,000 some minutes and more than a gigabyte. libpcap 1.11 can
    do with 600."""
    answer = verdict(" or ".join(f"port {1000 + 7 * i}" for i in range(count)))
    good = count == 600 and answer == "" and libpcap.version() >= (1, 11)
    assert good or re.fullmatch(r"libpcap [^\n]+; use fewer alternatives, [^\n]+\n", answer)


def test_a_filter_may_look_like_an_option():
    assert verdict("--capture") != ""
    assert run([FACE, "--extcap-capture-filter=udp", f"--extcap-interface={SAMPLE}"]).stdout == ""


# ---- what the face does not do


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("words", [
    ["--extcap-interfaces", "--extcap-version=4.0"],
    ["--extcap-dlts", "--extcap-interface", SAMPLE],
    ["--extcap-config", "--extcap-interface", SAMPLE],
    ["--extcap-capture-filter", "host www.example.com and udp port 53", "--extcap-interface",
     SAMPLE],
])
def test_no_network_and_no_libcurl(words, tmp_path):
    trace = tmp_path / "trace"
    # LeakSanitizer, under tests/sanitize, does not work under strace.
    env = environment() | {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}
    subprocess.run(["strace", "-f", "-e", "trace=%network,openat", "-o", trace, FACE, *words],
                   env=env, check=True, capture_output=True, timeout=60)
    calls = trace.read_text()
    assert "openat(" in calls, "strace saw nothing"
    assert not re.search(r"\b(socket|connect|sendto|bind)\(", calls), calls
    assert "libcurl" not in calls


def test_the_face_is_not_linked_with_libcurl():
    libraries = subprocess.run(["ldd", FACE], capture_output=True, text=True, check=True).stdout
    assert "libpcap" in libraries and "curl" not in libraries


def test_nothing_else_is_in_the_extcap_folder():
    executables = [p.name for p in (build_dir() / "extcap").iterdir()
                   if p.is_file() and p.stat().st_mode & 0o111]
    assert executables == ["cloudflaredump"]


def test_a_face_without_its_tool_ends_the_capture_with_one_sentence():
    """Wireshark 4.0 hangs for ever on an extcap that ends before it opened the FIFO."""
    variables = {"WIRESHARK_EXTCAP_DIR": face_alone().parent, "PATH": "/usr/bin:/bin"}
    done = run_tshark(["-i", SAMPLE, "-w", open_folder() / "out.pcapng"], environment(**variables),
                      timeout=30)
    assert done.returncode == 1
    assert "the program cloudflaredump was not found" in done.stderr
