# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose keys a bucket is read with: AWS's files, AWS's own tool, gcloud, the API token; and that no
store, no server and no tool gets the keys of another."""

import configparser
import datetime
import json
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time
import types

import pytest
import wireshark
from capturing import finish, wait_until
from emulator import ACCOUNT, BUILD, TOKEN
from full_captures import QUICK, FullClient, S3Bucket, check_nowhere, check_whole, emulator_of
from played_store import PlayedServer, bucket_of
from s3_server import ACCESS_KEY, GCS_SECRET, R2_KEY, R2_SECRET, SECRET_KEY

AWS = pathlib.Path("/usr/bin/aws")
PROBE = BUILD / "tests" / "bucket-probe"
SESSION_TOKEN = "planted/session+token=="
SECRETS = [SECRET_KEY, R2_SECRET, GCS_SECRET, SESSION_TOKEN]
NO_KEYS = {name: None for name in (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "R2_ACCESS_KEY_ID",
    "R2_SECRET_ACCESS_KEY", "GCS_ACCESS_KEY_ID", "GCS_SECRET_ACCESS_KEY")}

needs_aws = pytest.mark.skipif(not AWS.exists(), reason="Debian's awscli is not installed")


def process_keys(**more):
    """What a credential_process prints: the keys of the real server here."""
    end = datetime.datetime.now(datetime.UTC if hasattr(datetime, "UTC") else datetime.timezone.utc)
    end += datetime.timedelta(hours=1)
    return {"Version": 1, "AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY,
            "SessionToken": SESSION_TOKEN, "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"), **more}


def write(client, name, text, mode=0o644):
    """A file in the client's home."""
    path = client.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def play(client, name, script):
    """Puts a program of the test's own first on PATH. It keeps its words and its environment."""
    path = write(client, f"played/{name}", "#!/bin/sh\n"
                 f'echo "$0 $*" >>{client.folder}/{name}-words\n'
                 f"env >>{client.folder}/{name}-environment\n{script}\n", 0o755)
    client.env["PATH"] = f"{path.parent}:{client.env['PATH']}"
    client.folder.chmod(0o777)


def words_of(client, name):
    path = client.folder / f"{name}-words"
    return path.read_text() if path.exists() else ""


@pytest.fixture
def someone(emulator, s3, recorded, request):
    """`someone("s3", AWS_PROFILE="x")` has a bucket on the real server, and no keys to it."""
    def make(scheme="s3", *options, **variables):
        name = f"keys-{abs(hash(request.node.name)) % 10**9}-{scheme}"
        query = f"?account-id={ACCOUNT}" if scheme == "r2" else None
        bucket = S3Bucket(s3, name, scheme, "dir", query)
        api = emulator_of(emulator, bucket, "--packets", recorded(100), *options)
        return FullClient(api, bucket, **{**NO_KEYS, **variables})
    return make


def check_captured(client, done):
    assert done.returncode == 0, done.stderr
    check_whole(done, client.bucket.read())
    texts = [done.stdout + done.stderr]
    # Planted where the user has them.
    for path in (client.folder / ".aws", client.folder / "played"):
        shutil.rmtree(path, ignore_errors=True)
    for path in client.folder.glob("*-environment"):
        path.unlink()
    client.config.unlink(missing_ok=True)
    check_nowhere(client, SECRETS, *texts)


def place_of(destination):
    """A bucket for a FullClient that brings nothing of its own."""
    return types.SimpleNamespace(speed=10, destination=destination, environment={})


STATIC = f"aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"


@pytest.mark.parametrize("credentials, config, variables", [
    (f"[default] # mine\n{STATIC.upper().replace(ACCESS_KEY.upper(), ACCESS_KEY).replace(SECRET_KEY.upper(), SECRET_KEY)}", "", {}),
    (f"[default]\n{STATIC.replace(' =', ':')}", "", {}),
    ("", f'[profile "net ops"]\n{STATIC}', {"AWS_PROFILE": "net ops"}),
    ("", f"[profile   work]\n  {STATIC.replace(chr(10), chr(10) + '  ')}\n", {"AWS_PROFILE": "work"}),
    (f"[work]\n{STATIC}", "", {"AWS_DEFAULT_PROFILE": "work"}),
], ids=["comment-and-case", "colon", "quoted", "indented", "older-variable"])
def test_aws_files(someone, credentials, config, variables):
    client = someone(**variables)
    write(client, ".aws/credentials", credentials, 0o664)
    write(client, ".aws/config", config)
    check_captured(client, client.full())


def test_files_are_read_as_python_s_configparser_reads_them(tmp_path):
    """With it botocore reads AWS's files. Files that it refuses say nothing; all others are the same
    to us, but for empty lines inside of values."""
    chance = random.Random(15)
    pieces = ["[default]", "[profile work]", '[profile "net ops"]', "[a]", " # c", "; c", "# c", "Key",
              "aws_secret", "s3", "=", " = ", ":", " : ", "\n", "\n", "\n", "  ", "    ", "\t", "x",
              "y=z", "http://h:1/", "\\", "'", '"', "#", "é", " "]
    expected, paths = [], []
    while len(paths) < 500:
        text = "[work]\n" + "".join(chance.choice(pieces) for _ in range(chance.randint(1, 40)))
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text)
        except configparser.Error:
            continue
        expected.append({name.strip(): dict(parser.items(name)) for name in parser.sections()})
        paths.append(tmp_path / str(len(paths)))
        paths[-1].write_text(text, newline="")
    done = subprocess.run([PROBE, "aws-file", *paths], capture_output=True, text=True, check=True)

    def without_empty_lines(sections):
        return {name: {key: re.sub(r"\n+", "\n", value).rstrip("\n") for key, value in keys.items()}
                for name, keys in sections.items()}

    for path, line, want in zip(paths, done.stdout.splitlines(), expected, strict=True):
        assert without_empty_lines(json.loads(line)) == without_empty_lines(want), path.read_text()


def test_an_endpoint_of_a_profile(someone, s3):
    client = someone(AWS_ENDPOINT_URL_S3=None, AWS_SHARED_CREDENTIALS_FILE="~/keys")
    write(client, "keys", f"[on-site]\n{STATIC}")
    write(client, ".aws/config", "[profile on-site]\nservices = here\n"
          f"[services here]\ns3 =\n  endpoint_url = {s3.url}\n")
    done = client.full(aws_profile="on-site")
    (client.folder / "keys").unlink()
    check_captured(client, done)


def test_a_device_is_refused_as_a_file_of_aws(someone):
    client = someone(AWS_CONFIG_FILE="/dev/zero")
    done = client.full()
    assert done.returncode == 1 and "/dev/zero cannot be read: it is not a regular file" in done.sentence


def instance_metadata():
    """The metadata server of a machine at Amazon's, whose role has the keys of the real server."""
    keys = process_keys()
    role = {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-11-23T06:20:00Z",
            "AccessKeyId": keys["AccessKeyId"], "SecretAccessKey": keys["SecretAccessKey"],
            "Token": keys["SessionToken"], "Expiration": keys["Expiration"]}
    base = "/latest/meta-data/iam/security-credentials/"
    texts = {("PUT", "/latest/api/token"): "token", ("GET", base): "netops",
             ("GET", base + "netops"): json.dumps(role),
             ("GET", "/container"): json.dumps(role)}
    return PlayedServer(lambda method, path: (200, texts[method, path].encode())
                        if (method, path) in texts else None)


@needs_aws
@pytest.mark.parametrize("how", ["variable", "option", "file"])
def test_a_credential_process_by_aws_own_tool(someone, how):
    """From the file also in a process without the shell's variables, as a desktop starts it."""
    client = someone()
    program = write(client, ".aws/program", f"#!/bin/sh\necho '{json.dumps(process_keys())}'\n", 0o755)
    write(client, ".aws/config", f"[profile tool]\ncredential_process = {program}\n")
    if how == "variable":
        client.env["AWS_PROFILE"] = "tool"
    if how == "file":
        client.configure("[default]\naws-profile=tool\n")
        client.env["PATH"] = "/usr/bin:/bin"
    done = client.full(**({"aws_profile": "tool"} if how == "option" else {}))
    check_captured(client, done)


@needs_aws
def test_tshark_captures_with_a_profile_of_the_dialog(someone):
    client = someone()
    program = write(client, ".aws/program", f"#!/bin/sh\necho '{json.dumps(process_keys())}'\n", 0o755)
    write(client, ".aws/config", f"[profile tool]\ncredential_process = {program}\n")
    done = client.full_tshark(aws_profile="tool")
    check_captured(client, done)


@needs_aws
@pytest.mark.parametrize("named", [False, True])
def test_an_instance_role_by_aws_own_tool(someone, named):
    with instance_metadata() as metadata:
        client = someone(AWS_EC2_METADATA_DISABLED=None,
                         AWS_EC2_METADATA_SERVICE_ENDPOINT=metadata.url + "/")
        if named:
            write(client, ".aws/config", "[profile machine]\nregion = us-east-1\n")
            client.env["AWS_PROFILE"] = "machine"
        done = client.full()
        assert any("security-credentials/netops" in asked for asked in metadata.asked)
    check_captured(client, done)


@needs_aws
def test_a_container_s_role_by_aws_own_tool(someone):
    with instance_metadata() as metadata:
        client = someone(AWS_CONTAINER_CREDENTIALS_FULL_URI=metadata.url + "/container")
        done = client.full()
    check_captured(client, done)


@needs_aws
def test_aws_own_words_are_passed_on(someone):
    client = someone(AWS_PROFILE="corp")
    write(client, ".aws/config", "[profile corp]\nsso_start_url = https://corp.test/start\n"
          "sso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = netops\n")
    done = client.full()
    assert done.returncode == 1
    assert "the AWS profile corp, which gets its keys by single sign-on: " in done.sentence
    assert "SSO" in done.sentence and done.sentence.rstrip(".").endswith("run: aws sso login --profile corp")


def test_without_aws_own_tool(someone):
    client = someone(AWS_PROFILE="corp")
    write(client, ".aws/config", "[profile corp]\nsso_account_id = 1\nsso_role_name = netops\n")
    (client.folder / "bin").mkdir()
    for name in ("setpriv",):
        (client.folder / "bin" / name).symlink_to(shutil.which(name))
    client.env["PATH"] = str(client.folder / "bin")
    done = client.full()
    assert done.returncode == 1
    assert "there is no aws in PATH; install the AWS CLI" in done.sentence


SSO = "[profile corp]\nsso_account_id = 1\nsso_role_name = netops\nregion = us-east-1\n"


def test_single_sign_on_by_a_played_tool(someone):
    """The tool gets the profile, AWS's variables, and no secret of ours; its keys are used."""
    client = someone(GOOGLE_OAUTH_ACCESS_TOKEN="planted-google", R2_ACCESS_KEY_ID=R2_KEY,
                     R2_SECRET_ACCESS_KEY=R2_SECRET, MY_COPY=TOKEN)
    write(client, ".aws/config", SSO)
    play(client, "aws", f"echo '{json.dumps(process_keys())}'")
    done = client.full(aws_profile="corp")
    assert "configure export-credentials --format process --profile corp\n" in words_of(client, "aws")
    environment = (client.folder / "aws-environment").read_text()
    assert "HOME=" in environment
    for secret in (TOKEN, "planted-google", R2_SECRET, SECRET_KEY):
        assert secret not in environment
    check_captured(client, done)


@pytest.mark.parametrize("script, words", [
    ("echo 'Token has expired and refresh failed' >&2; exit 255", "Token has expired and refresh failed"),
    ("echo 'usage: aws: error: Invalid choice' >&2; exit 252", "in version 2.9 or later"),
    (f"echo '{SECRET_KEY}'", "what aws printed are not keys"),
    (f"echo '{{\"SecretAccessKey\": \"{SECRET_KEY}\"}}'", "what aws printed are not keys"),
    ("yes planted", "printed more than makes sense"),
    ("(: </dev/tty) 2>/dev/null || { read code || echo 'no input' >&2; }; exit 1", "no input"),
])
def test_faults_of_a_played_tool(someone, script, words):
    client = someone(AWS_PROFILE="corp")
    write(client, ".aws/config", SSO)
    play(client, "aws", script)
    done = client.full()
    assert done.returncode == 1 and words in done.sentence
    assert SECRET_KEY not in done.stderr and "planted" not in done.stderr


def test_a_signal_ends_the_wait_for_a_tool(someone):
    client = someone(AWS_PROFILE="corp")
    write(client, ".aws/config", SSO)
    play(client, "aws", f"echo $$ >{client.folder}/pid; exec sleep 600")
    process, _ = client.start_full()
    wait_until(lambda: (client.folder / "pid").exists(), "the tool to be run")
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    finish(process, 10)
    assert time.monotonic() - before < 5
    pid = (client.folder / "pid").read_text().strip()
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}/cmdline").exists()
               or not pathlib.Path(f"/proc/{pid}/cmdline").read_bytes(), "the tool to be gone")


def test_gcloud_is_asked_for_a_token(emulator, recorded):
    objects = {}
    with PlayedServer(bucket_of(objects)) as store:
        client, pcap_id = download_from(emulator, "gs://pcaps/dir", recorded, objects,
                                        GCS_ENDPOINT_URL=store.url, AWS_ACCESS_KEY_ID=ACCESS_KEY,
                                        AWS_SECRET_ACCESS_KEY=SECRET_KEY)
        play(client, "gcloud", "echo ya29.planted-of-gcloud")
        done = client.download(pcap_id)
        assert done.returncode == 0, done.stderr
        assert words_of(client, "gcloud").endswith("auth print-access-token --quiet\n")
        assert all("Bearer ya29.planted-of-gcloud" in asked for asked in store.asked)
        environment = (client.folder / "gcloud-environment").read_text()
        assert SECRET_KEY not in environment and TOKEN not in environment
        assert "ya29" not in done.stdout + done.stderr


def test_without_gcloud_and_its_words(emulator, recorded):
    client, pcap_id = download_from(emulator, "gs://pcaps/dir", recorded, {},
                                    GCS_ENDPOINT_URL="http://127.0.0.1:9")
    play(client, "gcloud", "echo 'ERROR: You do not currently have an active account.' >&2; exit 1")
    done = client.download(pcap_id)
    assert done.returncode == 1
    assert "You do not currently have an active account" in done.sentence
    assert "run gcloud auth login" in done.sentence


def verified(tmp_path, token_id):
    """The emulator's option that answers with the id of the API token."""
    path = tmp_path / "verified.json"
    path.write_text(json.dumps({"success": True, "errors": [], "messages": [],
                                "result": {"id": token_id, "status": "active"}}))
    return "--answer", f"GET /user/tokens/verify=200:{path}"


def test_the_api_token_is_a_key_of_r2(someone, tmp_path):
    """Its id and its SHA-256: the real server takes the signature."""
    client = someone("r2", *verified(tmp_path, R2_KEY))
    check_captured(client, client.full())


def test_the_api_token_has_no_rights_on_r2(someone, tmp_path):
    client = someone("r2", *verified(tmp_path, "0" * 32))
    done = client.full()
    assert done.returncode == 1 and "the API token" in done.sentence


def test_r2_without_any_keys(someone):
    done = someone("r2").full()
    assert done.returncode == 1
    assert "there are no keys to read the bucket" in done.sentence
    assert "R2_ACCESS_KEY_ID" in done.sentence and "Workers R2 Storage Read" in done.sentence


@pytest.mark.parametrize("where", ["R2", "AWS", "file", "default profile"])
@pytest.mark.parametrize("key", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"])
def test_register_bucket_does_not_hand_amazon_s_keys_to_cloudflare(emulator, where, key):
    api = emulator(*QUICK)
    bucket = place_of(f"r2://pcaps/d?account-id={ACCOUNT}")
    client = FullClient(api, bucket, **NO_KEYS)
    if where in ("R2", "AWS"):
        client.env |= {f"{where}_ACCESS_KEY_ID": key, f"{where}_SECRET_ACCESS_KEY": SECRET_KEY}
    elif where == "file":
        client.configure(f"[default]\naws-access-key-id={key}\naws-secret-access-key={SECRET_KEY}\n",
                         0o600)
    else:
        write(client, ".aws/credentials",
              f"[default]\naws_access_key_id={key}\naws_secret_access_key={SECRET_KEY}\n")
    done = client.tool("register-bucket", bucket.destination)
    assert done.returncode == 1 and len(done.stderr.strip().split("\n")) == 1
    assert SECRET_KEY not in done.stderr
    assert not [entry for entry in api.log() if entry["method"] == "POST"]


def test_check_names_where_the_keys_are_from(emulator, s3):
    for scheme, words in (("s3", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
                          ("r2", "R2_ACCESS_KEY_ID"), ("gs", "GCS_ACCESS_KEY_ID")):
        query = f"?account-id={ACCOUNT}" if scheme == "r2" else None
        bucket = S3Bucket(s3, f"checked-{scheme}", scheme, "d", query)
        api = emulator("--registered", bucket.destination, *QUICK)
        done = FullClient(api, bucket).tool("check")
        assert f"can be read from here with the keys from {words}\n" in done.stdout, done.stdout


def download_from(emulator, destination, recorded, objects, **variables):
    """Somebody whose capture of 100 packets lies in `destination`; fills `objects`."""
    folder = wireshark.open_folder("cloudflaredump-objects-")
    writer = emulator("--registered", f"file://{folder}", *QUICK, "--packets", recorded(100))
    made = writer.create_full(destination_conf=f"file://{folder}", time_limit=1).result["id"]
    writer.wait(made)
    job = writer.pcaps(rest="/" + made).json
    job["result"]["destination_conf"] = destination
    told = folder / "job.json"
    told.write_text(json.dumps(job))
    for path in folder.rglob("*.pcap"):
        objects["dir/" + path.name] = path.read_bytes()
    api = emulator("--answer", f"GET /pcaps/{made}=200:{told}", *QUICK)
    return FullClient(api, place_of(destination), **variables), made


PLANTED = {
    "s3": {"AWS_ACCESS_KEY_ID": "AKIAPLANTEDAMAZON000", "AWS_SECRET_ACCESS_KEY": "planted-amazon-secret",
           "AWS_SESSION_TOKEN": "planted-amazon-session"},
    "r2": {"R2_ACCESS_KEY_ID": "0000planted0000000000000000000r2",
           "R2_SECRET_ACCESS_KEY": "planted-r2-secret"},
    "gs": {"GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.planted-google-token"},
}


@pytest.mark.parametrize("scheme", ["s3", "r2", "gs"])
@pytest.mark.parametrize("has_its_own", [True, False])
def test_a_planted_secret_reaches_its_own_store_alone(emulator, recorded, scheme, has_its_own):
    """Everything is set, or everything but what the bucket needs; each server keeps all it hears."""
    variables = {name: value for store, values in PLANTED.items() for name, value in values.items()
                 if has_its_own or store != scheme}
    destination = {"s3": "s3://pcaps/dir?region=us-east-1", "gs": "gs://pcaps/dir",
                   "r2": f"r2://pcaps/dir?account-id={ACCOUNT}"}[scheme]
    objects = {}
    with (PlayedServer(bucket_of(objects)) as s3, PlayedServer(bucket_of(objects)) as r2,
          PlayedServer(bucket_of(objects)) as gs, PlayedServer(lambda *_: None) as api):
        client, pcap_id = download_from(
            emulator, destination, recorded, objects, AWS_ENDPOINT_URL=s3.url,
            R2_ENDPOINT_URL=r2.url, GCS_ENDPOINT_URL=gs.url, **variables)
        for tool in ("aws", "gcloud"):
            play(client, tool, "exit 1")
        done = client.download(pcap_id)
        assert done.returncode == (0 if has_its_own else 1), done.stderr
        client.env["CLOUDFLARE_API_BASE_URL"] = api.url
        client.tool("list")
        asked = {"s3": s3, "r2": r2, "gs": gs}
        assert [name for name, server in asked.items() if server.asked] == (
            [scheme] if has_its_own else [])
        for name, server in {**asked, "api": api}.items():
            for store, values in PLANTED.items():
                for value in values.values():
                    assert store == name or value not in server.text
            assert name == "api" or TOKEN not in server.text
        assert TOKEN in api.text
        for tool, store in (("aws", "s3"), ("gcloud", "gs")):
            path = client.folder / f"{tool}-environment"
            told = path.read_text() if path.exists() else ""
            for other, values in PLANTED.items():
                for value in values.values():
                    assert other == store or value not in told
            assert TOKEN not in told


def test_the_store_s_own_reason_is_shown(emulator, tmp_path, recorded):
    reason = ("User: arn:aws:iam::111122223333:user/netops is not authorized to perform: kms:Decrypt on "
              "the resource associated with this ciphertext")
    xml = (f"<Error><Code>AccessDenied</Code><Message>{reason}</Message>"
           "<RequestId>4442587FB7D0A2F9</RequestId></Error>").encode()
    objects = {}
    bucket = bucket_of(objects)
    with PlayedServer(lambda method, path: (403, xml) if path.endswith(".pcap")
                      else bucket(method, path)) as store:
        client, pcap_id = download_from(
            emulator, "s3://pcaps/dir?region=us-east-1", recorded, objects,
            AWS_ENDPOINT_URL_S3=store.url, AWS_ACCESS_KEY_ID="AKIAX", AWS_SECRET_ACCESS_KEY="planted")
        done = client.download(pcap_id)
    assert done.returncode == 4, done.stderr
    assert reason in done.stderr and "request ID 4442587FB7D0A2F9" in done.stderr
    assert "allow them kms:Decrypt on the key" in done.stderr and "s3:GetObject" not in done.stderr
