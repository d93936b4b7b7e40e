# SPDX-License-Identifier: GPL-2.0-or-later
"""The faults that can befall one HTTP reply, as the steps that send it.

A step is ("send", bytes), ("sleep", seconds), ("flood", bytes) for as long as anybody reads,
("close",), ("reset",) or ("stall",): say nothing more, and wait for the other side to go.
"""

import random
import re
from dataclasses import dataclass

#: At a byte of the reply. After one of them the next try gets through: nothing may be missing then.
TRANSIENT = ("cut", "reset", "stall", "delay")
#: At a byte of the reply; its content is changed.
GARBAGE = ("flip", "noise", "insert", "delete")
#: At a byte of the body, whose end is told by nothing but the close.
CLOSED = "closed"

PAUSE = 0.02  # seconds of a delay: shorter than the program's stall limit at the speed used
TOKEN = "planted-token-0123456789abcdefghijklmnop"  # of the account: to be seen nowhere


@dataclass(frozen=True)
class Fault:
    """`kind` befalls the reply `target` once, or with `always` all later ones to such a request."""

    kind: str
    target: object
    at: int = 0
    always: bool = False

    def __str__(self):
        often = " always" if self.always else ""
        return f"{self.kind} at {self.at}{often} of {self.target}"


def split(reply):
    """(head with its blank line, body)."""
    end = reply.index(b"\r\n\r\n") + 4
    return reply[:end], reply[end:]


def without(head, *names):
    """A head without these headers."""
    for name in names:
        head = re.sub(rb"(?im)^" + name.encode() + rb":.*\r\n", b"", head)
    return head


def with_headers(head, *lines):
    return head[:-2] + "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


def page(status, body, *headers, content_type="application/json"):
    """A whole reply."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}",
             f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


REFUSAL = b'{"success":false,"result":null,"messages":[],"errors":[{"code":1,"message":"no"}]}'
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>{value=1}</body></html>"
HOSTILE = (b'{"success":false,"errors":[{"code":1,"message":"\\u001b[2J{value=x}{type=y}\\n\\r'
           b"arg {number=0}{call=--x} %s%n \\u0000 \\u202e" + b"A" * 5000 + b'"}],"result":null}')


def refusing(status, *headers, body=REFUSAL):
    return lambda request, reply: [("send", page(status, body, *headers))]


def replaced(body, status="200 OK", content_type="application/json"):
    return lambda request, reply: [("send", page(status, body, content_type=content_type))]


def length(change):
    """The same reply with another Content-Length; what was promised and is not there never comes."""
    def steps(_, reply):
        head, body = split(reply)
        claimed = change(len(body))
        return [("send", with_headers(without(head, "Content-Length", "Transfer-Encoding"),
                                      f"Content-Length: {claimed}") + body), ("close",)]
    return steps


def echo(status):
    """An error page that repeats what was asked, its secrets too."""
    def steps(request, _):
        asked = request.head.decode("latin-1").replace("\\", "/").replace('"', "'")
        asked = asked.replace("\r\n", "\\r\\n")
        message = f'{{"success":false,"errors":[{{"code":9,"message":"{asked}"}}],"result":null}}'
        return [("send", page(status, message.encode("latin-1")))]
    return steps


def endless(chunked):
    def steps(_, reply):
        head, body = split(reply)
        head = without(head, "Content-Length", "Transfer-Encoding", "Content-Range")
        if not chunked:
            return [("send", with_headers(head, "Connection: close") + body),
                    ("flood", b" " * 65536)]
        first = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        return [("send", with_headers(head, "Transfer-Encoding: chunked") + first),
                ("flood", b"10000\r\n" + b" " * 65536 + b"\r\n")]
    return steps


def slow(_, reply):
    """In so many pieces; none is awaited for longer than the program bears."""
    size = max(1, len(reply) // 40)
    steps = []
    for at in range(0, len(reply), size):
        steps += [("send", reply[at:at + size]), ("sleep", 0.005)]
    return steps


def chunked(_, reply):
    """The same reply in chunks, with a trailer: nothing is wrong with it."""
    head, body = split(reply)
    head = with_headers(without(head, "Content-Length"), "Transfer-Encoding: chunked")
    chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(body[at:at + 100]), body[at:at + 100])
                      for at in range(0, len(body), 100))
    return [("send", head + chunks + b"0\r\nX-Trailer: 1\r\n\r\n")]


def cut_chunks(request, reply):
    whole = chunked(request, reply)[0][1]
    return [("send", whole[:-30]), ("close",)]


def interim(_, reply):
    """Interim answers first: nothing is wrong with that."""
    return [("send", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3 + reply)]


def redirect(status, location):
    return lambda request, reply: [("send", page(status, b"", f"Location: {location}"))]


def headers(*lines):
    def steps(_, reply):
        head, body = split(reply)
        return [("send", with_headers(head, *lines) + body)]
    return steps


DEEP = b'{"result":' + b"[" * 100000 + b"]" * 100000 + b',"success":true}'
BOMB = (b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "' + b"x" * 1000 + b'">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(8))
        + b'<!ENTITY f SYSTEM "file:///etc/passwd">]><ListBucketResult><Contents><Key>&i;&f;</Key>'
        b"<Size>1</Size></Contents></ListBucketResult>")

#: The request is not carried out. The first try afterwards gets through, so nothing may be missing.
PASSING = {
    "429": refusing("429 Too Many Requests"),
    "429 Retry-After 1": refusing("429 Too Many Requests", "Retry-After: 1"),
    "429 Retry-After date": refusing("429 Too Many Requests",
                                     "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT"),
    "500": refusing("500 Internal Server Error"),
    "502 page": refusing("502 Bad Gateway", body=HTML),
    "503": refusing("503 Service Unavailable", "Retry-After: 0", body=b""),
    "504": refusing("504 Gateway Timeout", "Retry-After: nonsense"),
    # Cloudflare's own gateways, which answer with web pages.
    "520": refusing("520 Web Server Returned an Unknown Error", body=HTML),
    "522": refusing("522 Connection Timed Out", body=HTML),
    "524": refusing("524 A Timeout Occurred", body=HTML),
    "530": refusing("530 Origin DNS Error", body=HTML),
}
#: The request is carried out, and the reply's form is odd or late but whole.
HARMLESS = {
    "slow": slow,
    "chunks": chunked,
    "interim answers": interim,
    "many headers": headers(*(f"X-{n}: {'v' * 100}" for n in range(200))),
}
#: The request is carried out; nothing is promised but a plain end.
REPLACED = {
    "429 for a year": refusing("429 Too Many Requests", "Retry-After: 31536000"),
    "401": refusing("401 Unauthorized"),
    "403": refusing("403 Forbidden"),
    "404": refusing("404 Not Found"),
    "502 carried out": refusing("502 Bad Gateway", body=HTML),
    "524 carried out": refusing("524 A Timeout Occurred", body=HTML),
    "HTML": replaced(HTML, content_type="text/html"),
    "empty": replaced(b""),
    "no content": replaced(b"", "204 No Content"),
    "hostile words": replaced(HOSTILE, "400 Bad Request"),
    "null": replaced(b"null"),
    "wrong types": replaced(b'{"success":"yes","result":{"id":7,"status":[],"type":{}},"errors":3}'),
    "NUL": replaced(b'{"success":true,"result":{"id":"a\\u0000b","status":"\\u0000"}}'),
    "bad UTF-8": replaced(b'{"success":true,"result":{"id":"\xff\xfe","status":"\xc0\xaf"}}'),
    "huge numbers": replaced(b'{"success":true,"result":[{"id":"a","time_limit":1e999,'
                             b'"packet_limit":99999999999999999999999}]}'),
    "deep": replaced(DEEP),
    "duplicate keys": replaced(b'{"success":false,"success":true,"result":null,"result":[]}'),
    "XML bomb": replaced(BOMB, content_type="application/xml"),
    "length less": length(lambda size: max(0, size - 7)),
    "length more": length(lambda size: size + 7),
    "length huge": length(lambda size: 10**15),
    "length overflowing": length(lambda size: 2**64 + size),
    "length negative": length(lambda size: -1),
    "length twice": headers("Content-Length: 3"),
    "cut chunks": cut_chunks,
    "endless by close": endless(False),
    "endless chunks": endless(True),
    "endless head": lambda *_: [("send", b"HTTP/1.1 200 OK\r\n"), ("flood", b"X-Y: z\r\n" * 999)],
    "echo 400": echo("400 Bad Request"),
    "echo 500": echo("500 Internal Server Error"),
    "not HTTP": lambda *_: [("send", b"SSH-2.0-OpenSSH_9.2\r\n"), ("close",)],
    "HTTP/0.9": lambda *_: [("send", b"<html>\n"), ("close",)],
    "upgrade": lambda *_: [("send", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")],
    "gzip said": headers("Content-Encoding: gzip"),
    "redirect file": redirect("302 Found", "file:///etc/passwd"),
}
WHOLE = {**PASSING, **HARMLESS, **REPLACED}


def redirects(trap):
    """Redirects to `trap`, an address that nobody may ever ask."""
    for status in ("301 Moved Permanently", "302 Found", "307 Temporary Redirect",
                   "308 Permanent Redirect"):
        WHOLE["redirect " + status[:3]] = REPLACED["redirect " + status[:3]] = redirect(status, trap)


def carried_out(fault):
    """Whether the server meets the request whose reply is spoilt."""
    return fault.kind not in PASSING


def must_complete(fault):
    """Whether nothing may be missing in the end."""
    passing = fault.kind in TRANSIENT or fault.kind in PASSING
    return fault.kind in HARMLESS or (passing and not fault.always) or fault.kind == "delay"


def closed_body(reply):
    """The reply, its body ended by the close only."""
    head, body = split(reply)
    head = without(head, "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive")
    return with_headers(head, "Connection: close") + body


def garbled(fault, reply):
    dice = random.Random(f"{fault.kind} {fault.at}")
    before, rest = reply[:fault.at], reply[fault.at:]
    if fault.kind == "flip":
        return before + bytes([rest[0] ^ 1 << dice.randrange(8)]) + rest[1:]
    if fault.kind == "noise":
        return before + dice.randbytes(8)[:len(rest)] + rest[8:]
    if fault.kind == "insert":
        return before + dice.randbytes(1) + rest
    return before + rest[1:]


def steps_of(fault, request, reply):
    """What is sent instead of `reply`."""
    if fault.kind in WHOLE:
        return WHOLE[fault.kind](request, reply)
    if fault.kind in GARBAGE:
        return [("send", garbled(fault, reply))]
    if fault.kind == CLOSED:
        reply = closed_body(reply)
        return [("send", reply[:fault.at]), ("close",)]
    before, rest = reply[:fault.at], reply[fault.at:]
    return {
        "cut": [("send", before), ("close",)],
        "reset": [("send", before), ("reset",)],
        "stall": [("send", before), ("stall",)],
        "delay": [("send", before), ("sleep", PAUSE), ("send", rest)],
    }[fault.kind]
