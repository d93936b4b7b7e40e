# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin in a window: columns, the packet's tree, and the statistics of a file."""

from capturing import INSTANT, Client
from descriptions import FULL, SAMPLE, describe, mark
from pcapng import Interface, Packet, Section, tcp, udp, write_pcapng

START = 1795414800 * 10**9


def sample_interfaces():
    """A sample with two requests."""
    return [Interface(name="cloudflare-sample", description=describe(
        "Cloudflare sample, all data centers", **SAMPLE, request=n, requests=2,
        filter_v1__destination_address=address))
        for n, address in ((1, "203.0.113.7"), (2, "198.51.100.9"))]


def full_interfaces():
    """A full capture of two files."""
    return [Interface(name="cloudflare-ORD", description=describe(
        "Cloudflare ORD (Chicago), full capture",
        **{**FULL, "file": n}, submitted="2026-11-23T06:20:00Z",
        destination_conf="s3://pcaps?region=us-east-1", object=f"pcap_7d7c_{n}.pcap",
        filter_v1__destination_address="203.0.113.7", filter_v1__protocol=6,
        coverage__first="2026-11-23T06:20:01Z", coverage__last="2026-11-23T06:20:59Z"))
        for n in (1, 2)]


def packets(samples, interfaces, count=60):
    """Packets of all interfaces in turn, of which the first `samples` are a sample's."""
    def one(index):
        interface = index % interfaces
        sampled = interface < samples
        frame = udp(payload=bytes(60)) if sampled else tcp(source_port=40000 + index,
                                                           payload=bytes(90))
        comments = {9: [mark(undecided=True)], count - 1: [mark(limit_reached=True)]}
        return Packet(frame, interface, START + index * 10**8, 900 if sampled else None,
                      comments.get(index, []))
    return [one(index) for index in range(count)]


def open_file(window, emulator, section):
    client = Client(emulator(*INSTANT))
    path = write_pcapng(client.new_path("captured.pcapng"), section)
    path.chmod(0o644)
    shown = window(client, "-r", path)
    shown.wait(shown.packets, "the packets")
    return shown


def both():
    return Section(sample_interfaces() + full_interfaces(), packets(2, 4))


def test_a_packet_tells_where_it_was_captured(window, emulator, screenshots):
    shown = open_file(window, emulator, both())
    assert [(row["Capture"], row["Data center"]) for row in shown.packets()[:4]] == [
        ("simple", ""), ("simple", ""), ("full", "ORD"), ("full", "ORD")]
    third = list(shown.packet_list.all("table cell"))[2 * len(shown.columns())]
    shown.desktop.click(third)
    details = shown.main.find("tree", "Packet details")
    own = shown.wait(lambda: next((cell for cell in details.all(name=lambda text: text.startswith(
        "Cloudflare")) if cell.extents[3]), None), "the plugin's item")
    assert "ORD (Chicago)" in own.name
    shown.desktop.click(own)
    shown.desktop.key("shift+Right")
    shown.wait(lambda: details.find(name=lambda text: "pcap_7d7c_1.pcap" in text), "its fields")
    shown.desktop.key("End")
    shown.picture(screenshots / "packet-details.png")


def statistics(shown):
    shown.menu("Statistics", "Cloudflare")
    table = shown.dialog(lambda name: "Cloudflare" in name)
    return table, shown.wait(lambda: [cell.name for cell in table.all("table cell")], "its rows")


def test_statistics_of_a_sample_and_a_full_capture(window, emulator, screenshots):
    shown = open_file(window, emulator, both())
    _, cells = statistics(shown)
    for name, count in (("Packets", "60"), ("ORD (Chicago, United States)", "30"),
                        ("All data centers (sample)", "30"), ("File 2 of 2: pcap_7d7c_2.pcap", "15")):
        assert cells[cells.index(name) + 1] == count, cells
    shown.picture(screenshots / "statistics.png")


def test_statistics_of_a_full_capture_alone(window, emulator, screenshots):
    shown = open_file(window, emulator, Section(full_interfaces(), packets(0, 2)))
    _, cells = statistics(shown)
    assert not any("sample" in cell for cell in cells), cells
    shown.picture(screenshots / "statistics-full.png")


def test_missing_packets_are_colored(window, emulator, screenshots):
    """Cloudflare's packets as `compare -w` writes them, with what became of each."""
    client = Client("http://127.0.0.1:9")
    router = client.new_path("router.pcap")
    api = emulator(*INSTANT, "--router", router, "--router-drop", "203.0.113.80")
    client.env["CLOUDFLARE_API_BASE_URL"] = api.url
    sample = client.capture("dst net 203.0.113.0/24")
    compared = client.new_path("compared.pcapng")
    done = client.tool("compare", sample.path, router, "-w", compared)
    assert done.returncode == 0 and "203.0.113.80 are missing" in done.stdout
    shown = window(client, "-r", compared)
    rows = shown.wait(shown.packets, "the packets")
    columns = len(shown.columns())
    cells = list(shown.packet_list.all("table cell"))

    def color(address_is_missing):
        # The first row is selected, and has a color of its own.
        row = next(n for n, one in enumerate(rows)
                   if n > 0 and (one["Destination"] == "203.0.113.80") == address_is_missing)
        return shown.desktop.color(cells[row * columns], 2, 2)
    # The profile's colors: red for the missing, a sample's for the others.
    shown.wait(lambda: color(True) == (251, 201, 201), "the color of missing packets")
    assert color(False) == (255, 242, 231)
    shown.picture(screenshots / "missing.png")
