# SPDX-License-Identifier: GPL-2.0-or-later
"""register-bucket: the whole ownership challenge, and what check says before and after it."""

import signal
import subprocess
import time

import pytest
from capturing import requests_of, wait_until_caught
from emulator import ACCOUNT
from full_captures import QUICK, Folder, FullClient, S3Bucket, check_nowhere, emulator_of
from s3_server import ACCESS_KEY, SECRET_KEY


@pytest.fixture(params=["folder", "s3", "gs", "r2"])
def bucket(request):
    if request.param == "folder":
        return Folder()
    query = f"?account-id={ACCOUNT}" if request.param == "r2" else None
    return S3Bucket(request.getfixturevalue("s3"), f"register-{request.param}", request.param,
                    "some-dir", query)


def register(emulator, bucket, *options, **variables):
    api = emulator(*QUICK, *options, environment=bucket.environment)
    client = FullClient(api, bucket, **variables)
    return api, client


def test_a_bucket_is_registered_and_then_used(emulator, bucket):
    api, client = register(emulator, bucket)
    before = client.full()
    assert before.returncode == 1 and "register-bucket" in before.sentence
    done = client.tool("register-bucket", bucket.destination)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and "is registered" in done.stdout.split("\n")[-2]
    posted = [entry["body"] for entry in requests_of(api, "POST", "/ownership/validate")]
    assert len(posted) == 1 and "secret" not in str(posted[0])
    check = client.tool("check")
    assert check.returncode == 0, check.stdout + check.stderr
    assert f"{bucket.destination} is validated and can be read from here" in check.stdout.replace(
        "%20", " ")
    captured = client.full()
    assert captured.returncode in (0, 3, 4) and captured.path.exists(), captured.stderr
    check_nowhere(client, [SECRET_KEY], done.stdout + done.stderr, check.stdout + check.stderr,
                  captured.stderr)


def test_a_registered_bucket_needs_no_challenge(emulator):
    bucket = Folder()
    api = emulator_of(emulator, bucket)
    done = FullClient(api, bucket).tool("register-bucket", bucket.destination)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and done.stdout.startswith(f"ok: {bucket.destination} is registered")
    assert requests_of(api, "POST", "/ownership") and not requests_of(api, "POST", "/validate")


def test_r2s_keys_reach_cloudflare_but_no_command_line(emulator, s3):
    bucket = S3Bucket(s3, "keys-of-r2", "r2", "d", f"?account-id={ACCOUNT}")
    api, client = register(emulator, bucket)
    typed = bucket.destination + f"&access-key-id={ACCESS_KEY}&secret-access-key=planted"
    refused = client.tool("register-bucket", typed)
    assert refused.returncode == 2 and "planted" not in refused.stderr and api.log() == []
    done = client.tool("register-bucket", bucket.destination)
    assert done.returncode == 0, done.stderr
    (registered,) = requests_of(api, "POST", "/ownership")
    assert "secret-access-key=" in str(registered["body"])
    (validated,) = requests_of(api, "POST", "/ownership/validate")
    assert "secret-access-key" not in str(validated["body"])


def test_keys_from_standard_input(emulator, s3):
    bucket = S3Bucket(s3, "typed-keys", directory="d")
    api, client = register(emulator, bucket, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    refused = client.tool("register-bucket", bucket.destination)
    assert refused.returncode == 1 and api.log() == []
    process = client.start([client.tool_path, "register-bucket", bucket.destination],
                           stdin=subprocess.PIPE)
    out, err = process.communicate(f"{ACCESS_KEY}\n{SECRET_KEY}\n", 60)
    assert process.returncode == 0, err
    check_nowhere(client, [SECRET_KEY], out + err)


def test_a_signal_ends_the_wait_for_keys(emulator):
    bucket = Folder()
    api, client = register(emulator, bucket)
    process = client.start([client.tool_path, "register-bucket", bucket.destination],
                           stdin=subprocess.PIPE)
    wait_until_caught(process, signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 1 and "stopped" in process.stderr.read()
    process.stdin.close()
    assert api.log() == []


def test_check_leads_through_a_bucket_that_is_not_ready(emulator):
    bucket = Folder()
    api, client = register(emulator, bucket)
    none = client.tool("check")
    assert none.returncode == 0 and "no bucket is registered" in none.stdout
    api.pcaps("POST", "/ownership", {"destination_conf": bucket.destination})
    pending = client.tool("check")
    assert pending.returncode == 1
    assert f"cloudflaredump register-bucket '{bucket.destination}'" in pending.stdout
    assert client.tool("register-bucket", bucket.destination).returncode == 0
    assert client.tool("check").returncode == 0


def test_a_mistyped_bucket_is_only_noted_beside_a_good_one(emulator):
    bucket = Folder()
    api, client = register(emulator, bucket)
    mistyped = "file:///proc/none"
    assert client.tool("register-bucket", mistyped).returncode == 1
    def told(mark, *words):
        check = client.tool("check", *words)
        assert f"{mark}  the bucket {mistyped} is registered" in check.stdout
        return check.returncode
    assert told("NOT OK") == 1
    assert client.tool("register-bucket", bucket.destination).returncode == 0
    assert told("note  ") == 0
    assert told("note  ", "--destination-conf", bucket.destination) == 0
    assert told("NOT OK", "--destination-conf", mistyped) == 1


def test_check_judges_the_bucket_that_captures_use(emulator, s3):
    bucket = Folder()
    other = S3Bucket(s3, "colleagues")
    api = emulator("--registered", other.destination, *QUICK, environment=other.environment)
    client = FullClient(api, bucket)
    # Chosen, but not registered.
    done = client.tool("check", "--destination-conf", "s3://nosuch?region=us-east-1")
    assert done.returncode == 1
    assert "NOT OK  the bucket s3://nosuch?region=us-east-1 is not registered" in done.stdout
    # Not chosen: nobody needs to read a colleague's as long as there is another.
    alone = client.tool("check")
    assert alone.returncode == 1 and f"NOT OK  bucket {other.destination}" in alone.stdout
    assert client.tool("register-bucket", bucket.destination).returncode == 0
    beside = client.tool("check")
    assert beside.returncode == 0 and f"note    bucket {other.destination}" in beside.stdout
    # Cloudflare takes only the spelling that it was registered in.
    slash = client.tool("check", "--destination-conf", bucket.destination + "/")
    assert slash.returncode == 1 and "NOT OK  the bucket is registered as " in slash.stdout
    # Where captures are read elsewhere, that place is looked into.
    words = ["check", "--destination-conf", other.destination, "--read-from"]
    elsewhere = client.tool(*words, bucket.path)
    assert elsewhere.returncode == 0
    assert f"ok      read-from = {bucket.path} can be read from here" in elsewhere.stdout
    nowhere = client.tool(*words, "/nonexistent/folder")
    assert nowhere.returncode == 1 and "NOT OK  read-from = /nonexistent/folder: " in nowhere.stdout


def test_check_says_what_keeps_a_validated_bucket_from_being_read(emulator, s3):
    bucket = S3Bucket(s3, "unreadable")
    api = emulator("--registered", bucket.destination, *QUICK, environment=bucket.environment)
    client = FullClient(api, bucket, AWS_SECRET_ACCESS_KEY="planted-wrong-secret")
    done = client.tool("check")
    assert done.returncode == 1 and "planted" not in done.stdout + done.stderr
    assert "is validated, but reading it failed: the secret access key from AWS_ACCESS_KEY_ID" in done.stdout


def test_a_bucket_that_cloudflare_cannot_write_to(emulator):
    bucket = Folder()
    api = emulator(*QUICK)
    done = FullClient(api, bucket).tool("register-bucket", "file:///proc/none")
    assert done.returncode == 1 and len(done.stderr.strip().split("\n")) == 1
