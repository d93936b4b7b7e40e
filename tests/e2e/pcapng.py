# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads and writes pcapng and classic pcap files for the end-to-end tests.

Written from draft-ietf-opsawg-pcapng and draft-ietf-opsawg-pcap, apart from the code under test,
so that the two check each other. Times are whole nanoseconds since 1970; texts are str.
"""

import struct
from dataclasses import dataclass, field

SECTION, INTERFACE, ENHANCED, STATISTICS = 0x0A0D0D0A, 1, 6, 5
COMMENT = 1


@dataclass
class Interface:
    """An interface block. None stands for an option that is not there."""

    link_type: int = 1
    snap_length: int = 262143
    name: str | None = None
    description: str | bytes | None = None
    filter: str | None = None
    resolution: int = 6  # if_tsresol: 10 to the power of minus this
    statistics: dict | None = None  # of its statistics block: option number -> bytes


@dataclass
class Packet:
    """A packet; `interface` is the interface's place in its section."""

    data: bytes
    interface: int = 0
    time: int = 0
    original_length: int | None = None  # None: as long as data
    comments: list = field(default_factory=list)

    @property
    def length(self):
        return len(self.data) if self.original_length is None else self.original_length


@dataclass
class Section:
    interfaces: list
    packets: list
    application: str | None = None
    comments: list = field(default_factory=list)


# ---------------------------------------------------------------------------------------- writing


def _padded(data):
    return data + bytes(-len(data) % 4)


def _options(pairs):
    """pairs of (number, bytes), closed by opt_endofopt; nothing for no pairs."""
    if not pairs:
        return b""
    body = b"".join(struct.pack("=HH", number, len(v)) + _padded(v) for number, v in pairs)
    return body + bytes(4)


def _block(kind, body):
    length = len(body) + 12
    return struct.pack("=II", kind, length) + body + struct.pack("=I", length)


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def _section_block(section):
    options = [(COMMENT, _bytes(c)) for c in section.comments]
    if section.application is not None:
        options.append((4, _bytes(section.application)))
    return _block(SECTION, struct.pack("=IHHq", 0x1A2B3C4D, 1, 0, -1) + _options(options))


def _interface_block(interface):
    options = []
    if interface.name is not None:
        options.append((2, _bytes(interface.name)))
    if interface.description is not None:
        options.append((3, _bytes(interface.description)))
    if interface.resolution != 6:
        options.append((9, bytes([interface.resolution])))
    if interface.filter is not None:
        options.append((11, b"\0" + _bytes(interface.filter)))
    head = struct.pack("=HHI", interface.link_type, 0, interface.snap_length)
    return _block(INTERFACE, head + _options(options))


def _packet_block(packet, interface):
    ticks = packet.time // 10 ** (9 - interface.resolution)
    head = struct.pack("=IIIII", packet.interface, ticks >> 32, ticks & 0xFFFFFFFF,
                       len(packet.data), packet.length)
    options = _options([(COMMENT, _bytes(c)) for c in packet.comments])
    return _block(ENHANCED, head + _padded(packet.data) + options)


def write_pcapng(path, sections):
    """Writes sections (or the packets and interfaces of one Section) in this machine's order."""
    sections = [sections] if isinstance(sections, Section) else sections
    with open(path, "wb") as file:
        for section in sections:
            file.write(_section_block(section))
            for interface in section.interfaces:
                file.write(_interface_block(interface))
            for packet in section.packets:
                file.write(_packet_block(packet, section.interfaces[packet.interface]))
    return path


def write_pcap(path, packets, link_type=1, snap_length=65535, nanoseconds=False, order="<"):
    """Writes a classic pcap file; `order` is "<" or ">"."""
    with open(path, "wb") as file:
        magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
        file.write(struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap_length, link_type))
        for packet in packets:
            fraction = packet.time % 10**9 // (1 if nanoseconds else 1000)
            file.write(struct.pack(order + "IIII", packet.time // 10**9, fraction,
                                   len(packet.data), packet.length) + packet.data)
    return path


# ---------------------------------------------------------------------------------------- reading


def _read_options(data, order):
    """Option number -> list of values."""
    options = {}
    while len(data) >= 4:
        number, length = struct.unpack(order + "HH", data[:4])
        if number == 0:
            break
        options.setdefault(number, []).append(data[4:4 + length])
        data = data[4 + length + -length % 4:]
    return options


def _texts(options, number):
    return [value.decode("utf-8") for value in options.get(number, [])]


def _first_text(options, number):
    return next(iter(_texts(options, number)), None)


def _read_interface(body, order):
    link_type, _, snap_length = struct.unpack(order + "HHI", body[:8])
    options = _read_options(body[8:], order)
    bpf = options.get(11, [None])[0]
    return Interface(link_type, snap_length, _first_text(options, 2), _first_text(options, 3),
                     bpf[1:].decode() if bpf else None, options.get(9, [b"\6"])[0][0])


def _read_packet(body, order, interfaces):
    number, high, low, captured, original = struct.unpack(order + "IIIII", body[:20])
    ticks = high << 32 | low
    options = _read_options(body[20 + captured + -captured % 4:], order)
    time = ticks * 10 ** (9 - interfaces[number].resolution)
    return Packet(body[20:20 + captured], number, time, original, _texts(options, COMMENT))


def read_pcapng(path):
    """The sections of a file. Raises ValueError for what is not pcapng or ends inside a block."""
    with open(path, "rb") as file:
        data = file.read()
    sections, order, at = [], "<", 0
    while at < len(data):
        if data[at:at + 4] == b"\n\r\r\n":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack(order + "II", data[at:at + 8])
        if length < 12 or length % 4 or data[at + length - 4:at + length] != data[at + 4:at + 8]:
            raise ValueError(f"{path}: broken block at {at}")
        body = data[at + 8:at + length - 4]
        if kind == SECTION:
            options = _read_options(body[16:], order)
            sections.append(Section([], [], _first_text(options, 4), _texts(options, COMMENT)))
        elif not sections:
            raise ValueError(f"{path}: no section header")
        elif kind == INTERFACE:
            sections[-1].interfaces.append(_read_interface(body, order))
        elif kind == ENHANCED:
            sections[-1].packets.append(_read_packet(body, order, sections[-1].interfaces))
        elif kind == STATISTICS:
            number = struct.unpack(order + "I", body[:4])[0]
            options = _read_options(body[12:], order)
            sections[-1].interfaces[number].statistics = {n: v[0] for n, v in options.items()}
        at += length
    return sections


def read_pcap(path):
    """(link type, snap length, packets) of a classic pcap file of any magic."""
    with open(path, "rb") as file:
        data = file.read()
    forms = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}
    order = "<" if struct.unpack("<I", data[:4])[0] in forms else ">"
    unit = forms[struct.unpack(order + "I", data[:4])[0]]
    snap_length, link_type = struct.unpack(order + "II", data[16:24])
    packets, at = [], 24
    while at < len(data):
        seconds, fraction, captured, original = struct.unpack(order + "IIII", data[at:at + 16])
        packets.append(Packet(data[at + 16:at + 16 + captured], 0,
                              seconds * 10**9 + fraction * unit, original))
        at += 16 + captured
    return link_type, snap_length, packets


# ---------------------------------------------------------------------------------- small packets


def _ipv4(protocol, payload, source, destination):
    """An Ethernet frame with an IPv4 packet."""
    def address(text):
        return bytes(int(part) for part in text.split("."))
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                     address(source), address(destination))
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xFFFF) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", 0xFFFF - total) + ip[12:]
    return bytes.fromhex("020000000001020000000002") + b"\x08\x00" + ip + payload


def udp(source="192.0.2.1", destination="203.0.113.7", source_port=40000, destination_port=53,
        payload=b"x"):
    """An Ethernet frame with an IPv4 UDP datagram."""
    head = struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0)
    return _ipv4(17, head + payload, source, destination)


def tcp(source="192.0.2.1", destination="203.0.113.7", source_port=40000, destination_port=443,
        sequence=1, acknowledged=1, flags=0x18, payload=b"x"):
    """An Ethernet frame with an IPv4 TCP segment; the flags are PSH and ACK unless given."""
    head = struct.pack("!HHIIBBHHH", source_port, destination_port, sequence, acknowledged, 0x50,
                       flags, 65535, 0, 0)
    return _ipv4(6, head + payload, source, destination)
