# SPDX-License-Identifier: GPL-2.0-or-later
"""Buckets of Ceph's radosgw: policies, session tokens, encryption whose key is not given."""

import json

import pytest
from full_captures import FullClient, check_nowhere, check_whole, emulator_of
from rados_server import OWNER, READER, RadosServer, installed
from test_s3_bucket import ID, fetch, listing, refusal

pytestmark = pytest.mark.skipif(not installed(), reason="Ceph's packages or awscli are not installed")

DESTINATION = "s3://pcaps/dir?region=us-east-1"
KEY = f"dir/pcap_{ID}.pcap"


@pytest.fixture(scope="module")
def rados(tmp_path_factory):
    body = tmp_path_factory.mktemp("rados") / "body"
    body.write_text("hello")
    with RadosServer() as server:
        server.aws("s3api", "create-bucket", "--bucket", "pcaps")
        for key in (KEY, f"other/pcap_{ID}.pcap"):
            server.aws("s3api", "put-object", "--bucket", "pcaps", "--key", key, "--body", str(body))
        server.aws("s3api", "put-object", "--bucket", "pcaps", "--key", f"secret/pcap_{ID}.pcap",
                   "--body", str(body), "--server-side-encryption", "aws:kms",
                   "--ssekms-key-id", "key-1")
        make_role(server)
        yield server


def allow(server, *statements):
    """A policy of the bucket for the reader: (action, resource behind the bucket, condition)."""
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": effect, "Principal": {"AWS": ["arn:aws:iam:::user/reader"]}, "Action": action,
         "Resource": f"arn:aws:s3:::pcaps{resource}", **condition}
        for effect, action, resource, condition in statements]}
    server.aws("s3api", "put-bucket-policy", "--bucket", "pcaps", "--policy", json.dumps(policy))


def under(*prefixes):
    return {"Condition": {"StringLike": {"s3:prefix": list(prefixes)}}}


@pytest.mark.parametrize("prefixes", [("dir/*",), ("dir/", "dir/*")])
def test_a_policy_for_one_directory_is_enough(rados, tmp_path, prefixes):
    allow(rados, ("Allow", "s3:ListBucket", "", under(*prefixes)),
          ("Allow", "s3:GetObject", "/dir/*", {}))
    environment = rados.environment(READER)
    assert [one["key"] for one in listing(DESTINATION, environment)] == [KEY]
    assert fetch(DESTINATION, environment, tmp_path) == [(KEY, b"hello", "")]
    said = refusal("s3://pcaps/other?region=us-east-1", environment)
    assert "may not list the bucket pcaps" in said and "request ID tx" in said
    assert "add s3:ListBucket on arn:aws:s3:::pcaps to their policy" in said


def test_objects_that_must_not_be_read(rados, tmp_path):
    allow(rados, ("Allow", "s3:ListBucket", "", {}))
    ((key, body, said),) = fetch(DESTINATION, rados.environment(READER), tmp_path)
    assert (key, body) == (KEY, b"") and f"may not read {KEY} in the bucket pcaps" in said
    assert "add s3:GetObject on arn:aws:s3:::pcaps/dir/* to their policy" in said


def compact(policy):
    """As JSON without blanks, which Ceph 16 does not read in a form."""
    return json.dumps(policy, separators=(",", ":"))


def make_role(server):
    """A role that may do everything with buckets, and that the owner may take."""
    trust = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam:::user/owner"]},
         "Action": ["sts:AssumeRole"]}]}
    rights = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}]}
    server.aws("iam", "create-role", "--role-name", "reading", "--assume-role-policy-document",
               compact(trust))
    server.aws("iam", "put-role-policy", "--role-name", "reading", "--policy-name", "reading",
               "--policy-document", compact(rights))


def session_keys(rados):
    """Temporary keys of the role, from the server's own STS."""
    return rados.aws("sts", "assume-role", "--role-arn", "arn:aws:iam:::role/reading",
                     "--role-session-name", "tests")["Credentials"]


def test_a_session_token_is_sent_and_signed(rados):
    keys = session_keys(rados)
    environment = rados.environment((keys["AccessKeyId"], keys["SecretAccessKey"]),
                                    AWS_SESSION_TOKEN=keys["SessionToken"])
    assert [one["key"] for one in listing(DESTINATION, environment)] == [KEY]
    refusal(DESTINATION, {**environment, "AWS_SESSION_TOKEN": ""})


def test_a_whole_capture_with_session_keys_of_a_program(rados, emulator, recorded, tmp_path):
    """The keys that the server's STS makes go through AWS's own tool, from a profile of the file."""
    rados.aws("s3api", "create-bucket", "--bucket", "captures")
    bucket = RadosBucket(rados, "captures", tmp_path)
    api = emulator_of(emulator, bucket, "--packets", recorded(100))
    client = FullClient(api, bucket, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    program = client.folder / "program"
    program.write_text(f"#!/bin/sh\necho '{json.dumps({'Version': 1, **session_keys(rados)})}'\n")
    program.chmod(0o755)
    (client.folder / ".aws").mkdir()
    (client.folder / ".aws/config").write_text(f"[profile role]\ncredential_process = {program}\n")
    client.configure("[default]\naws-profile=role\n")
    done = client.full()
    assert done.returncode == 0, done.stderr
    check_whole(done, bucket.read())
    program.unlink()
    check_nowhere(client, [OWNER[1]], done.stdout + done.stderr)


class RadosBucket:
    """A bucket of the server for a FullClient."""

    speed = 10

    def __init__(self, rados, name, folder):
        self.rados, self.name, self.copy = rados, name, folder / "object"
        self.destination = f"s3://{name}/some dir?region=us-east-1"
        self.environment = rados.environment()

    def read(self):
        listed = self.rados.aws("s3api", "list-objects-v2", "--bucket", self.name)["Contents"]
        objects = {}
        for key in (one["Key"] for one in listed):
            self.rados.aws("s3api", "get-object", "--bucket", self.name, "--key", key,
                           str(self.copy))
            objects[key] = self.copy.read_bytes()
        return objects


def test_an_encrypted_object_whose_key_is_not_given(rados, tmp_path):
    """The gateway has another key service; its own reason is said, not ours."""
    destination = "s3://pcaps/secret?region=us-east-1"
    (tmp_path / "given").mkdir()
    ((_, body, error),) = fetch(destination, rados.environment(), tmp_path / "given")
    assert (body, error) == (b"hello", "")
    other = rados.start_gateway("key-2")
    (tmp_path / "not").mkdir()
    ((_, body, said),) = fetch(destination, rados.environment(AWS_ENDPOINT_URL_S3=other), tmp_path / "not")
    assert body == b"" and "Failed to retrieve the actual key, kms-keyid: key-1" in said
    assert "request ID tx" in said and "s3:GetObject" not in said and "make a new key" not in said
