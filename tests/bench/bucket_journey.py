#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The way of a full capture's files from a real bucket (of radosgw or Swift) to one merged file, side
by side: this program, `rclone copy` and mergecap, `aws s3 cp --recursive` and mergecap, and the two
downloads alone. 300 files of 3 MB, then 1,500 of 0.6 MB; the runs take turns, medians are shown.
Needs rclone, awscli and the server's packages. Not a test.

  tests/bench/bucket_journey.py [BUILD] [--server radosgw|swift] [--runs 5] [--files N]…
"""

import argparse
import contextlib
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from rados_server import AWS, RadosServer  # noqa: E402
from s3_server import S3Server  # noqa: E402
from whole_program import ID, SIZE, Program, write_files  # noqa: E402

BYTES = 900_000_000  # of a capture, in all


def tools(keys, home):
    """The environment of rclone and aws, with keys and no configuration of a user's."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), **keys, "AWS_DEFAULT_REGION": "us-east-1",
            "RCLONE_CONFIG": "", "RCLONE_CONFIG_B_TYPE": "s3", "RCLONE_CONFIG_B_PROVIDER": "Other",
            "RCLONE_CONFIG_B_ENV_AUTH": "true", "RCLONE_CONFIG_B_REGION": "us-east-1",
            "RCLONE_CONFIG_B_ENDPOINT": keys["AWS_ENDPOINT_URL_S3"]}


@contextlib.contextmanager
def bucket_of(server):
    """A server with the bucket pcaps: the variables with keys to it."""
    if server == "swift":
        with S3Server() as swift:
            swift.create_bucket("pcaps")
            yield swift.environment()
    else:
        with RadosServer(store=4 << 30) as rados:
            rados.aws("s3api", "create-bucket", "--bucket", "pcaps")
            yield rados.environment()


class Journey:
    """What each way takes, in seconds, with folders of its own."""

    def __init__(self, keys, program, work, directory):
        self.keys, self.program, self.work, self.directory = keys, program, work, directory
        self.environment = tools(keys, work)

    def run(self, *command, environment=None):
        subprocess.run([str(word) for word in command], env=environment or self.environment,
                       check=True, stdout=subprocess.DEVNULL)

    def ours(self, out):
        words = [self.program.tool, "capture", "-q", "-i", "cloudflare-download", "--pcap-id", ID,
                 "--read-from", f"s3://pcaps/{self.directory}?region=us-east-1", "-w", out]
        environment = {**self.program.env, **self.keys}
        # Status 4: this is beyond Cloudflare's limit of packets.
        self.run("/bin/sh", "-c", '"$@" || [ $? = 4 ]', "sh", *words, environment=environment)

    def rclone(self, to):
        self.run("rclone", "copy", f"b:pcaps/{self.directory}", to)

    def aws(self, to):
        self.run(AWS, "--endpoint-url", self.keys["AWS_ENDPOINT_URL_S3"], "s3", "cp", "--recursive", "--quiet",
                 f"s3://pcaps/{self.directory}", to)

    def time(self, download):
        """Seconds of the download alone, and with mergecap; of this program, twice the same."""
        with tempfile.TemporaryDirectory(dir=self.work) as name:
            folder = pathlib.Path(name)
            start = time.monotonic()
            download(folder / "out")
            alone = time.monotonic() - start
            if download != self.ours:
                self.run("mergecap", "-w", folder / "merged.pcapng", *sorted(folder.glob("out/*")))
            return alone, time.monotonic() - start


def report(journey, files, runs):
    rows = [[journey.time(way) for way in (journey.ours, journey.rclone, journey.aws)]
            for _ in range(runs)]
    ours, rclone, aws = ([statistics.median(row[way][part] for row in rows) for part in (0, 1)]
                         for way in range(3))
    whole, alone = min(rclone[1], aws[1]), min(rclone[0], aws[0])
    print(f"{files} files: {ours[1]:.2f} s; rclone {rclone[0]:.2f} s, with mergecap {rclone[1]:.2f}; "
          f"aws {aws[0]:.2f} s, with mergecap {aws[1]:.2f}; {ours[1] / whole:.2f} times the faster, "
          f"{ours[1] / alone:.2f} times the faster download alone", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", default="build")
    parser.add_argument("--server", choices=["radosgw", "swift"], default="radosgw")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--files", type=int, action="append")
    options = parser.parse_args()
    if not shutil.which("rclone"):
        sys.exit("rclone is not installed")
    packets = BYTES // (SIZE + 16)
    with tempfile.TemporaryDirectory() as name, bucket_of(options.server) as keys:
        work = pathlib.Path(name)
        program = Program(options.build, work, speed=1, packets=packets)
        try:
            for files in options.files or [300, 1500]:
                folder = work / str(files)
                folder.mkdir()
                write_files(folder, files, packets)
                journey = Journey(keys, program, work, folder.name)
                journey.run("rclone", "copy", folder, f"b:pcaps/{folder.name}")
                shutil.rmtree(folder)
                report(journey, files, options.runs)
        finally:
            program.stop()


if __name__ == "__main__":
    main()
