# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy between the program and its servers. It passes every byte of a reply on as it is,
except where a fault was ordered. The replies come from the real servers, or from a tape of what
these answered: the same bytes, without the work of making them again for each fault.
"""

import asyncio
import re
import socket
import struct
from dataclasses import dataclass, field

import faults

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time
CAPTURES = re.compile(r"/pcaps$")


@dataclass(frozen=True)
class Request:
    """`side` is "api" or "s3"."""

    side: str
    method: str
    path: str
    head: bytes
    body: bytes

    @property
    def range_start(self):
        found = re.search(rb"(?im)^range: *bytes=(\d+)-", self.head)
        return int(found[1]) if found else 0

    @property
    def makes_capture(self):
        return self.side == "api" and self.method == "POST" and bool(CAPTURES.search(self.path))


async def read_head(reader):
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def length_of(head):
    found = re.search(rb"(?im)^content-length: *(\d+)", head)
    return int(found[1]) if found else 0


async def read_request(side, reader):
    """The next request of a connection, or None."""
    head = await read_head(reader)
    if not head:
        return None
    body = await reader.readexactly(length_of(head))
    method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    return Request(side, method, path, head, body)


async def ask(port, request):
    """The reply of a real server, byte by byte as it came."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        writer.write(request.head + request.body)
        head = await read_head(reader)
        if b"chunked" in head.lower():
            body = b""
            while not body.endswith(b"0\r\n\r\n"):
                body += await reader.read(65536)
        else:
            body = await reader.readexactly(length_of(head))
        return head + body
    finally:
        writer.close()


class Live:
    """Replies of real servers; counts them on each side, which is how faults name them."""

    def __init__(self, ports, tape=None):
        self.ports, self.tape = ports, tape
        self.counts = {"api": 0, "s3": 0}
        self.posts = 0

    async def answer(self, request, carry_out):
        name = (request.side, self.counts[request.side])
        self.counts[request.side] += 1
        if not carry_out(name):
            return name, b""
        posts = self.posts
        self.posts += request.makes_capture
        reply = await ask(self.ports[request.side], request)
        if self.tape is not None:
            self.tape.add(request, posts + request.makes_capture, reply)
        return name, reply


class Tape:
    """Recorded replies: to the same request the same bytes. What a server would answer otherwise
    once captures were made is told apart by how many were."""

    def __init__(self):
        # (side, method, path, how many captures were made or which one is to be) -> replies, in order
        self.replies = {}

    @staticmethod
    def key(request, posts):
        which = request.body if request.makes_capture else posts
        return request.side, request.method, request.path, which

    def add(self, request, posts, reply):
        row = self.replies.setdefault(self.key(request, posts), [])
        # A poll like the one before brings nothing new.
        if not row or faults.split(row[-1])[1] != faults.split(reply)[1]:
            row.append(reply)

    def names(self):
        """{name: reply} of all that are on it."""
        return {(key, number): reply for key, row in self.replies.items()
                for number, reply in enumerate(row)}

    def player(self):
        return Player(self.replies)


@dataclass
class Player:
    """One playing of a tape."""

    replies: dict
    made: set = field(default_factory=set)  # bodies of the POSTs that were carried out
    served: dict = field(default_factory=dict)

    def _row(self, request, posts):
        for made in range(posts, -1, -1):
            key = Tape.key(request, made)
            if key in self.replies:
                return key
        return None

    async def answer(self, request, carry_out):
        key = self._row(request, len(self.made))
        if key is None:
            return ("unknown", request.path), faults.page("404 Not Found", faults.REFUSAL)
        row = self.replies[key]
        number = min(self.served.get(key, 0), len(row) - 1)
        name = (key, number)
        if carry_out(name):
            self.served[key] = self.served.get(key, 0) + 1
            if request.makes_capture:
                self.made.add(request.body)
        return name, ranged(row[number], request.range_start)


def ranged(reply, start):
    """A recorded reply from byte `start` of its body on, as a server that knows ranges sends it."""
    if start == 0:
        return reply
    head, body = faults.split(reply)
    head = b"HTTP/1.1 206 Partial Content\r\n" + head.split(b"\r\n", 1)[1]
    span = f"bytes {start}-{len(body) - 1}/{len(body)}"
    head = faults.with_headers(faults.without(head, "Content-Length"),
                               f"Content-Length: {len(body) - start}", f"Content-Range: {span}")
    return head + body[start:]


class Proxy:
    """Two listeners, one for each side. `source` answers (Live or a Player); `fault` may be set."""

    def __init__(self):
        self.source = None
        self.fault = None
        self.struck = 0
        self.ports = {}
        self._servers = []
        self._writers = set()

    async def start(self):
        for side in ("api", "s3"):
            server = await asyncio.start_server(
                lambda reader, writer, side=side: self._serve(side, reader, writer),
                "127.0.0.1", 0, limit=1 << 20, backlog=256)
            self._servers.append(server)
            self.ports[side] = server.sockets[0].getsockname()[1]
        return self

    def begin(self, source, fault):
        """The next capture: nothing of the last one's is left."""
        self.hang_up()
        self.source, self.fault, self.struck = source, fault, 0

    def hang_up(self):
        for writer in list(self._writers):
            writer.transport.abort()

    def stop(self):
        self.hang_up()
        for server in self._servers:
            server.close()

    def _strikes(self, name):
        fault = self.fault
        if fault is None:
            return False
        if fault.always:
            return self._like(name) == self._like(fault.target)
        return name == fault.target and self.struck == 0

    @staticmethod
    def _like(name):
        key = name[0]
        return key[:3] if isinstance(key, tuple) else key

    async def _serve(self, side, reader, writer):
        self._writers.add(writer)
        source = self.source
        try:
            writer.transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := await read_request(side, reader)) is not None:
                if source is not self.source:
                    break  # of a program that has ended
                if not await self._reply(request, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _reply(self, request, reader, writer):
        """Sends one reply; whether the connection goes on."""
        name, reply = await self.source.answer(
            request, lambda name: not self._strikes(name) or faults.carried_out(self.fault))
        if not self._strikes(name):
            writer.write(reply)
            return b"connection: close" not in faults.split(reply)[0].lower()
        self.struck += 1
        for step, *what in faults.steps_of(self.fault, request, reply):
            if not await self._step(step, what, reader, writer):
                return False
        return True

    @staticmethod
    async def _step(step, what, reader, writer):
        if step == "send":
            writer.write(*what)
            await writer.drain()
        elif step == "sleep":
            await asyncio.sleep(*what)
        elif step == "flood":
            while True:
                writer.write(*what)
                await writer.drain()
                await asyncio.sleep(0)
        elif step == "reset":
            writer.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
            return False
        elif step == "stall":
            await reader.read()
            return False
        else:
            return False
        return True
