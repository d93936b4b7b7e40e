# SPDX-License-Identifier: GPL-2.0-or-later
"""Which faults are tried: at every byte of every reply, and in place of every reply."""

import random
import re
from dataclasses import dataclass

import faults
from faults import Fault

LONG = 4096  # a body longer than this is cut at its edges and at a sample of places


@dataclass(frozen=True)
class Case:
    """One capture with one fault. `shows`: garbage there can be told by structure or digest."""

    reference: object
    fault: object
    shows: bool = False


def edges(body):
    """The places in a capture file where something begins or ends."""
    places, at = set(range(0, 48)), 24
    while at + 16 <= len(body):
        places |= {at - 1, at, at + 1, at + 8, at + 12, at + 15, at + 16, at + 17}
        at += 16 + int.from_bytes(body[at + 8:at + 12], "little")
    return places | {len(body) - 1}


def offsets(reply, dice, most=200):
    """Where a reply is cut: everywhere, or in a long body at all edges and a sample."""
    head, body = faults.split(reply)
    if len(body) <= LONG:
        return list(range(len(reply)))
    places = {place for place in edges(body) if 0 <= place < len(body)}
    places |= set(dice.sample(range(len(body)), most))
    return list(range(len(head))) + sorted(len(head) + place for place in places)


def damage_shows(reply, at):
    """Whether garbage at this byte of a reply is seen: in a body whose MD5 its ETag is."""
    head, _ = faults.split(reply)
    digest = re.search(rb'(?im)^etag: *"?[0-9a-f]{32}"?\r', head)
    return digest is not None and at >= len(head)


def positional(reference, kinds, dice):
    """A case for each kind at each place of each reply."""
    for target, reply in reference.targets.items():
        for at in offsets(reply, dice):
            for kind in (*kinds, faults.GARBAGE[at % len(faults.GARBAGE)], faults.CLOSED):
                if kind == faults.CLOSED and at < len(faults.split(reply)[0]):
                    continue
                shows = damage_shows(reply, at) and kind in faults.GARBAGE
                yield Case(reference, Fault(kind, target, at), shows)


def replaced(reference):
    """A case for each way in which each reply is replaced, once and always."""
    for target in reference.targets:
        for kind in faults.WHOLE:
            for always in (False, True):
                yield Case(reference, Fault(kind, target, 0, always))
        for kind in faults.TRANSIENT:
            for at in (0, 9, 60):
                yield Case(reference, Fault(kind, target, at, True))


def live(reference, replies, dice, count):
    """Faults of each kind on the replies of real servers; `replies` of each side are known."""
    for _ in range(count):
        side = dice.choice([side for side, number in replies.items() if number])
        target = (side, dice.randrange(replies[side]))
        kind = dice.choice([*faults.TRANSIENT, *faults.PASSING, *faults.HARMLESS, faults.CLOSED,
                            *faults.TRANSIENT])
        yield Case(reference, Fault(kind, target, dice.randrange(700)))


def exhaustive(references):
    dice = random.Random(7)
    for reference in references:
        yield from replaced(reference)
        yield from positional(reference, faults.TRANSIENT, dice)


def sample(references, count):
    """So many of all, evenly drawn from the kinds."""
    dice = random.Random(count)
    by_kind = {}
    for reference in references:
        for case in [*replaced(reference), *positional(reference, faults.TRANSIENT, dice)]:
            by_kind.setdefault(case.fault.kind, []).append(case)
    for row in by_kind.values():
        dice.shuffle(row)
    drawn = []
    while len(drawn) < count and any(by_kind.values()):
        drawn += [row.pop() for row in by_kind.values() if row]
    return drawn[:count]
