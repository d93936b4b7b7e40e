# SPDX-License-Identifier: GPL-2.0-or-later
"""`cloudflaredump compare` on files: verdict, JSON, exit status, marks, report, bad input."""

import gzip
import hashlib
import json
import random
import re
import struct

import pytest
from capturing import Client
from pcapng import Interface, Packet, Section, read_pcapng, tcp, udp, write_pcap, write_pcapng

SECOND = 10**9
START = 1_790_000_000 * SECOND
KEYS = {
    "compared", "arrived", "missing", "not_covered", "duplicates", "in_fragments",
    "merged_by_offload", "loss_percent", "loss_low", "loss_high", "clock_offset_seconds",
    "drift_ppm", "locals", "findings", "by_destination",
}


@pytest.fixture(scope="module")
def person():
    """Somebody without an account: a comparison of files asks nobody."""
    return Client("http://127.0.0.1:9", CLOUDFLARE_API_TOKEN=None, CLOUDFLARE_ACCOUNT_ID=None)


def traffic(count=400, seed=1):
    """Packets that Cloudflare saw, as Ethernet frames 50 ms apart."""
    pick = random.Random(seed)
    return [Packet(tcp(sequence=1000 * i, payload=pick.randbytes(pick.randint(1, 900)),
                       source=f"192.0.2.{pick.randint(1, 20)}", source_port=pick.randint(1024, 65535),
                       destination=f"203.0.113.{pick.randint(1, 6)}"),
                   0, START + i * SECOND // 20) for i in range(count)]


def in_gre(frame):
    inner = frame[14:]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 24 + len(inner), 7, 0, 60, 47, 0)
    return frame[:14] + header + bytes([192, 0, 2, 99, 198, 51, 100, 1]) + b"\0\0\x08\0" + inner


def arrivals(packets, lost, delay=9_000_000, shift=0, wrap=in_gre):
    """What a router captured: those that are not `lost`, and a packet before and after them."""
    stray = udp(payload=b"other", destination="198.51.100.7")
    local = [Packet(wrap(p.data), 0, p.time + delay + shift) for p in packets if not lost(p)]
    return [Packet(stray, 0, packets[0].time - 5 * SECOND + shift), *local,
            Packet(stray, 0, packets[-1].time + 5 * SECOND + shift)]


def to(address):
    last = bytes(int(part) for part in address.split("."))
    return lambda packet: packet.data[30:34] == last


@pytest.fixture
def pair(person):
    """`pair(cloudflare, local)` writes both as pcap files and gives their paths."""
    def write(cloudflare, local, **more):
        return (write_pcap(person.new_path("cloudflare.pcap"), cloudflare),
                write_pcap(person.new_path("router.pcap"), local, **more))
    return write


def compared(person, *words, status=0):
    run = person.tool("compare", "--json", *words)
    assert (run.returncode, run.stderr) == (status, "")
    return json.loads(run.stdout)


def test_counts_and_cause(person, pair):
    packets = traffic()
    files = pair(packets, arrivals(packets, to("203.0.113.4")))
    answer = compared(person, *files)
    assert KEYS <= set(answer)
    missing = sum(map(to("203.0.113.4"), packets))
    assert (answer["compared"], answer["missing"]) == (400, missing)
    assert answer["loss_low"] < 100 * missing / 400 < answer["loss_high"]
    assert [(f["kind"], f["value"], f["lost"], f["of"]) for f in answer["findings"]] == [
        ("destination", "203.0.113.4", missing, missing)]
    assert abs(answer["clock_offset_seconds"] - 0.009) < 0.001
    rows = {row["destination"]: row["missing"] for row in answer["by_destination"]}
    assert rows["203.0.113.4"] == missing and sum(rows.values()) == missing


def test_text_names_the_blind_spot(person, pair):
    packets = traffic(30)
    run = person.tool("compare", *pair(packets, arrivals(packets, lambda p: False)))
    assert run.stdout.startswith("All 30 packets that could be compared arrived; a loss of up to "
                                 "11.6% is possible")
    assert (run.returncode, run.stderr) == (0, "")


def test_an_hour_ahead_is_said(person, pair):
    packets = traffic()
    files = pair(packets, arrivals(packets, lambda p: False, shift=3600 * SECOND))
    assert abs(compared(person, *files)["clock_offset_seconds"] - 3600.009) < 0.001
    assert "1 h and 0.009 s ahead" in person.tool("compare", *files).stdout


def test_gzip_and_standard_input(person, pair):
    packets = traffic()
    cloudflare, router = pair(packets, arrivals(packets, to("203.0.113.1")))
    plain = compared(person, cloudflare, router)
    packed = person.new_path("cloudflare.pcap.gz")
    packed.write_bytes(gzip.compress(cloudflare.read_bytes()))
    with open(router, "rb") as stdin:
        run = person.tool("compare", "--json", packed, "-", stdin=stdin)
    answer = json.loads(run.stdout)
    assert {key: answer[key] for key in ("compared", "missing")} == {
        key: plain[key] for key in ("compared", "missing")}


def test_several_routers_and_sections(person):
    """Two sections, two link types, two resolutions; a packet has arrived at any of the routers."""
    packets = traffic()
    cloudflare = write_pcapng(person.new_path("cf.pcapng"), [
        Section([Interface(1), Interface(101, resolution=9)],
                [Packet(p.data if i % 2 else p.data[14:], 1 - i % 2, p.time)
                 for i, p in enumerate(packets[:200])]),
        Section([Interface(101)], [Packet(p.data[14:], 0, p.time) for p in packets[200:]]),
    ])
    def even(packet):
        return packet.data[-1] % 2 == 0
    one = write_pcap(person.new_path("r1.pcap"), arrivals(packets, even), order=">")
    two = write_pcap(person.new_path("r2.pcap"), nanoseconds=True, packets=arrivals(
        packets, lambda p: not even(p), shift=2 * SECOND))
    answer = compared(person, cloudflare, one, two)
    assert (answer["compared"], answer["arrived"]) == (400, 400)
    offsets = [local["clock_offset_seconds"] for local in answer["locals"]]
    assert [round(offset, 2) for offset in offsets] == [0.01, 2.01]
    assert compared(person, cloudflare, one)["missing"] == sum(map(even, packets))


def test_filter_map_and_ours(person, pair):
    packets = traffic()
    def translated(frame):
        return frame[:30] + bytes([10, 0, 0, frame[33]]) + frame[34:]
    files = pair(packets, arrivals(packets, to("203.0.113.2"), wrap=translated))
    answer = compared(person, *files, status=3)
    assert answer["compared"] == 0 and {f["kind"] for f in answer["findings"]} == {"translated"}
    answer = compared(person, "--map", "203.0.113.0/24=10.0.0.0/24", *files)
    assert answer["missing"] == sum(map(to("203.0.113.2"), packets))
    answer = compared(person, "--map", "203.0.113.0/24=10.0.0.0/24", "-f", "dst host 203.0.113.2",
                      *files, status=0)
    assert (answer["arrived"], answer["missing"]) == (0, sum(map(to("203.0.113.2"), packets)))
    files = pair(packets, arrivals(packets, to("203.0.113.2")))
    answer = compared(person, "--ours", "192.0.2.0/28", *files)
    ours = sum(p.data[29] < 16 for p in packets)
    assert (answer["egress"], answer["compared"]) == (ours, 400 - ours)


def test_fail_above_is_judged_by_the_lower_end(person, pair):
    packets = traffic()
    files = pair(packets, arrivals(packets, to("203.0.113.4")))
    low = compared(person, *files)["loss_low"]
    assert person.tool("compare", "--fail-above", f"{low - 0.1:.3f}", *files).returncode == 5
    assert person.tool("compare", "--fail-above", f"{low + 0.1:.3f}", *files).returncode == 0


def test_marks_are_fields_in_wireshark(person, pair):
    packets = traffic(60)
    lost = to("203.0.113.4")
    cloudflare, router = pair(packets, arrivals(packets, lost))
    marked = person.new_path("marked.pcapng")
    assert person.tool("compare", "-w", marked, cloudflare, router).returncode == 0
    section, = read_pcapng(marked)
    assert [(p.data, p.time) for p in section.packets] == [(p.data, p.time) for p in packets]
    run = person.run(["tshark", "-r", marked, "-T", "fields", "-e", "cloudflare.compare.arrived",
                      "-e", "cloudflare.compare.local_frame", "-e", "cloudflare.compare.copies",
                      "-e", "cloudflare.compare.delay", "-e", "_ws.expert.message"])
    rows = [line.split("\t") for line in run.stdout.splitlines()]
    assert len(rows) == 60
    frame = 1
    for packet, (arrived, local_frame, copies, delay, expert) in zip(packets, rows, strict=True):
        assert (arrived in ("1", "True")) != lost(packet)
        if lost(packet):
            assert (local_frame, delay) == ("", "") and "not seen at the routers" in expert
        else:
            frame += 1
            assert (local_frame, copies) == (str(frame), "1")
            assert float(delay) >= 0 and "not seen" not in expert
    tree = person.run(["tshark", "-q", "-r", marked, "-z", "cloudflare_compare,tree"]).stdout
    missing = sum(map(lost, packets))
    for name, count in (("Not seen", missing), ("203.0.113.4", missing), ("Arrived", 60 - missing)):
        line = next(line for line in tree.splitlines() if name in line)
        assert str(count) in line.split(), line
    # A second comparison takes the place of the first.
    again = person.new_path("again.pcapng")
    assert person.tool("compare", "-w", again, marked, router).returncode == 0
    assert [len(p.comments) for p in read_pcapng(again)[0].packets] == [1] * 60


def test_report_is_for_a_ticket(person, pair):
    packets = traffic()
    cloudflare, router = pair(packets, arrivals(packets, to("203.0.113.4")))
    report = person.new_path("report.md")
    assert person.tool("compare", "--report", report, cloudflare, router).returncode == 0
    text = report.read_text()
    for file in (cloudflare, router):
        assert hashlib.sha256(file.read_bytes()).hexdigest() in text
    for words in ("# Is it Cloudflare or us?", "203.0.113.4", "| Destination |",
                  "Compared by cloudflaredump"):
        assert words in text, words
    # Where local time is UTC, each time stands there once.
    assert "UTC" not in text
    assert "more rows" not in text
    many = [Packet(tcp(sequence=i, destination=f"203.0.113.{i % 40}"), 0, START + i * SECOND)
            for i in range(200)]
    cloudflare, router = pair(many, arrivals(many, lambda packet: packet.data[33] % 2))
    assert person.tool("compare", "--report", report, cloudflare, router).returncode == 0
    assert re.search(r"^10 more rows; all with `--json`\.$", report.read_text(), re.M)
    abroad = Client("http://127.0.0.1:9", plugin=False, TZ="Europe/Berlin")
    assert abroad.tool("compare", "--report", report, cloudflare, router).returncode == 0
    assert re.search(r"2026-09-\d\d \d\d:\d\d:\d\d CEST \(2026-09-", report.read_text())


def test_nothing_comparable_says_why(person, pair):
    packets = traffic()
    def esp(frame):
        return frame[:23] + b"\x32" + frame[24:26] + bytes([192, 0, 2, 99, 198, 51, 100, 1]) + frame[34:]
    cases = [
        (arrivals(packets, lambda p: False, wrap=esp)[1:-1], "encrypted"),
        (arrivals(traffic(seed=7), lambda p: False, shift=9000 * SECOND), "no_overlap"),
        ([Packet(udp(destination="198.51.100.9"), 0, p.time) for p in packets], "other_traffic"),
    ]
    for local, kind in cases:
        answer = compared(person, *pair(packets, local), status=3)
        assert (answer["compared"], answer["missing"]) == (0, 0)
        assert [f["kind"] for f in answer["findings"]] == [kind], kind
        assert answer["not_comparable"]
        assert "not covered by" not in person.tool("compare", *pair(packets, local)).stdout
    assert "all of them were lost" in answer["findings"][0]["text"]
    for cloudflare, local in (([], packets), (packets, [])):
        assert compared(person, *pair(cloudflare, local), status=3)["not_comparable"]


def test_drops_of_the_capture_itself_are_told(person):
    packets = traffic()
    cloudflare = write_pcap(person.new_path("cf.pcap"), packets)
    path = person.new_path("router.pcapng")
    write_pcapng(path, Section([Interface(1, name="eth0")],
                               arrivals(packets, to("203.0.113.4"))))
    options = struct.pack("=HHQ", 5, 8, 1234) + struct.pack("=HHQ", 7, 8, 6) + bytes(4)
    with open(path, "ab") as file:
        file.write(struct.pack("=IIIII", 5, 24 + len(options), 0, 0, 0) + options
                   + struct.pack("=I", 24 + len(options)))
    assert compared(person, cloudflare, path)["locals"][0]["dropped_by_capture"] == 1240
    assert "itself dropped 1,240 packets" in person.tool("compare", cloudflare, path).stdout


@pytest.mark.parametrize("side", [0, 1])
def test_bad_files_are_one_sentence(person, pair, side):
    packets = traffic(50)
    good = pair(packets, arrivals(packets, lambda p: False))
    bad = person.new_path("bad")
    for content, status, words in [(b"", 1, "empty"), (b"\x7fELF" + bytes(100), 1, "not a"),
                                   (b"\n\r\r\n" + bytes(30), 1, None)]:
        bad.write_bytes(content)
        files = [bad, good[1]] if side == 0 else [good[0], bad]
        run = person.tool("compare", *files)
        if words is None:  # pcapng without a byte order: no packets, and why
            assert run.returncode == 3 and "without a byte order" in run.stdout
            continue
        assert (run.returncode, run.stdout) == (status, "")
        assert words in run.sentence and str(bad) in run.sentence
    missing = person.tool("compare", *([bad.with_name("gone"), good[1]][::1 if side == 0 else -1]))
    assert missing.returncode == 1 and "No such file" in missing.sentence


def test_a_cut_file_is_used_as_far_as_it_goes(person, pair):
    packets = traffic(200)
    cloudflare, router = pair(packets, arrivals(packets, lambda p: False))
    whole = router.read_bytes()
    router.write_bytes(whole[:len(whole) // 2])
    answer = compared(person, cloudflare, router)
    assert answer["missing"] == 0 and 80 < answer["arrived"] < 120
    assert answer["not_covered"] == 200 - answer["arrived"]
    assert "cut" in answer["locals"][0]["damage"]


@pytest.mark.parametrize("words, said", [
    ([], "no files"),
    (["one.pcap"], "no local capture"),
    (["-", "-"], "standard input"),
    (["--map", "nonsense", "a", "b"], "not a translation"),
    (["--ours", "300.0.0.0/8", "a", "b"], "not an address"),
    (["--fail-above", "200", "a", "b"], "0 to 100"),
    (["--seconds", "0", "--local", "true"], "1 to 3600"),
    (["--seconds", "5"], "needs a local capture"),
    (["--local", "true", "a", "b"], "--local needs --seconds"),
    (["-f", "dst host 1.2.3.4 and", "a", "b"], "syntax error"),
])
def test_usage(person, words, said):
    run = person.tool("compare", *words)
    assert (run.returncode, run.stdout) == (2, "") and said in run.sentence


def test_files_in_the_wrong_order_are_refused(person, pair):
    packets = traffic(50)
    cloudflare, router = pair(packets, arrivals(packets, lambda p: False))
    marked = person.new_path("marked.pcapng")
    assert person.tool("compare", cloudflare, router, "-w", marked).returncode == 0
    run = person.tool("compare", router, marked)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.sentence == (f"{marked} was captured at Cloudflare, but {router} is named first; "
                            "name Cloudflare's file first.")
    assert person.tool("compare", marked, router).returncode == 0


def test_a_second_file_of_cloudflares_is_no_router(person, pair):
    packets = traffic()
    cloudflare, router = pair(packets, arrivals(packets, to("203.0.113.4")))
    marked = person.new_path("marked.pcapng")
    assert person.tool("compare", "-w", marked, cloudflare, router).returncode == 0
    for words in ([marked, marked], [marked, router, marked], [marked, marked, router]):
        run = person.tool("compare", *words)
        assert run.returncode == 2 and run.stdout == ""
        assert "was captured at Cloudflare, too, and does not show what arrived" in run.stderr
    assert person.tool("compare", marked, router).returncode == 0


def test_only_a_capture_goes_to_standard_output(person, pair):
    packets = traffic(30)
    files = pair(packets, arrivals(packets, lambda p: False))
    for option in ("-w", "--report"):
        run = person.tool("compare", option, "-", *files)
        assert run.returncode == 2 and f"{option} - would mix" in run.stderr
        assert not (person.folder / "-").exists()


def test_router_filters_find_what_is_inside(person):
    run = person.tool("compare", "--router-filter", "-f", "dst host 203.0.113.7")
    assert (run.returncode, run.stderr) == (0, "")
    assert "\n(ip proto 47 and ip[40:4] = 0xcb007107)\n" in run.stdout
    filters = [line for line in run.stdout.splitlines() if not line.startswith("#")]
    frame = tcp(destination="203.0.113.7")
    other = tcp(destination="203.0.113.8")
    gre = in_gre(frame)
    keyed = gre[:34] + b"\x20\0\x08\0\0\0\0\7" + gre[38:]
    ipip = gre[:23] + b"\4" + gre[24:34] + gre[38:]
    path = write_pcap(person.new_path("all.pcap"),
                      [Packet(data, 0, START) for data in (frame, gre, keyed, ipip, other, in_gre(other))])
    import libpcap
    got = []
    for text in (*filters, " or ".join(filters)):
        accepts = libpcap.Filter(text).accepts
        got.append([i for i, data in enumerate((frame, gre, keyed, ipip, other, in_gre(other)))
                    if accepts(data[14:], len(data) - 14)])
    assert got == [[0], [1], [2], [3], [0, 1, 2, 3]]
    assert path.exists()
    for text in ("less 100", "udp port 53 or less 100"):
        refused = person.tool("compare", "--router-filter", "-f", text)
        assert (refused.returncode, refused.stdout) == (1, "") and "name an address" in refused.sentence


def test_one_file_cannot_hold_the_packets_and_the_report(person, pair):
    packets = traffic(50)
    cloudflare, router = pair(packets, arrivals(packets, lambda p: False))
    out = person.new_path("out")
    link = person.new_path("link")
    link.symlink_to(out)
    for words in (["compare", cloudflare, router], ["capture", "-i", "cloudflare-sample"]):
        run = person.tool(*words, "-w", out, "--report", out)
        assert run.returncode == 2 and "both the packets and the report" in run.stderr
        assert not out.exists()
    # The link leads nowhere until the packets are written.
    run = person.tool("compare", cloudflare, router, "-w", out, "--report", link)
    assert run.returncode == 2 and "both the packets and the report" in run.stderr
    assert len(read_pcapng(out)[0].packets) == 50
    out.unlink()
    missing = person.new_path("missing") / "report.md"
    run = person.tool("compare", cloudflare, router, "-w", out, "--report", missing)
    assert run.returncode == 1 and "give another file with --report" in run.stderr
    assert run.stdout == "" and not out.exists()


def test_a_report_in_a_folder_that_is_closed_to_us(person, pair):
    """No two names in it are taken for one file."""
    packets = traffic(50)
    cloudflare, router = pair(packets, arrivals(packets, lambda p: False))
    closed = person.new_path("closed")
    closed.mkdir(mode=0o000)
    for words in (["compare", cloudflare, router], ["compare", cloudflare, router, "-w",
                                                    closed / "out.pcapng"],
                  ["capture", "-i", "cloudflare-sample", "-w", closed / "out.pcapng"]):
        run = person.tool(*words, "--report", closed / "report.md")
        assert run.returncode == 1 and "Permission denied" in run.sentence, run


def test_a_report_on_a_pipe(person, pair):
    """What came through a pipe cannot be read again for its digest."""
    packets = traffic(50)
    cloudflare, router = pair(packets, arrivals(packets, lambda p: False))
    report = person.new_path("report.md")
    run = person.run(["bash", "-c", 'exec "$1" compare "$2" <(cat "$3") --report "$4"', "bash",
                      person.tool_path, cloudflare, router, report])
    assert (run.returncode, run.stderr) == (0, "")
    assert "SHA-256 not known: not a regular file" in report.read_text()


def test_the_input_is_never_written_over(person, pair):
    packets = traffic(50)
    cloudflare, router = pair(packets, arrivals(packets, lambda p: False))
    link = person.new_path("link.pcap")
    link.symlink_to(router)
    before = cloudflare.read_bytes(), router.read_bytes()
    for option, output in [("-w", cloudflare), ("-w", router), ("--report", router), ("-w", link)]:
        run = person.tool("compare", option, output, cloudflare, router)
        assert run.returncode == 2 and f'"{output}" is one of the files to compare' in run.stderr
        assert (cloudflare.read_bytes(), router.read_bytes()) == before


def test_our_own_router_is_named(person, pair):
    """`tcpdump -i any`: out of the tunnel, and out of the machine; some only get so far."""
    packets = traffic()
    def cooked(frame, interface, sent):
        return struct.pack("!HHIHBB8s", 0x0800, 0, interface, 1, 4 if sent else 0, 6, bytes(8)) + frame[14:]
    local, dropped = [], 0
    for number, packet in enumerate(packets):
        time = packet.time + 9_000_000
        local += [Packet(cooked(in_gre(packet.data), 2, False), 0, time),
                  Packet(cooked(packet.data, 5, False), 0, time + 10_000)]
        if number % 40 == 20:
            dropped += 1
        else:
            local.append(Packet(cooked(packet.data, 3, True), 0, time + 20_000))
    answer = compared(person, *pair(packets, local, link_type=276))
    assert (answer["missing"], answer["duplicates"]) == (0, 0)
    assert [(f["kind"], f["lost"]) for f in answer["findings"]] == [("router_drop", dropped)]
    # That is not what the packets which never came have in common.
    pick = random.Random(5)
    lost = {packet.time for packet in packets if pick.random() < 0.1}
    files = pair(packets, [p for p in local if p.time // 10**8 * 10**8 not in
                           {time // 10**8 * 10**8 for time in lost}], link_type=276)
    text = person.tool("compare", *files).stdout
    assert "our own router lost them" in text and "nothing in common that chance" in text


@pytest.mark.parametrize("words, stays", [
    (["-f", "dst host 203.0.113.2"], to("203.0.113.2")),
    (["--ours", "192.0.2.0/28"], lambda p: p.data[29] >= 16)], ids=["filter", "ours"])
def test_what_is_left_out_is_counted_nowhere(person, pair, words, stays):
    """The same as if it were not in Cloudflare's file at all."""
    packets = told_apart(traffic())
    local = [Packet(wrap(p.data), 0, p.time + late)
             for i, p in enumerate(packets)
             for late, wrap in ((9_000_000, in_gre), (9_001_000, in_gre), (9_090_000, lambda f: f))
             if late < 9_090_000 or i % 40 != 20]
    twice = [copy for p in packets for copy in (p, Packet(p.data, 0, p.time + 1000))]
    cloudflare, router = pair(twice, local)
    answer = compared(person, *words, cloudflare, router)
    alone = compared(person, write_pcap(person.new_path("alone.pcap"), filter(stays, twice)), router)
    assert 0 < answer["compared"] < 400
    for key in ("compared", "arrived", "missing", "duplicates", "findings"):
        assert answer[key] == alone[key], key
    for key in ("duplicates", "points", "tunnels"):
        assert answer["locals"][0][key] == alone["locals"][0][key], key


def numbered(frame, number):
    """`frame` with another IP identification."""
    return frame[:18] + struct.pack("!H", number & 0xffff) + frame[20:]


@pytest.mark.parametrize("snap", [65535, 160])
def test_packets_that_cloudflare_recorded_several_times_count_once(person, pair, snap):
    """Of flows of one packet each, such as DNS or a scan: the file's other packets show that
    identifications tell packets apart. The same packet again and again may be a flood."""
    once = [Packet(numbered(udp(source=f"192.0.2.{i % 50 + 1}", source_port=1024 + 7 * i,
                                payload=b"%05d" % i * 60), 7919 * i + 1),
                   0, START + i * SECOND // 20) for i in range(400)]
    for copies in (2, 3, 4):
        all_of_it = [Packet(p.data, 0, p.time + i * 100_000) for p in once for i in range(copies)]
        cut = [Packet(p.data[:snap], 0, p.time, len(p.data)) for p in all_of_it]
        answer = compared(person, *pair(cut, arrivals(once, to("203.0.113.4"), wrap=lambda f: f)))
        assert (answer["compared"], answer["missing"], answer["duplicates"]) == (
            400, 0, 400 * (copies - 1))
    flood = [Packet(numbered(udp(payload=b"same" * 60), 5), 0, START + i * 100_000)
             for i in range(300)]
    cut = [Packet(p.data[:snap], 0, p.time, len(p.data)) for p in sorted(
        once + flood, key=lambda packet: packet.time)]
    answer = compared(person, *pair(cut, arrivals(once, to("203.0.113.4"), wrap=lambda f: f)))
    assert answer["missing"] + answer["not_covered"] >= 299


def test_a_flood_is_no_copy(person, pair):
    """Whether its packets could be told apart or not: each is one."""
    syn = tcp(sequence=7, payload=b"", flags=2)
    for flood in ([syn] * 2000, [numbered(udp(payload=b"same"), 5)] * 1999 + [numbered(udp(payload=b"same"), 6)]):
        packets = told_apart(traffic()) + [Packet(frame, 0, START + 5 * SECOND + i * 50_000)
                                           for i, frame in enumerate(flood)]
        packets.sort(key=lambda packet: packet.time)
        lost = {id(p) for i, p in enumerate(packets) if i % 5 == 2}
        answer = compared(person, *pair(packets, arrivals(packets, lambda p: id(p) in lost,
                                                          wrap=lambda frame: frame)))
        assert (answer["compared"], answer["missing"]) == (2400, len(lost))


def told_apart(packets):
    """The same with identifications that differ, as nearly all senders of IPv4 have them."""
    return [Packet(numbered(p.data, 7 * i + 1), 0, p.time, p.original_length)
            for i, p in enumerate(packets)]


def sample_of(packets):
    return [Packet(p.data[:160], 0, p.time, len(p.data)) for p in packets]


def set_by(packets, steps, delay=9_000_000):
    """What a router's clock that is set makes of them: at each of `steps`, (second, by)."""
    def shift(packet):
        return int(sum(by for second, by in steps if packet.time - START >= second * SECOND) * SECOND)
    return [Packet(p.data, 0, p.time + delay + shift(p)) for p in packets]


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("steps", [
    [(10, 0.5)], [(10, 0.13)], [(5, -3600)], [(4, 3), (9, -1), (15, -0.4)],
    [(6, 4), (12, 3), (16, -3)], [(4, 3), (8, -3), (12, 3), (16, -3)], [(19, 2)]])
def test_a_clock_that_is_set_in_between_loses_nothing(person, pair, steps, sampled):
    packets = told_apart(traffic())
    pick = random.Random(9)
    # Near the ends of what the local clock shows, nobody could tell what was captured.
    lost = {p.time for p in packets[10:-10] if pick.random() < 0.1
            and all(abs(p.time - START - second * SECOND) > SECOND // 5 for second, _ in steps)}
    local = set_by([p for p in packets if p.time not in lost], steps)
    files = pair(sample_of(packets) if sampled else packets, local)
    answer = compared(person, *files)
    assert answer["missing"] == len(lost) and answer["findings"] == []
    assert [round(each["seconds"], 2) for each in answer["clock_set"]] == [by for _, by in steps]
    text = person.tool("compare", *files).stdout
    assert "seems to have been set" in text and "retransmission" not in text


@pytest.mark.parametrize("copies", ["Cloudflare's", "in a tunnel and outside", "of a mirror"])
def test_a_clock_that_is_set_where_packets_are_recorded_twice(person, pair, copies):
    packets = told_apart(traffic())
    local = set_by(packets[:40] + packets[80:], [(10, 2)])
    if copies == "Cloudflare's":
        packets = [Packet(p.data, 0, p.time + late) for p in packets for late in (0, 90_000)]
    elif copies == "of a mirror":
        local = [Packet(p.data, 0, p.time + late) for p in local for late in (0, 90_000)]
    else:
        local = [Packet(wrap(p.data), 0, p.time + late) for p in local
                 for late, wrap in ((0, in_gre), (90_000, lambda frame: frame))]
    answer = compared(person, *pair(packets, local))
    assert (answer["compared"], answer["missing"]) == (400, 40)
    assert [round(each["seconds"], 2) for each in answer["clock_set"]] == [2]


@pytest.mark.parametrize("sampled", [False, True])
@pytest.mark.parametrize("outage", [(8, 13), (15, 21)])
@pytest.mark.parametrize("identified", [False, True])
def test_retries_after_an_outage_are_no_clock(person, pair, outage, sampled, identified):
    """Everything is lost for some time, and sent again 5 s later, with another identification if it
    has one: among packets that come as always, or after all that Cloudflare's file has."""
    packets = told_apart(traffic()) if identified else traffic()
    def lost(packet):
        return outage[0] * SECOND <= packet.time - START < outage[1] * SECOND
    local = [Packet(numbered(p.data, 50_000 + i) if identified and lost(p) else p.data, 0,
                    p.time + 9_000_000 + lost(p) * 5 * SECOND) for i, p in enumerate(packets)]
    local = sorted([*local, *arrivals(packets, lambda p: True)], key=lambda packet: packet.time)
    answer = compared(person, *pair(sample_of(packets) if sampled else packets, local))
    assert (answer["missing"], answer["clock_set"]) == (sum(map(lost, packets)), [])
    kinds = [finding["kind"] for finding in answer["findings"]]
    assert "time" in kinds and ("clock" in kinds) is not identified


@pytest.mark.parametrize("seconds", [0.7, 1.9])
def test_packets_that_are_held_up_are_no_clock(person, pair, seconds):
    """A hop holds everything for a while, and then lets it go at once."""
    packets = told_apart(traffic(1200))
    until = START + int((20 + seconds) * SECOND)
    local = [Packet(p.data, 0, max(p.time, until if p.time >= START + 20 * SECOND else 0) + 9_000_000
                    + (i % 7) * 200_000) for i, p in enumerate(packets)]
    files = pair(packets, local)
    answer = compared(person, *files)
    assert (answer["missing"], answer["clock_set"]) == (0, [])
    delay = re.search(r"median ([\d.]+) ms", person.tool("compare", *files).stdout)
    assert float(delay[1]) < 2


@pytest.mark.parametrize("held", [[10], [4, 5, 20]])
def test_bursts_that_are_held_up_are_no_clock(person, pair, held):
    """20 packets each 2 s: those of a burst share their fate, and prove no more than one would."""
    packets = told_apart([Packet(p.data, 0, START + i // 20 * 2 * SECOND + i % 20 * SECOND // 4000)
                          for i, p in enumerate(traffic(600))])
    local = [Packet(p.data, 0, p.time + 9_000_000 + (i // 20 in held) * SECOND // 2)
             for i, p in enumerate(packets)]
    answer = compared(person, *pair(packets, local))
    assert (answer["missing"], answer["clock_set"]) == (0, [])


@pytest.mark.parametrize("by", [0.5, -0.5, -0.13, 3])
def test_a_clock_is_set_at_the_right_record(person, pair, by):
    """Only each twentieth packet cannot be mistaken; the others show between which it was set."""
    packets = [Packet(numbered(p.data, 7 * i + 1), 0, p.time) if i % 20 == 0 else p
               for i, p in enumerate(traffic(800))]
    answer = compared(person, *pair(packets, set_by(packets, [(17.3, by)])))
    assert (answer["missing"], [round(each["seconds"], 2) for each in answer["clock_set"]]) == (0, [by])


@pytest.mark.parametrize("by", [1, -5])
def test_a_clock_that_is_set_behind_data_centers_far_apart(person, pair, by):
    packets = told_apart(traffic(1200))
    packets = [Packet(numbered(p.data, 0), 0, p.time) if i % 3 == 0 else p for i, p in enumerate(packets)]
    arrived = sorted((Packet(p.data, 0, p.time + (i // 3 % 3 == 0) * 110_000_000)
                      for i, p in enumerate(packets)), key=lambda packet: packet.time)
    answer = compared(person, *pair(packets, set_by(arrived, [(31, by)])))
    assert (answer["missing"], [round(each["seconds"], 2) for each in answer["clock_set"]]) == (0, [by])


@pytest.mark.parametrize("by", [0, 0.5, -0.5])
def test_an_outage_to_the_end_behind_a_clock_that_was_set(person, by):
    """Its interface statistics say that the capture went on."""
    packets = told_apart(traffic())
    local = person.new_path("router.pcapng")
    write_pcapng(local, Section([Interface()], set_by(packets[:250], [(5, by)])))
    def time(number, at):
        microseconds = int(at * 10**6)
        return struct.pack("<HHII", number, 8, microseconds >> 32, microseconds & 0xffffffff)
    start = START // SECOND
    options = time(2, start - 5) + time(3, start + 25 + by) + bytes(4)
    with open(local, "ab") as file:
        file.write(struct.pack("<IIIII", 5, 24 + len(options), 0, 0, 0) + options
                   + struct.pack("<I", 24 + len(options)))
    cloudflare = write_pcap(person.new_path("cloudflare.pcap"), packets)
    answer = compared(person, cloudflare, local)
    assert (answer["missing"], answer["not_covered"]) == (150, 0)


def test_our_own_router_is_named_behind_a_clock_that_was_set(person, pair):
    packets = told_apart(traffic())
    other = Packet(udp(payload=b"other", destination="198.51.100.7"), 0, START + 30 * SECOND)
    local = [Packet(wrap(p.data), 0, p.time + late) for i, p in enumerate(set_by(packets, [(5, 0.5)]))
             for late, wrap in ((0, in_gre), (90_000, lambda frame: frame))
             if late == 0 or i < 300]
    answer = compared(person, *pair(packets, [*local, other]))
    assert answer["missing"] == 0
    assert [(f["kind"], f["lost"]) for f in answer["findings"]] == [("router_drop", 100)]


@pytest.mark.parametrize("period", [(0, 60), (20, 32)])
def test_a_longer_way_of_one_flow_is_no_clock(person, pair, period):
    """What nothing tells apart takes the short way meanwhile."""
    short = traffic(1200)
    long = [Packet(numbered(p.data, 7 * i + 1), 0, p.time + 3_000_000) for i, p in enumerate(
        Packet(udp(source_port=9000, payload=b"%05d" % i * 9), 0, p.time)
        for i, p in enumerate(short[::20]))]
    local = [Packet(p.data, 0, p.time + 9_000_000) for p in short] + [
        Packet(p.data, 0, p.time + 9_000_000 + SECOND * 3 // 5 *
               (period[0] * SECOND <= p.time - START < period[1] * SECOND)) for p in long]
    by_time = {"key": lambda packet: packet.time}
    packets = sample_of(sorted(short + long, **by_time))
    local = sorted([*local, *arrivals(packets, lambda p: True)], **by_time)
    answer = compared(person, *pair(packets, local))
    assert (answer["missing"], answer["clock_set"], answer["findings"]) == (0, [], [])


@pytest.mark.parametrize("sampled", [False, True])
def test_a_clock_that_is_set_is_doubtful_where_nothing_tells_packets_apart(person, pair, sampled):
    packets = traffic()
    files = pair(sample_of(packets) if sampled else packets, set_by(packets, [(11, 1)]))
    answer = compared(person, *files)
    assert answer["clock_set"] == [] and answer["missing"] > 100
    doubt = answer["findings"][0]
    assert (doubt["kind"], doubt["lost"]) == ("clock", answer["missing"])
    assert "1.000 s later than expected: they were held up or sent again, or its clock was set" \
           in doubt["text"]
    assert "retransmission" not in person.tool("compare", *files).stdout


def test_no_delay_is_told_where_no_clock_is_known(person, pair):
    flood = [Packet(udp(payload=b"same"), 0, START + i * SECOND // 1000) for i in range(1500)]
    files = pair(flood, arrivals(flood, lambda p: p.time // 10**6 % 5 == 0))
    text = person.tool("compare", *files).stdout
    assert "how its clock differs is not known" in text and "Delay" not in text


def test_a_report_has_filters_and_names_as_they_are(person):
    packets = traffic(30)
    cloudflare = write_pcap(person.folder / "my_file_1.pcap", packets)
    router = write_pcap(person.folder / "a`b*.pcap", arrivals(packets, to("203.0.113.1")))
    report = person.new_path("report.md")
    words = ["--report", report, "-f", "tcp[13]&2=0 and dst net 203.0.113.0/24"]
    assert person.tool("compare", *words, cloudflare, router).returncode == 0
    text = report.read_text()
    assert re.search(r"^- Cloudflare: `\S*my_file_1\.pcap`, ", text, re.M)
    assert re.search(r"^- Local: `` \S*a`b\*\.pcap ``, ", text, re.M)
    assert "- Filter: `tcp[13]&2=0 and dst net 203.0.113.0/24`\n" in text


def test_an_acknowledgment_proves_arrival(person, pair):
    """The router's capture lacks packets whose bytes are acknowledged through it."""
    pick = random.Random(3)
    packets, local, lacking = [], [], 0
    for i in range(200):
        data = pick.randbytes(300)
        frame = tcp(sequence=300 * i, payload=data, source="192.0.2.5", source_port=6000)
        packets.append(Packet(frame, 0, START + i * SECOND // 20))
        if pick.random() < 0.3:
            lacking += 1
        else:
            local.append(Packet(frame, 0, packets[-1].time + 9_000_000))
        local.append(Packet(tcp(source="203.0.113.7", destination="192.0.2.5", source_port=443,
                                destination_port=6000, acknowledged=300 * (i + 1), flags=0x10,
                                payload=b""), 0, packets[-1].time + 9_200_000))
    answer = compared(person, *pair(packets, local))
    assert (answer["missing"], answer["acknowledged"]) == (0, lacking)
