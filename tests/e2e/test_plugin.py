# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin in a real tshark: every field, on files with descriptions written by hand."""

import json

import pytest
from descriptions import FULL, SAMPLE, describe, mark
from pcapng import Interface, Packet, Section, udp, write_pcapng
from wireshark import environment, iso_time, open_folder, run_tshark, stage, tshark

pytestmark = pytest.mark.skipif(stage().plugin_dir is None, reason="the plugin was not built")

SECOND = 10**9
START = 1795414800 * SECOND  # 2026-11-23T06:20:00Z

# Field, key of the description, its value there, the value in a display filter, and as text.
DESCRIBED = [
    ("pcap_id", "pcap_id", "7d7c88382f0b4d5daa9587aa45a1a877", '"{}"', None),
    ("type", "type", "full", '"{}"', None),
    ("system", "system", "magic-transit", '"{}"', None),
    ("status", "status", "success", '"{}"', None),
    ("submitted", "submitted", "2026-11-23T06:20:00.269047Z", '"2026-11-23 06:20:00.269047Z"',
     "Nov 23, 2026 06:20:00.269047000 UTC"),
    ("time_limit", "time_limit", 61, "{}", None),
    ("packet_limit", "packet_limit", 9999, "{}", None),
    ("byte_limit", "byte_limit", 1000000000, "{}", None),
    ("offset_time", "offset_time", "2026-11-23T06:21:00Z", '"2026-11-23 06:21:00Z"',
     "Nov 23, 2026 06:21:00.000000000 UTC"),
    ("colo", "colo", "ord02", '"{}"', None),
    ("colo.city", "colo", "ord02", '"Chicago"', "Chicago"),
    ("colo.country", "colo", "ord02", '"United States"', "United States"),
    ("destination_conf", "destination_conf", "s3://bucket/folder?region=us-east-1", '"{}"', None),
    ("stop_requested", "stop_requested", "2026-11-23T06:20:30Z", '"2026-11-23 06:20:30Z"',
     "Nov 23, 2026 06:20:30.000000000 UTC"),
    ("packets_captured", "packets_captured", 2**63 - 1, "{}", None),
    ("error_message", "error_message", "Not {all} of it; 100%", '"{}"', None),
    ("filter_v1.source_address", "filter_v1__source_address", "192.0.2.1", "{}", None),
    ("filter_v1.destination_address", "filter_v1__destination_address", "203.0.113.7", "{}", None),
    ("filter_v1.source_port", "filter_v1__source_port", 65535, "{}", None),
    ("filter_v1.destination_port", "filter_v1__destination_port", 53, "{}", None),
    ("filter_v1.protocol", "filter_v1__protocol", 17, "{}", None),
    ("capture_filter", "capture_filter", "udp port 53 and ip[8] | 1 != 0", '"{}"', None),
    ("window", "window", 7, "{}", None),
    ("request", "request", 2, "{}", None),
    ("requests", "requests", 3, "{}", None),
    ("file", "file", 4, "{}", None),
    ("files", "files", 5, "{}", None),
    ("object", "object", "a b/pcap_7d7c=ü.pcap", '"{}"', None),
    ("late", "late", True, "True", None),
    ("coverage.first", "coverage__first", "2026-11-23T06:20:01Z", '"2026-11-23 06:20:01Z"',
     "Nov 23, 2026 06:20:01.000000000 UTC"),
    ("coverage.last", "coverage__last", "2026-11-23T06:20:02.5Z", '"2026-11-23 06:20:02.5Z"',
     "Nov 23, 2026 06:20:02.500000000 UTC"),
    ("coverage.share", "coverage__share", 41, "{}", None),
    ("limit_reached", "limit_reached", True, "True", None),
    ("residual_mismatch", "residual_mismatch", True, "True", None),
    ("end_uncertain", "end_uncertain", True, "True", None),
    ("left_out", "left_out", "late,object", '"{}"', None),
]
# Those that depend on more than one key of the description, or on the packet.
OTHERS = [
    ("filter_v1", '"{\\"source_address\\":\\"192.0.2.1\\",\\"source_port\\":65535,'
     '\\"destination_address\\":\\"203.0.113.7\\",\\"destination_port\\":53,\\"protocol\\":17}"',
     '{"source_address":"192.0.2.1","source_port":65535,"destination_address":"203.0.113.7",'
     '"destination_port":53,"protocol":17}'),
    ("cut", "True", "1"),
    ("undecided", "True", "1"),
    ("damaged", '"the last 100 bytes"', "the last 100 bytes"),
]
IPV6 = [
    ("filter_v1.source_address_ipv6", "2001:db8::1", "2001:db8::1"),
    ("filter_v1.destination_address_ipv6", "2001:db8::2", "2001:db8::2"),
]
NETWORKS = [
    ("filter_v1.source_address_text", '"192.0.2.0/24"', "192.0.2.0/24"),
    ("filter_v1.destination_address_text", '"2001:db8::/32"', "2001:db8::/32"),
]


def _text(value, text):
    """What -T fields prints; flags are numbers there in 4.0 and words in later versions."""
    return text if text is not None else str(value)


def _cases():
    for name, _, value, literal, text in DESCRIBED:
        yield name, literal.format(value), _text(value, text)
    yield from OTHERS + IPV6 + NETWORKS


CASES = list(_cases())


@pytest.fixture
def folder():
    return open_folder()


@pytest.fixture(scope="module")
def everything():
    """One interface that says everything, one with IPv6, one with networks, a sample, a foreign
    one with a description, a foreign one without: a packet each."""
    def packet(interface, **more):
        return Packet(udp(payload=bytes(50)), interface, START + interface * SECOND, **more)
    interfaces = [
        Interface(description=describe(**{key: value for _, key, value, _, _ in DESCRIBED})),
        Interface(description=describe(type="simple", filter_v1__source_address="2001:db8::1",
                                       filter_v1__destination_address="2001:db8::2")),
        Interface(description=describe(type="simple", filter_v1__source_address="192.0.2.0/24",
                                       filter_v1__destination_address="2001:db8::/32")),
        Interface(description=describe(type="other", pcap_id="other", time_limit=1, late=False,
                                       limit_reached=False, residual_mismatch=False,
                                       end_uncertain=False)),
        Interface(name="eth0", description="The first network card"),
        Interface(),
    ]
    comments = ["seen by hand", mark(undecided=True, damaged="the last 100 bytes")]
    packets = [packet(0, original_length=1000, comments=comments)]
    packets += [packet(number) for number in range(1, len(interfaces))]
    return write_pcapng(open_folder() / "everything.pcapng", Section(interfaces, packets))


def _holder(name):
    """The number of the frame in `everything` whose interface has the field."""
    if name in [case[0] for case in IPV6]:
        return "2"
    return "3" if name in [case[0] for case in NETWORKS] else "1"


def _same(got, want):
    """Flags are 1 in Wireshark 4.0 and True from 4.2 on; times are ISO 8601 from 4.6 on."""
    return got in (want, iso_time(want)) or {got, want} <= {"1", "True"}


@pytest.mark.parametrize("name,literal,text", CASES, ids=[case[0] for case in CASES])
def test_field_is_filtered_on_and_printed(everything, name, literal, text):
    field = f"cloudflare.{name}"
    lines = tshark(["-r", everything, "-Y", f"{field} == {literal}", "-T", "fields", "-e",
                    "frame.number", "-e", field]).splitlines()
    assert len(lines) == 1, lines
    number, value = lines[0].split("\t")
    assert number == _holder(name)
    assert _same(value, text)


def _flatten(tree, into):
    for key, value in tree.items():
        if isinstance(value, dict):
            _flatten(value, into)
        else:
            into[key] = value
    return into


def test_every_field_is_in_the_json(everything):
    packets = json.loads(tshark(["-r", everything, "-T", "json"]))
    layers = [_flatten(packet["_source"]["layers"].get("cloudflare", {}), {})
              for packet in packets]
    for name, _, text in CASES:
        value = layers[int(_holder(name)) - 1].get(f"cloudflare.{name}")
        assert value is not None and _same(value, text), (name, value, text)


def test_every_registered_field_is_described_and_tested():
    rows = [line.split("\t") for line in tshark(["-G", "fields"]).splitlines()
            if line.startswith("F\t") and "\tcloudflare." in line]
    fields = {row[2]: row[7] for row in rows if ".expert" not in row[2]}
    # Those of a comparison are tested with it.
    own = {name for name in fields if not name.startswith("cloudflare.compare.")}
    assert own == {f"cloudflare.{name}" for name, _, _ in CASES}
    assert all(len(description) > 5 for description in fields.values()), fields
    types = {row[2]: row[3] for row in rows}
    assert types["cloudflare.filter_v1.source_address"] == "FT_IPv4"
    assert types["cloudflare.filter_v1.source_address_ipv6"] == "FT_IPv6"
    assert types["cloudflare.submitted"] == "FT_ABSOLUTE_TIME"
    assert types["cloudflare.time_limit"] == "FT_UINT32"
    assert types["cloudflare.limit_reached"] == "FT_BOOLEAN"


def test_foreign_interfaces_are_left_alone(everything):
    lines = tshark(["-r", everything, "-Y", "not cloudflare", "-T", "fields", "-e",
                    "frame.number"]).split()
    assert lines == ["5", "6"]


def test_plugin_loads_without_a_word(everything):
    done = run_tshark(["-r", everything, "-T", "fields", "-e", "frame.number"])
    assert (done.returncode, done.stderr) == (0, "")
    plugins = tshark(["-G", "plugins"])
    assert "cloudflare.so" in plugins


def test_packets_and_their_bytes_are_what_they_are_without_the_plugin(everything):
    fields = ["-T", "fields", "-e", "frame.number", "-e", "frame.len", "-e", "udp.dstport", "-e",
              "frame.protocols"]
    without = run_tshark(["-r", everything, *fields], environment(plugin=False))
    assert tshark(["-r", everything, *fields]) == without.stdout


def test_description_reads_as_a_sentence_without_the_plugin(folder):
    sentence = "Cloudflare sample, all data centers, 5 min up to 2026-11-23 06:20:00 UTC"
    path = write_pcapng(folder / "a.pcapng", Section(
        [Interface(description=describe(sentence, **SAMPLE))], [Packet(udp(), 0, START)]))
    done = run_tshark(["-r", path, "-T", "fields", "-e", "frame.interface_description"],
                      environment(plugin=False))
    assert done.stdout.startswith(sentence)


def test_both_kinds_of_captures_in_one_file(folder):
    interfaces = [Interface(description=describe(**SAMPLE)), Interface(description=describe(**FULL))]
    packets = [Packet(udp(), number % 2, START + number) for number in range(6)]
    path = write_pcapng(folder / "both.pcapng", Section(interfaces, packets))
    for passes in ([], ["-2"]):
        lines = tshark(["-r", path, *passes, "-T", "fields", "-e", "cloudflare.type", "-e",
                        "cloudflare.colo"]).splitlines()
        assert lines == ["simple\t", "full\tORD"] * 3
