# SPDX-License-Identifier: GPL-2.0-or-later
"""A planted secret is found nowhere but where the user put it."""

import os
import re

import pytest
from capturing import INSTANT, Client, ExtcapRun, finish, requests_of, wait_until
from full_captures import FULL

TOKEN = "planted-token-0123456789abcdefghijklmnop"
KEY = "planted-key-0123456789abcdefghijklmnop"
WITH_KEYS = (f"r2://pcaps?account-id={'a' * 32}&access-key-id=planted-id-0123"
             "&secret-access-key=planted%2Fsecret")


@pytest.fixture
def api(emulator):
    return emulator(*INSTANT, "--token", TOKEN, "--key", KEY)


def command_line(process):
    with open(f"/proc/{process.pid}/cmdline", "rb") as file:
        return file.read()


def check_nowhere(client, *captures):
    """No file that came to be, and nothing that was printed, holds a planted secret."""
    for capture in captures:
        assert "planted" not in capture.stdout + capture.stderr
    for folder, _, files in os.walk(client.folder):
        for name in files:
            path = os.path.join(folder, name)
            if path == str(client.config) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                assert b"planted" not in file.read(), path


LOGGED = {"CLOUDFLAREDUMP_LOG_LEVEL": "noisy"}


def with_log(client):
    client.env.update(LOGGED, CLOUDFLAREDUMP_LOG=str(client.folder / "log"))
    return client


def check_log(client):
    """There is a log, and it says what it should."""
    text = (client.folder / "log").read_text()
    assert "api-token" in text or "api-key" in text
    assert "[secret]" in text and "/pcaps" in text


ENVIRONMENTS = [
    {"CLOUDFLARE_API_TOKEN": TOKEN},
    {"CLOUDFLARE_API_TOKEN": None, "CLOUDFLARE_API_KEY": KEY,
     "CLOUDFLARE_EMAIL": "user@example.com"},
]


@pytest.mark.parametrize("variables", ENVIRONMENTS)
def test_secrets_in_the_environment(api, variables):
    client = with_log(Client(api, **variables))
    captures = [*client.both("udp port 53"), client.capture("udp", "--progress", "--json"),
                client.tool("list"), client.tool("show", "a" * 32)]
    assert [capture.returncode for capture in captures] == [0, 0, 0, 0, 1]
    check_nowhere(client, *captures)
    check_log(client)


def test_secrets_in_the_configuration_file(api):
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=None))
    client.configure(f"[default]\nsample-interval=0\napi-token={TOKEN}\n"
                     f"[other]\napi-token={TOKEN}2\naws-secret-access-key={KEY}\n", mode=0o600)
    captures = [*client.both("udp port 53"), client.tool("list")]
    assert [capture.returncode for capture in captures] == [0, 0, 0]
    check_nowhere(client, *captures)
    check_log(client)


@pytest.mark.parametrize("word", [["--api-token", TOKEN], ["--api-token=" + TOKEN]])
def test_a_secret_typed_in_the_dialog_is_gone_from_argv(emulator, word):
    """Wireshark passes it in argv; it is wiped there, and goes no further."""
    api = emulator("--token", TOKEN, "--job-result", "never")
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=None))
    run = ExtcapRun(client, "udp dst port 53", *word, "--api-key", KEY)
    wait_until(lambda: b"planted" not in command_line(run.process), "argv to be wiped", 5)
    wait_until(lambda: len(requests_of(api)) >= 3, "the polls: the token was good")
    assert b"planted" not in command_line(run.process)
    assert b"cloudflare-sample" in command_line(run.process), "the rest is still there"
    run.process.terminate()
    check_nowhere(client, run.finish())
    check_log(client)


@pytest.mark.parametrize("words", [
    ["--destination-conf", WITH_KEYS], ["--destination-conf=" + WITH_KEYS],
    ["--destination-conf", "s3://pcaps?region=us-east-1", "--read-from", WITH_KEYS],
])
def test_keys_in_an_address_are_gone_from_argv(api, words):
    """A bucket's address with keys is a secret like any other, but for what is no key in it."""
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=TOKEN,
                             AWS_ENDPOINT_URL_S3="http://127.0.0.1:9"))
    run = ExtcapRun(client, "udp dst port 53", "--colo", "ORD", *words, interface=FULL)
    wait_until(lambda: b"planted" not in command_line(run.process), "argv to be wiped", 5)
    log = client.folder / "log"
    wait_until(lambda: log.exists() and "looking at the bucket" in log.read_text(), "the capture")
    assert b"planted" not in command_line(run.process)
    run.process.terminate()
    check_nowhere(client, run.finish())
    assert "&secret-access-key=[secret]" in log.read_text()


@pytest.mark.parametrize("key", ["destination-conf", "read-from"])
def test_keys_in_an_address_in_the_configuration_file(api, key):
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=TOKEN))
    client.configure(f"[default]\n{key}={WITH_KEYS}\n", mode=0o644)
    refused = client.tool("list")
    assert refused.returncode == 1 and "chmod 600" in refused.sentence
    client.configure(f"[default]\n{key}={WITH_KEYS}\n", mode=0o600)
    dialog = client.run([client.face_path, f"--extcap-interface={FULL}", "--extcap-config"])
    assert f"account-id={'a' * 32}&access-key-id=[secret]" in dialog.stdout
    # Nobody has registered that bucket.
    done = [refused, dialog, client.tool("list"), client.tool("check")]
    assert [one.returncode for one in done] == [1, 0, 0, 1], done[-1].stdout
    check_nowhere(client, *done)
    check_log(client)


@pytest.mark.parametrize("address", [
    "s3://AKIAEXAMPLE:planted/secret@bucket/dir?region=us-east-1",
    "r2://pcaps?account-id=1&Access-Key-Id=planted1&Secret-Access-Key=planted2",
    "s3://bucket/d?region=us-east-1;secret-access-key=planted1",
    "s3://bucket/d?region=us-east-1&X-Amz-Signature=planted1",
])
def test_keys_that_are_written_otherwise(api, address):
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=TOKEN))
    done = client.capture("udp dst port 53", "--colo=ORD", "--destination-conf", address, "--json",
                          interface=FULL)
    assert done.returncode in (1, 2)
    check_nowhere(client, done)


def test_a_password_in_an_endpoint(api):
    url = api.url.replace("http://", "http://user:planted-password@")
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=TOKEN, CLOUDFLARE_API_BASE_URL=url,
                             CLOUDFLAREDUMP_SPEED="2"))
    done = [client.tool("list"), client.tool("check"), client.capture("udp dst port 53")]
    assert [one.returncode for one in done] == [0, 0, 0], done[0].stderr
    check_nowhere(client, *done)


def test_a_secret_on_the_tool_s_command_line(emulator):
    api = emulator("--token", TOKEN, "--job-result", "never")
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=None))
    process = client.start(client.capture_command(client.new_path(), "udp dst port 53",
                                                  "--api-token", TOKEN))
    wait_until(lambda: len(requests_of(api)) >= 3, "the polls")
    assert b"planted" not in command_line(process)
    process.terminate()
    out, err = finish(process)
    assert "planted" not in out + err
    check_nowhere(client)


@pytest.mark.parametrize("words", [
    ["--api-token", TOKEN, "--novelty"], ["--novelty", "--api-key=" + KEY],
    ["--api-token=" + TOKEN, "--time-limit", "0"], ["--api-key", KEY, "word"],
    ["--log-file", "/nonexistent/" + TOKEN, "--api-token", TOKEN],
])
def test_complaints_about_other_words(instant_api, words):
    client = Client(instant_api, CLOUDFLARE_API_TOKEN=None)
    done = client.capture("udp", *words)
    assert done.returncode in (1, 2)
    check_nowhere(client, done)


def test_a_server_that_says_the_token(emulator, tmp_path):
    """An error page that repeats the request's headers."""
    body = tmp_path / "echo.json"
    body.write_text('{"success":false,"result":null,"messages":[],"errors":[{"code":1,"message":'
                    f'"bad header Authorization: Bearer {TOKEN}"}}]}}')
    api = emulator("--answer", f"GET /pcaps=403:{body}")
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=TOKEN))
    captures = [*client.both("udp"), client.tool("list")]
    assert [capture.returncode for capture in captures] == [1, 1, 1]
    assert all("bad header" in capture.stderr for capture in captures)
    check_nowhere(client, *captures)


def test_a_secret_in_the_filter_or_the_description(api):
    """Even what the user types into the filter by mistake is not put into the file."""
    client = Client(api, CLOUDFLARE_API_TOKEN=TOKEN)
    capture = client.capture(TOKEN)
    assert capture.returncode == 2
    check_nowhere(client, capture)


@pytest.mark.parametrize("variables", [{"CLOUDFLARE_API_TOKEN": "wrong-" + TOKEN},
                                       {"CLOUDFLARE_API_TOKEN": TOKEN + "\n\x01"},
                                       {"CLOUDFLARE_API_TOKEN": "Bearer " + TOKEN},
                                       {"CLOUDFLARE_API_BASE_URL": f"https://user:{TOKEN}@nowhere.invalid/x",
                                        "CLOUDFLARE_API_TOKEN": TOKEN}])
def test_errors_about_the_secret_itself(api, variables):
    client = with_log(Client(api, **variables))
    captures = client.both("udp")
    assert [capture.returncode for capture in captures] == [1, 1]
    check_nowhere(client, *captures)
    assert all(re.search(r"\w", capture.sentence) for capture in captures)


@pytest.mark.parametrize("around", ["{}\n", " {}", "{} ", "\t{}\r\n"])
def test_blanks_around_values_of_the_environment(api, around):
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=around.format(TOKEN)))
    for name in ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_BASE_URL"):
        client.env[name] = around.format(client.env[name])
    captures = client.both("udp")
    assert [capture.returncode for capture in captures] == [0, 0]
    check_nowhere(client, *captures)


def test_a_value_that_cannot_be_right_is_named_by_its_source(api):
    for variable, value in [("CLOUDFLARE_API_TOKEN", f"Bearer {TOKEN}"),
                            ("CLOUDFLARE_ACCOUNT_ID", "accounts/1"), ("CLOUDFLAREDUMP_LOG_LEVEL", "loud\n")]:
        done = Client(api, **{variable: value}).capture("udp")
        assert done.returncode in (1, 2) and f"({variable})" in done.sentence
        assert "planted" not in done.sentence


def test_private_files_are_private(api):
    client = with_log(Client(api, CLOUDFLARE_API_TOKEN=TOKEN))
    folder = client.new_path("originals")
    folder.mkdir()
    folder.chmod(0o777)
    capture = client.capture("udp", "--keep-originals", str(folder))
    assert capture.returncode == 0 and list(folder.iterdir())
    for path in [capture.path, client.folder / "log", *folder.iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path
