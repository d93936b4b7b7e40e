# SPDX-License-Identifier: GPL-2.0-or-later
"""Judges how a tortured capture ended."""

import collections
import json
import os
import re

import faults
from pcapng import read_pcapng
from s3_server import SECRET_KEY

SENTENCE = re.compile(r"[^\x00-\x1f{}]{20,2100}")
COMPLETE, FAILED, PARTIAL, STOPPED = "complete", "failed", "partial", "stopped"


class Wrong(Exception):
    """The capture ended as it must not."""


def demand(condition, why):
    if not condition:
        raise Wrong(why)


def records_in(path):
    sections = read_pcapng(path)
    demand(len(sections) == 1, "not one section")
    interfaces = sections[0].interfaces
    for interface in interfaces:
        demand(interface.description and interface.statistics, "an interface without its texts")
    comments = [text for packet in sections[0].packets for text in packet.comments]
    comments += [one.statistics[1].decode() for one in interfaces if 1 in one.statistics]
    return ([(one.time, one.data, one.length) for one in sections[0].packets],
            [one.description for one in interfaces], comments)


def check_secrets(texts, folder):
    """Neither what was printed nor any file that the program wrote holds a secret."""
    for text in texts:
        demand(faults.TOKEN not in text and SECRET_KEY not in text, "a secret was printed")
    for place, _, files in os.walk(folder):
        for path in (os.path.join(place, name) for name in files):
            with open(path, "rb") as file:
                data = file.read()
            demand(faults.TOKEN.encode() not in data and SECRET_KEY.encode() not in data,
                   f"a secret in {os.path.basename(path)}")


def check_state(home):
    """The state file reads, and is private."""
    path = home / "state/cloudflaredump/started.json"
    if path.exists():
        json.loads(path.read_text())
        demand(path.stat().st_mode & 0o777 == 0o600, "the state file is not private")


def check_sentences(err):
    lines = err.rstrip("\n").split("\n")
    demand(0 < len(lines) <= 3, f"{len(lines)} lines on stderr")
    for line in lines:
        demand(SENTENCE.fullmatch(line), f"no plain sentence: {line!r}")
    return lines


def is_part_of(records, expected):
    """Whether all `records` are expected ones, each as often at most, in order of time."""
    rest = collections.Counter(records)
    rest.subtract(collections.Counter(expected))
    times = [record[0] for record in records]
    return all(count <= 0 for count in rest.values()) and times == sorted(times)


def judge(case, ended, path, home):
    """The kind of outcome; raises Wrong. `case` has `reference`, `fault` and `shows`: whether the
    damage of a garbage fault can be told by structure, framing or a digest."""
    demand(ended.returncode is not None, "it hangs")
    demand(ended.returncode in (0, 1, 3, 4), f"status {ended.returncode}: {ended.err}")
    lines = check_sentences(ended.err)
    check_secrets([ended.out, ended.err], home)
    check_state(home)
    expected = case.reference.records
    content_may_lie = case.fault is not None and case.fault.kind in faults.GARBAGE and not case.shows
    if ended.returncode == 1:
        demand(not path.exists(), "status 1, and a file")
        demand(len(lines) == 1 and lines[0].startswith("cloudflaredump: "), f"not one line: {lines}")
        outcome = FAILED
    else:
        records, descriptions, comments = records_in(path)
        outcome = judge_file(ended.returncode, records, descriptions, comments, expected,
                             content_may_lie, lines)
    if case.fault is not None and case.fault.kind == faults.CLOSED and "/download" in str(
            case.fault.target):
        demand(outcome != COMPLETE, "nothing said where the download ends, and nobody was told")
    if case.fault is not None and faults.must_complete(case.fault):
        demand(outcome == COMPLETE, f"{outcome}, though the next try would have got through: {lines}")
    return outcome


def judge_file(status, records, descriptions, comments, expected, content_may_lie, lines):
    told = any(line.startswith("Incomplete: ") for line in lines)
    told_inside = any("Incomplete: " in text for text in comments)
    if status == 4:
        demand(told and told_inside, "incomplete, and the file or stderr does not say so")
        demand(content_may_lie or is_part_of(records, expected), "a wrong packet")
        return PARTIAL
    demand(not told and not told_inside, "a file that says it is incomplete, but the status not")
    if content_may_lie:
        return COMPLETE if records == expected else "changed unseen"
    demand(records == expected, f"{len(records)} packets, {len(expected)} expected, or wrong ones")
    demand(status == 0, "status 3, though there are packets")
    return COMPLETE
