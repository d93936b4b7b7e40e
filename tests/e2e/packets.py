# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets made by hand, header by header. Checksums are 0: nothing under test looks at them."""

import ipaddress
import struct

ICMP, TCP, UDP, GRE, ESP, AH, ICMP6, SCTP = 1, 6, 17, 47, 50, 51, 58, 132
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION_OPTIONS, MOBILITY = 0, 43, 44, 60, 135

A, B = "198.51.100.1", "203.0.113.7"
A6, B6 = "2001:db8:51::1", "2001:db8:113::7"


def ports(source, destination, rest=b"\0" * 8):
    """The start of TCP, UDP or SCTP, and eight bytes more."""
    return struct.pack(">HH", source, destination) + rest


def ip4(protocol, payload=b"", source=A, destination=B, fragment=0, options=b""):
    """IPv4; `fragment` is the offset in bytes, a multiple of 8."""
    header = 20 + len(options)
    return (struct.pack(">BBHHHBBH", 0x40 | header // 4, 0, header + len(payload), 0, fragment // 8,
                        64, protocol, 0)
            + ipaddress.IPv4Address(source).packed + ipaddress.IPv4Address(destination).packed
            + options + payload)


def ip6(next_header, payload=b"", source=A6, destination=B6):
    return (struct.pack(">IHBB", 0x60000000, len(payload), next_header, 64)
            + ipaddress.IPv6Address(source).packed + ipaddress.IPv6Address(destination).packed
            + payload)


def extension(next_header, length=8):
    """A hop-by-hop, routing, destination options or mobility header of `length` bytes."""
    return bytes([next_header, length // 8 - 1]) + b"\0" * (length - 2)


def fragment6(next_header, offset=0, more=True):
    return struct.pack(">BBHI", next_header, 0, offset | more, 7)


def authentication(next_header, length=24):
    return bytes([next_header, length // 4 - 2]) + b"\0" * (length - 2)


def _ether_type(packet):
    return 0x86DD if packet[0] >> 4 == 6 else 0x0800


def ethernet(packet, *vlan_types):
    """Behind Ethernet and one VLAN tag for each type given (0x8100, 0x88a8)."""
    types = list(vlan_types) + [_ether_type(packet)]
    tags = b"".join(struct.pack(">HH", 42, following) for following in types[1:])
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" + struct.pack(">H", types[0]) + tags + packet


def sll(packet):
    return struct.pack(">HHH8sH", 0, 1, 6, b"\x02\0\0\0\0\x01", _ether_type(packet)) + packet


def sll2(packet):
    return struct.pack(">HHIHBB8s", _ether_type(packet), 0, 1, 1, 0, 6, b"\x02\0\0\0\0\x01") + packet


def nflog(packet, big_endian=False, before=((8, b"mark"),)):
    """The payload attribute after others; their headers are in the byte order of the file."""
    order = ">" if big_endian else "<"
    data = bytes([10 if packet[0] >> 4 == 6 else 2, 0, 0, 0])
    for kind, value in (*before, (9, packet)):
        data += struct.pack(order + "HH", 4 + len(value), kind) + value
        if kind != 9:
            data += b"\0" * (-len(value) % 4)
    return data


# Link type: how to wrap an IP packet in it.
WRAPPERS = {1: ethernet, 101: bytes, 113: sll, 228: bytes, 229: bytes, 239: nflog, 276: sll2}
