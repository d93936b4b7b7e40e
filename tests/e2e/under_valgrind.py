#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One sample and one full capture from the emulator under valgrind; see tests/sanitize. Ends with
status 1 for an error or a block of memory that is lost."""

import re
import sys

from capturing import INSTANT, Client
from emulator import Emulator
from full_captures import Folder, FullClient, emulator_of

VALGRIND = ["valgrind", "--quiet", "--leak-check=full", "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite", "--error-exitcode=86", "--track-fds=yes",
            "--child-silent-after-fork=yes"]  # one compiles the filter, and ends by _exit


def sample(client, path):
    return client.capture_command(path, "udp port 53")


def check(name, client, command, path):
    done = client.run([*VALGRIND, *command], timeout=300, path=path)
    # The pipe of the signal handler lives as long as the process.
    left_open = [entry for entry in done.stderr.split("Open file descriptor ")[1:]
                 if int(re.match(r"\d+", entry)[0]) > 2 and "StopRequests" not in entry]
    good = done.returncode == 0 and done.records and not left_open
    print(f"valgrind, {name}: status {done.returncode}, {len(done.records)} packets, "
          f"{len(left_open)} descriptors left open: {'good' if good else 'BAD'}")
    if not good:
        print(done.stderr[-4000:])
    return good


def main():
    with Emulator(*INSTANT) as api:
        client = Client(api)
        path = client.new_path()
        good = check("sample", client, sample(client, path), path)
    bucket, running = Folder(), []
    try:
        api = emulator_of(lambda *words, **more: running.append(
            Emulator(*words, **more).start()) or running[-1], bucket)
        client = FullClient(api, bucket, speed=2)
        path = client.new_path()
        command = client.capture_command(path, None, *client.words("cloudflare-ORD"),
                                         interface="cloudflare-ORD")
        good = check("full capture", client, command, path) and good
    finally:
        for one in running:
            one.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
