# SPDX-License-Identifier: GPL-2.0-or-later
"""A bucket that cannot be read is said before anything is captured: one sentence, with the remedy."""

import re
import shutil

import pytest
import wireshark
from capturing import SANITIZED
from emulator import ACCOUNT
from full_captures import (QUICK, S3_SPEED, FullClient, Folder, S3Bucket, check_nowhere, check_whole,
                           emulator_of, posts)
from s3_server import ACCESS_KEY, SECRET_KEY, STRANGER_KEY, STRANGER_SECRET

SESSION_TOKEN = "planted/session+token=="
SECRETS = [SECRET_KEY, STRANGER_SECRET, SESSION_TOKEN]

pytestmark = pytest.mark.skipif(wireshark.stage().plugin_dir is None,
                                reason="the plugin was not built")


@pytest.fixture(scope="module")
def s3(s3):
    s3.create_bucket("pcaps")
    return s3


class Place:
    """A destination with an environment to read it in."""

    speed = S3_SPEED

    def __init__(self, destination, environment):
        self.destination, self.environment = destination, environment


@pytest.fixture
def refused(emulator):
    """`refused(place)` captures with the tool and with tshark; gives the sentence that both say."""
    def capture(place, prefix=(), **variables):
        api = emulator("--registered", place.destination, *QUICK)
        client = FullClient(api, place, CLOUDFLAREDUMP_LOG_LEVEL="noisy", **variables)
        client.env["CLOUDFLAREDUMP_LOG"] = str(client.folder / "log")
        tool, tshark = client.full(prefix=prefix), client.full_tshark()
        assert (tool.returncode, tshark.returncode) == (1, 1), (tool.stderr, tshark.stderr)
        assert posts(api) == [] and not tool.path.exists()
        if not prefix:
            told = [re.sub(r"request ID [\w-]+", "request ID", one.sentence) for one in (tool, tshark)]
            assert told[0] == told[1]
        assert "destination-conf = " in (client.folder / "log").read_text()
        check_nowhere(client, SECRETS, tool.stdout + tool.stderr, tshark.stdout + tshark.stderr)
        return tool.sentence
    return capture


S3 = "s3://pcaps/dir?region=us-east-1"


def test_wrong_secret(s3, refused):
    said = refused(Place(S3, s3.environment(AWS_SECRET_ACCESS_KEY=SECRET_KEY + "x")))
    assert "the secret access key from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is wrong" in said
    assert said.endswith("correct it.")


def test_wrong_region(s3, refused):
    said = refused(Place("s3://pcaps/dir?region=eu-west-3", s3.environment()))
    assert "not in the region eu-west-3 but in us-east-1" in said
    assert "s3://pcaps/dir?region=us-east-1" in said


def test_missing_bucket(s3, refused):
    said = refused(Place("s3://nowhere/dir?region=us-east-1", s3.environment()))
    assert "there is no bucket nowhere" in said and "check its name" in said


def test_no_permission_to_list(s3, refused):
    said = refused(Place(S3, s3.environment(AWS_ACCESS_KEY_ID=STRANGER_KEY,
                                            AWS_SECRET_ACCESS_KEY=STRANGER_SECRET)))
    assert "may not list the bucket pcaps" in said
    assert "add s3:ListBucket on arn:aws:s3:::pcaps" in said


def test_no_keys_at_all(s3, refused):
    said = refused(Place(S3, s3.environment(AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)))
    assert "there are no keys to read the S3 bucket pcaps" in said and "AWS_ACCESS_KEY_ID" in said


def test_session_token_that_has_expired(emulator, refused, tmp_path):
    """Amazon's answer, played: the real server here knows no session tokens."""
    answer = tmp_path / "expired.xml"
    answer.write_text('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>ExpiredToken</Code>'
                      "<Message>The provided token has expired.</Message>"
                      f"<Token-0>{SESSION_TOKEN}</Token-0>"
                      "<RequestId>4442587FB7D0A2F9</RequestId></Error>")
    store = emulator("--answer", f"GET *=400:{answer}")
    said = refused(Place(S3, {"AWS_ENDPOINT_URL_S3": store.url.removesuffix("/client/v4"),
                              "AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
                              "AWS_SESSION_TOKEN": SESSION_TOKEN}))
    assert "the session token from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is not valid" in said
    assert "get new keys" in said


@pytest.mark.skipif(SANITIZED or not shutil.which("faketime"), reason="there is no faketime")
@pytest.mark.parametrize("offset, words", [("+20m", r"20 min (\d s )?\(ahead of"),
                                          ("-3h", r"(3 h|2 h 59 min) \(behind")])
def test_clock_that_is_wrong(s3, emulator, offset, words):
    place = Place(S3, s3.environment())
    api = emulator("--registered", place.destination, *QUICK)
    done = FullClient(api, place).full(prefix=["faketime", "-f", offset])
    assert done.returncode == 1 and posts(api) == []
    assert re.search(f"the clock of this machine is wrong by {words}", done.sentence)
    assert "timedatectl" in done.sentence


def test_bucket_that_is_not_validated(s3, emulator):
    place = Place(S3, s3.environment())
    api = emulator(*QUICK)
    client = FullClient(api, place)
    for done in (client.full(), client.full_tshark()):
        assert done.returncode == 1 and not done.path.exists()
        assert "cloudflaredump register-bucket" in done.sentence and "s3://pcaps" in done.sentence
    api.pcaps("POST", "/ownership", {"destination_conf": place.destination})
    done = client.full()
    assert done.returncode == 1 and "register-bucket" in done.sentence


def test_r2_with_its_keys_in_the_address(s3, emulator, recorded):
    """Its own keys win over the environment's, and the region of another endpoint is AWS_REGION."""
    bucket = S3Bucket(s3, "own-keys", "r2", "dir", f"?account-id={ACCOUNT}")
    with_keys = (bucket.destination + f"&access-key-id={ACCESS_KEY}"
                 f"&secret-access-key={SECRET_KEY.replace('/', '%2F').replace('+', '%2B')}")
    api = emulator_of(emulator, bucket, "--packets", recorded(100), "--registered", with_keys)
    client = FullClient(api, bucket, AWS_ACCESS_KEY_ID=STRANGER_KEY,
                        AWS_SECRET_ACCESS_KEY=STRANGER_SECRET)
    captured = client.full(destination_conf=with_keys)
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read())
    check_nowhere(client, SECRETS, captured.stdout + captured.stderr)


def test_a_store_that_is_down_is_told_before_the_capture(emulator):
    """Ten minutes are for files of a capture that was made; before, nothing would be lost."""
    store = emulator("--answer", "GET *=503")
    place = Place("s3://pcaps/x?region=us-east-1", {
        "AWS_ENDPOINT_URL_S3": store.url.removesuffix("/client/v4"),
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    api = emulator("--registered", place.destination, *QUICK)
    done = FullClient(api, place).full()
    assert done.returncode == 1 and posts(api) == [] and "503" in done.sentence
    assert 2 <= len(store.log()) <= 10


def test_a_fast_clock_is_not_for_a_bucket_elsewhere(emulator):
    """Listings would come faster than another's server should be asked."""
    place = Place("s3://pcaps?region=us-east-1", {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    api = emulator("--registered", place.destination, *QUICK)
    done = FullClient(api, place).full()
    assert done.returncode == 2 and posts(api) == []
    assert "CLOUDFLAREDUMP_SPEED" in done.sentence and "amazonaws.com" in done.sentence


def test_folder_that_is_not_there(emulator):
    bucket = Folder()
    api = emulator("--registered", bucket.destination + "/none", *QUICK)
    done = FullClient(api, bucket).full(destination_conf=bucket.destination + "/none")
    assert done.returncode == 1 and posts(api) == []
    assert f"{bucket.path}/none" in done.sentence
