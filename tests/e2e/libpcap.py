# SPDX-License-Identifier: GPL-2.0-or-later
"""libpcap's own word on which packets a capture filter accepts, asked by ctypes: what the program
delivers is compared with it."""

import ctypes
import ctypes.util
import functools

RAW = 12  # DLT_RAW, the number that LINKTYPE_RAW (101) has inside libpcap on Linux
NO_NETMASK = 0xFFFFFFFF


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte),
                ("k", ctypes.c_uint)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint), ("instructions", ctypes.POINTER(_Instruction))]


class _Header(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("microseconds", ctypes.c_long),
                ("captured", ctypes.c_uint), ("length", ctypes.c_uint)]


@functools.cache
def _library():
    library = ctypes.CDLL(ctypes.util.find_library("pcap") or "libpcap.so.0.8")
    library.pcap_open_dead.restype = ctypes.c_void_p
    library.pcap_geterr.restype = ctypes.c_char_p
    return library


def version():
    """(1, 10), say."""
    library = _library()
    library.pcap_lib_version.restype = ctypes.c_char_p
    return tuple(map(int, library.pcap_lib_version().split()[2].split(b".")[:2]))


class Filter:
    """A compiled capture filter; ValueError with libpcap's sentence if it is none."""

    def __init__(self, text, link_type=RAW):
        handle = ctypes.c_void_p(_library().pcap_open_dead(link_type, 262144))
        self._program = _Program()
        bad = _library().pcap_compile(handle, ctypes.byref(self._program), text.encode(), 1,
                                      ctypes.c_uint(NO_NETMASK))
        error = _library().pcap_geterr(handle).decode() if bad else None
        _library().pcap_close(handle)
        if bad:
            raise ValueError(error)

    def accepts(self, data, length=None):
        """Whether the filter accepts a packet of these bytes, `length` on the wire."""
        header = _Header(0, 0, len(data), len(data) if length is None else length)
        return bool(_library().pcap_offline_filter(
            ctypes.byref(self._program), ctypes.byref(header), bytes(data)))


def says(text, link_type=RAW):
    """What libpcap says of a filter that it refuses; None if it takes it."""
    try:
        Filter(text, link_type)
    except ValueError as error:
        return str(error)
    return None
