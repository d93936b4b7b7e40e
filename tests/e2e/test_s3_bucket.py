# SPDX-License-Identifier: GPL-2.0-or-later
"""Buckets: listing and reading through a real S3 server, and what is said when that fails."""

import json
import os
import random
import re
import shutil
import subprocess

import pytest
from capturing import SANITIZED
from cutting_proxy import CuttingProxy
from emulator import BUILD
from s3_server import SECRET_KEY, STRANGER_KEY, STRANGER_SECRET, S3Server, installed

PROBE = BUILD / "tests" / "bucket-probe"
ID = "66802ca5668e47a2b82c2e6746e45037"
SESSION_TOKEN = "planted/session+token=="
SECRETS = [SECRET_KEY, STRANGER_SECRET, SESSION_TOKEN]

pytestmark = pytest.mark.skipif(not installed(), reason="Swift's packages are not installed")

ODD_KEYS = [
    f"dir/pcap_{ID}.pcap",
    f"dir/{ID}/machine 7",
    f"dir/a+b=c&d/{ID}",
    f"dir/100%25/{ID}",
    f"dir/what?#{ID}",
    f"dir/Zürich-東京/{ID}",
    f"dir//{ID}//x",
    f"dir/:@,!*'()$;[]{{}}|\\^`~\"<>{ID}",
    f"dir/...{ID}.",
]
BELOW = [*ODD_KEYS, "dir/pcap_00000000000000000000000000000000.pcap", "dir/x"]
ELSEWHERE = [f"elsewhere/{ID}", f"dir-old/{ID}", "dir", "dirx"]


@pytest.fixture(scope="module")
def s3():
    with S3Server(page_size=4) as server:
        for bucket in ("pcaps", "big", "changing"):
            server.create_bucket(bucket)
        for key in BELOW + ELSEWHERE:
            server.put("pcaps", key, key.encode())
        yield server


def probe(*arguments, environment):
    """Runs bucket-probe in an environment without any other keys; no secret may be printed."""
    inherited = {name: value for name, value in os.environ.items()
                 if not name.startswith("AWS_") and not name.lower().endswith("_proxy")}
    done = subprocess.run([PROBE, *map(str, arguments)], capture_output=True, timeout=100,
                          env={**inherited, "HOME": "/nonexistent", **environment})
    for secret in SECRETS:
        assert secret.encode() not in done.stdout + done.stderr
    return done


def listing(destination, environment, prefix=""):
    done = probe("list", destination, prefix, environment=environment)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.splitlines()]


def refusal(destination, environment):
    """The one sentence on stderr."""
    done = probe("list", destination, "", environment=environment)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    probed = probe("probe", destination, environment=environment)
    told = [re.sub(rb"request ID [\w-]+", b"request ID", one.stderr) for one in (probed, done)]
    assert (probed.returncode, probed.stdout, told[0]) == (1, b"", told[1])
    return done.stderr.decode()


def fetch(destination, environment, folder):
    """The objects as (key, bytes, error), in the order of their numbers."""
    done = probe("fetch", destination, "", folder, environment=environment)
    assert done.stderr == b""
    objects = sorted((json.loads(line) for line in done.stdout.splitlines()),
                     key=lambda one: int(one["object"]))
    assert done.returncode == (1 if any(one["error"] for one in objects) else 0)

    def content(one):
        file = folder / one["object"]
        return file.read_bytes() if file.exists() else b""

    return [(one["key"], content(one), one["error"]) for one in objects]


@pytest.mark.parametrize("destination", [
    "s3://pcaps/dir?region=us-east-1", "gs://pcaps/dir",
    "r2://pcaps/dir?account-id=0123456789abcdef0123456789abcdef"])
def test_objects_below_the_directory_are_listed_and_read(s3, tmp_path, destination):
    found = listing(destination, s3.environment())
    assert [one["key"] for one in found] == sorted(BELOW, key=str.encode)
    assert [int(one["size"]) for one in found] == [len(one["key"].encode()) for one in found]
    objects = fetch(destination, s3.environment(), tmp_path)
    assert [(key, error) for key, _, error in objects] == [(one["key"], "") for one in found]
    assert all(content == key.encode() for key, content, _ in objects)


def test_keys_come_from_a_profile(s3, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.write_text(f"[work]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
                           f"aws_secret_access_key = {SECRET_KEY}\nregion = us-east-1\n")
    environment = s3.environment(
        AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None, AWS_REGION=None, AWS_PROFILE="work",
        AWS_SHARED_CREDENTIALS_FILE=str(credentials))
    assert len(listing("s3://pcaps/dir", environment)) == len(BELOW)


def test_session_token_is_signed_too(s3):
    found = listing("s3://pcaps?region=us-east-1", s3.environment(AWS_SESSION_TOKEN=SESSION_TOKEN))
    assert len(found) == len(BELOW + ELSEWHERE)


def test_nothing_there_is_an_empty_list(s3):
    assert listing("s3://pcaps/dir?region=us-east-1", s3.environment(), prefix=f"pcap_{'f' * 32}") == []
    assert listing("s3://pcaps/none?region=us-east-1", s3.environment()) == []


def test_keys_begin_with_the_prefix(s3):
    def keys(destination, prefix):
        return [one["key"] for one in listing(destination, s3.environment(), prefix)]
    assert keys("s3://pcaps/dir?region=us-east-1", f"pcap_{ID}") == [f"dir/pcap_{ID}.pcap"]
    assert keys("s3://pcaps?region=us-east-1", "dir-") == [f"dir-old/{ID}"]
    assert keys("s3://pcaps/dir?region=us-east-1", "a+b=c&d/") == [f"dir/a+b=c&d/{ID}"]


def test_what_can_be_listed_can_be_probed(s3, tmp_path):
    for destination in ("s3://pcaps/dir?region=us-east-1", "s3://pcaps/none?region=us-east-1",
                        tmp_path):
        done = probe("probe", destination, environment=s3.environment())
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_wrong_secret(s3):
    for secret in (SECRET_KEY[:-1], SECRET_KEY + "x"):
        said = refusal("s3://pcaps?region=us-east-1", s3.environment(AWS_SECRET_ACCESS_KEY=secret))
        assert "the secret access key from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is wrong" in said
        assert secret not in said


def test_unknown_key(s3):
    said = refusal("s3://pcaps?region=us-east-1", s3.environment(AWS_ACCESS_KEY_ID="AKIAUNKNOWN"))
    assert "does not know the access key ID" in said or "is wrong" in said


def test_wrong_region(s3):
    said = refusal("s3://pcaps/dir?region=eu-west-3", s3.environment())
    assert "is not in the region eu-west-3 but in us-east-1" in said
    assert "s3://pcaps/dir?region=us-east-1" in said


def test_missing_bucket(s3):
    assert "there is no bucket nowhere" in refusal("s3://nowhere?region=us-east-1", s3.environment())


def test_no_permission(s3):
    environment = s3.environment(AWS_ACCESS_KEY_ID=STRANGER_KEY,
                                 AWS_SECRET_ACCESS_KEY=STRANGER_SECRET)
    said = refusal("s3://pcaps?region=us-east-1", environment)
    assert "may not list the bucket pcaps" in said
    assert "s3:ListBucket on arn:aws:s3:::pcaps" in said


def test_no_keys_and_no_server(s3):
    environment = s3.environment(AWS_ACCESS_KEY_ID=None)
    assert "AWS_ACCESS_KEY_ID" in refusal("s3://pcaps?region=us-east-1", environment)
    environment = s3.environment(AWS_ENDPOINT_URL_S3="http://127.0.0.1:1")
    assert "Connection refused" in refusal("s3://pcaps?region=us-east-1", environment)
    environment = s3.environment(AWS_ENDPOINT_URL_S3="http://192.0.2.1")
    assert "in the clear" in refusal("s3://pcaps?region=us-east-1", environment)


@pytest.mark.skipif(SANITIZED or not shutil.which("faketime"), reason="there is no faketime")
@pytest.mark.parametrize("offset, words", [("+20m", "ahead of"), ("-3h", "behind")])
def test_wrong_clock(s3, offset, words):
    done = subprocess.run(
        ["faketime", "-f", offset, PROBE, "list", "s3://pcaps?region=us-east-1", ""],
        capture_output=True, timeout=100, text=True, env={**os.environ, **s3.environment()})
    assert done.returncode == 1
    assert "the clock of this machine is wrong by" in done.stderr
    assert words in done.stderr


def test_broken_connections_are_resumed(s3, tmp_path):
    chance = random.Random(7)
    bodies = {f"{n:02d}-{ID}": chance.randbytes(300_000 + n) for n in range(24)}
    for key, body in bodies.items():
        s3.put("big", key, body)
    # The first 120 connections break after some kilobytes, within heads and bodies.
    with CuttingProxy(s3.port, lambda n: chance.randrange(50, 200_000) if n <= 120 else None) as proxy:
        environment = s3.environment(AWS_ENDPOINT_URL_S3=proxy.url)
        objects = fetch("s3://big?region=us-east-1", environment, tmp_path)
        assert proxy.cuts >= 24
    assert [(key, error) for key, _, error in objects] == [(key, "") for key in sorted(bodies)]
    assert all(content == bodies[key] for key, content, _ in objects)


def test_object_that_changes_meanwhile_is_noticed(s3, tmp_path):
    key = f"pcap_{ID}"
    before, after = b"a" * 2_000_000, b"b" * 2_000_000
    s3.put("changing", key, before)
    s3.put("changing", f"steady_{ID}", b"steady")

    def change():
        s3.put("changing", key, after)

    # The listing passes; the first answer that is longer is cut, and the object is another then.
    with CuttingProxy(s3.port, lambda n: 1_000_000, on_cut=change) as proxy:
        environment = s3.environment(AWS_ENDPOINT_URL_S3=proxy.url)
        objects = fetch("s3://changing?region=us-east-1", environment, tmp_path)
        assert proxy.cuts >= 1
    (changed, content, error), steady = objects
    assert changed == key
    assert "is not what it was when it was listed" in error
    assert content == b"a" * len(content) and 0 < len(content) < len(before)
    assert steady == (f"steady_{ID}", b"steady", "")


def test_key_that_cannot_be_asked_for_is_named(s3, tmp_path):
    s3.create_bucket("dots")
    s3.put("dots", f"a/{ID}", b"good")
    s3.put("dots", f"a/./{ID}", b"dots")
    objects = fetch("s3://dots?region=us-east-1", s3.environment(), tmp_path)
    assert objects[1] == (f"a/{ID}", b"good", "")
    key, content, error = objects[0]
    assert (key, content) == (f"a/./{ID}", b"")
    assert f"a/./{ID}" in error


def test_folder_reads_like_a_bucket(tmp_path):
    source = tmp_path / "source"
    for key in ODD_KEYS:
        file = source / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(key.encode())
    target = tmp_path / "target"
    target.mkdir()
    objects = fetch(source, {}, target)
    assert sorted(key for key, _, _ in objects) == sorted(key.replace("//", "/") for key in ODD_KEYS)
    assert all(key in content.decode().replace("//", "/") for key, content, _ in objects)
