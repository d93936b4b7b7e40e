# SPDX-License-Identifier: GPL-2.0-or-later
"""What can go wrong before the first packet: tshark and the tool end within seconds with status 1
(2 for what was typed wrong) and say the same plain sentence, without a secret in it."""

import re
import socket
import time

import libpcap
import pytest
from capturing import INSTANT, Client, as_words, finish, requests_of

PLANTED = "planted-secret-0123456789abcdef"


def check_sentence(sentence, *words):
    """One plain sentence that names `words`. It ends with a full stop or a command to run."""
    assert re.fullmatch(r"[^\x00-\x1f{}]{20,700}", sentence), sentence
    assert re.search(r"(\.|chmod 600 '.+'|--pcap-id [0-9a-f]{32})$", sentence), sentence
    for word in words:
        assert re.search(word, sentence), (word, sentence)
    assert PLANTED not in sentence and "Bearer" not in sentence


def alike(sentence):
    """Without what differs from run to run: ids and times."""
    return re.sub(r"[0-9a-f]{32}|\d{4}-\d\d-\d\d[T ][0-9:.]+", "…", sentence)


def check_both(client, *words, capture_filter="udp port 53", status=1, seconds=60, **options):
    """The tool and the extcap fail alike; returns their sentence."""
    by_extcap = client.extcap(capture_filter, **options)
    by_tool = client.capture(capture_filter, *as_words(options))
    assert (by_extcap.returncode, by_tool.returncode) == (1, status), (by_extcap, by_tool)
    assert alike(by_tool.sentence) == alike(by_extcap.sentence)
    check_sentence(by_tool.sentence, *words)
    # Wireshark's users have no command line: only a command that is given whole has --options.
    assert not re.search(r"(^|[ (])--[a-z]", by_tool.sentence.split("cloudflaredump ")[0])
    # Wireshark 4.0 hangs for ever on an extcap that ends without having opened the FIFO.
    assert by_extcap.fifo_was_opened
    for capture in (by_extcap, by_tool):
        assert capture.seconds < seconds
        assert capture.stdout == "" and PLANTED not in capture.stderr
        assert not capture.path.exists()
    return by_tool.sentence


def check_through_tshark(client, *words):
    """The same with the real tshark, which exits 1 and shows the sentence."""
    sentence = check_both(client, *words)
    by_tshark = client.tshark("udp port 53")
    assert by_tshark.returncode == 1 and by_tshark.stdout == ""
    assert alike(by_tshark.sentence) == alike(sentence)
    assert PLANTED not in by_tshark.stderr
    return sentence


# ---- who asks


def test_a_wrong_token(instant_api):
    check_through_tshark(Client(instant_api, CLOUDFLARE_API_TOKEN=PLANTED), "Authentication error",
               "code 10000", "check the API token")


def test_a_wrong_key(instant_api):
    check_both(Client(instant_api, CLOUDFLARE_API_TOKEN=None, CLOUDFLARE_EMAIL="user@example.com",
                      CLOUDFLARE_API_KEY=PLANTED), "9109")


def test_a_token_that_may_only_read(emulator):
    api = emulator(*INSTANT, "--read-token", PLANTED)
    check_both(Client(api, CLOUDFLARE_API_TOKEN=PLANTED), "HTTP 403", "Packet Captures: Edit")


def test_an_unknown_account(instant_api):
    check_through_tshark(Client(instant_api, CLOUDFLARE_ACCOUNT_ID="0" * 32), "HTTP 403", "account ID")


@pytest.mark.parametrize("account", ["../../user", "a b", "{x}", "é" * 16, "f" * 33])
def test_an_account_id_of_the_wrong_shape(instant_api, account):
    asked = len(instant_api.log())
    check_both(Client(instant_api, CLOUDFLARE_ACCOUNT_ID=account), "account-id is", "dashboard")
    assert len(instant_api.log()) == asked, "it became part of a path"


def test_no_token_at_all(instant_api):
    client = Client(instant_api, CLOUDFLARE_API_TOKEN=None)
    sentence = check_through_tshark(client, "no Cloudflare API token", "CLOUDFLARE_API_TOKEN",
                          "Account tab", "Packet Captures: Edit")
    # A desktop-started Wireshark has no shell exports: the file comes first.
    assert sentence.index(str(client.config)) < sentence.index("CLOUDFLARE_API_TOKEN")


def test_no_account_at_all(instant_api):
    client = Client(instant_api, CLOUDFLARE_ACCOUNT_ID=None)
    check_both(client, "no Cloudflare account", "CLOUDFLARE_ACCOUNT_ID", str(client.config))


def test_half_of_an_e_mail_and_key(instant_api):
    check_both(Client(instant_api, CLOUDFLARE_API_TOKEN=None, CLOUDFLARE_API_KEY=PLANTED),
               "the address is missing")


# ---- the server


def closed_port():
    """An address of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/client/v4"


def test_no_server():
    check_through_tshark(Client(closed_port(), speed=10), "cannot reach 127.0.0.1:", "Connection refused")


def test_no_such_host():
    check_both(Client("https://api.nowhere.invalid/client/v4"), "api.nowhere.invalid")


@pytest.mark.parametrize("answer, words", [
    (["GET /pcaps=500"], ["list the captures", "HTTP 500", "try again later"]),
    (["POST /pcaps=500"], ["start the capture", "HTTP 500"]),
    (["* /pcaps=503"], ["HTTP 503"]),
    (["GET /pcaps=429"], ["HTTP 429", "wait a few minutes"]),
    (["POST /pcaps=400"], ["start the capture", "HTTP 400"]),
    (["POST /pcaps=418"], ["HTTP 418"]),
    (["GET /pcaps=close"], ["list the captures", "closed the connection"]),
    (["POST /pcaps=close"], ["start the capture", "closed the connection"]),
    (["GET /pcaps=301"], ["HTTP 301"]),
    (["GET /download=403"], ["download the capture", "HTTP 403"]),
])
def test_an_answer_that_is_no_help(emulator, answer, words):
    orders = [word for one in answer for word in ("--answer", one)]
    api = emulator(*INSTANT, *orders)
    check_both(Client(api, speed=10), *words)
    assert 1 <= len(requests_of(api)) < 100, "the tries are bounded"


def test_a_500_at_the_true_pace(emulator):
    api = emulator(*INSTANT, "--answer", "* /pcaps=500")
    client = Client(api)
    path = client.new_path()
    started = time.monotonic()
    runs = [client.start(client.tshark_command(path)),
            client.start(client.capture_command("/dev/null"))]
    for run in runs:
        finish(run, 20)
        assert run.returncode == 1
    assert time.monotonic() - started < 15
    assert len(requests_of(api)) >= 6, "it is tried more than once"


@pytest.mark.parametrize("status", [200, 403, 502])
@pytest.mark.parametrize("request_line", ["GET /pcaps", "POST /pcaps"])
def test_html_instead_of_json(emulator, request_line, status):
    api = emulator(*INSTANT, "--answer", f"{request_line}={status}", "--answer-body", "html")
    check_both(Client(api, speed=10), "a web page instead of JSON")


@pytest.mark.parametrize("body, words", [
    ("", "an empty answer"), ("not json", "not JSON"), ("[]", "not JSON"), ("{}", "without a result"),
    ('{"success":false,"errors":[{"code":1,"message":"no\\n{way}"}],"result":null}', r"no \(way\)"),
    ('{"success":true,"errors":[],"messages":[],"result":{"id":"../ownership"}}', "usable"),
    ('{"success":true,"errors":[],"messages":[],"result":{}}', "usable"),
    ("[" * 100000, "not JSON"),
])
def test_odd_answers_to_the_request(emulator, tmp_path, body, words):
    file = tmp_path / "body.json"
    file.write_text(body)
    api = emulator(*INSTANT, "--answer", f"POST /pcaps=200:{file}")
    check_both(Client(api, speed=10), words)


def test_a_refusal_is_shown_in_cloudflare_s_words(emulator, tmp_path):
    file = tmp_path / "refusal.json"
    file.write_text('{"success":false,"result":null,"messages":[],"errors":[{"code":7403,"message":'
                    '"The account is not entitled to packet captures."}]}')
    api = emulator(*INSTANT, "--answer", f"POST /pcaps=403:{file}")
    check_both(Client(api), "The account is not entitled to packet captures", "code 7403")


def test_server_text_is_cleaned_and_bounded(emulator, tmp_path):
    file = tmp_path / "refusal.json"
    message = "\\u001b[31m" + "long {words} \\n" * 1000 + "Authorization: Bearer " + PLANTED
    file.write_text('{"success":false,"result":null,"messages":[],"errors":[{"code":7403,"message":"'
                    + message + '"}]}')
    api = emulator(*INSTANT, "--answer", f"POST /pcaps=403:{file}")
    by_tshark, by_tool = Client(api, CLOUDFLARE_API_TOKEN="emulator-token").both("udp")
    for capture in (by_tshark, by_tool):
        assert capture.returncode == 1
        assert not re.search(r"[\x00-\x09\x0b-\x1f{}]", capture.sentence)
        assert len(capture.sentence) < 2100


# ---- the capture


def test_a_capture_that_fails(emulator):
    api = emulator(*INSTANT, "--job-result", "failed")
    check_through_tshark(Client(api), "capture [0-9a-f]{32} failed")


def test_a_capture_that_never_ends(emulator):
    api = emulator(*INSTANT, "--job-result", "never")
    check_both(Client(api, speed=20), "has not finished capture [0-9a-f]{32}", "cloudflare-download",
               max_wait=10)


@pytest.mark.parametrize("content, words", [
    (b"", "empty"), (b"<html>login</html>", "not a capture file"), (b"\xa1\xb2\xc3\xd4", "cut"),
    (b"\n\r\r\n" + b"\0" * 100, "not a capture file"),
    (bytes.fromhex("d4c3b2a1") + b"\xff" * 20, "not a capture file"),
])
def test_a_download_that_is_no_capture_file(emulator, tmp_path, content, words):
    file = tmp_path / "download"
    file.write_bytes(content)
    api = emulator(*INSTANT, "--serve-as-is", file)
    check_both(Client(api), "capture [0-9a-f]{32}", words)


def test_a_download_that_is_never_there(emulator):
    api = emulator(*INSTANT, "--answer", "GET /download=404")
    check_both(Client(api, speed=20), "download the capture", "HTTP 404")
    assert len(requests_of(api, "GET", "/download")) > 4, "it may still settle: tried again"


# ---- what was asked for


@pytest.mark.parametrize("capture_filter, words", [
    ("udp port", libpcap.says("udp port")), ("tcp and udp", libpcap.says("tcp and udp")),
    ("inbound", "inbound"), ("host nowhere.invalid", "nowhere.invalid"),
    ("\x1b]0;title\x07", libpcap.says("\x1b]0;title\x07")),
])
def test_a_filter_that_cannot_be(instant_api, capture_filter, words):
    """What libpcap says is shown as it is."""
    asked = len(instant_api.log())
    by_tshark, by_tool = Client(instant_api).both(capture_filter)
    assert (by_tshark.returncode, by_tool.returncode) == (1, 2)
    assert by_tool.sentence == by_tshark.sentence
    assert words in by_tool.sentence
    assert len(instant_api.log()) == asked, "Cloudflare was asked all the same"


@pytest.mark.parametrize("options, words", [
    ({"time_limit": "0"}, "from 1 to 300"), ({"time_limit": "301"}, "from 1 to 300"),
    ({"time_limit": "1.5"}, "from 1 to 300"), ({"packet_limit": "10001"}, "from 1 to 10,000"),
    ({"packet_limit": "-1"}, "packet-limit"), ({"packet_limit": "many"}, "packet-limit"),
    ({"requests_per_window": "5"}, "from 1 to 4"), ({"local_filter": "maybe"}, "on or off"),
    ({"log_level": "loud"}, "none, error"), ({"start_time": "yesterday"}, "start-time"),
    ({"start_time": "-25h"}, "24 hours"), ({"end_time": "2099-01-01T00:00:00Z"}, "future"),
    ({"start_time": "-1m", "end_time": "-2m"}, "not before end-time"),
    ({"start_time": "-24h"}, "max-requests"), ({"profile": "nobody"}, "no profile"),
    ({"max_wait": "99999999999999999999"}, "max-wait"), ({"stop_wait": "x" * 300}, "stop-wait"),
])
def test_a_value_that_cannot_be(instant_api, options, words):
    asked = len(instant_api.log())
    check_both(Client(instant_api), words, status=2, **options)
    assert len(instant_api.log()) == asked


@pytest.mark.parametrize("variables, words, status", [
    ({"CLOUDFLAREDUMP_SPEED": "fast"}, "CLOUDFLAREDUMP_SPEED", 2),
    ({"CLOUDFLAREDUMP_SPEED": "0.5"}, "from 1", 2),
    ({"CLOUDFLAREDUMP_SPEED": "60", "CLOUDFLARE_API_BASE_URL": "https://192.0.2.1/v4"},
     "192.0.2.1", 2),
    ({"CLOUDFLARE_API_BASE_URL": "http://192.0.2.1/v4"}, "in the clear", 1),
    ({"CLOUDFLARE_API_BASE_URL": "ftp://127.0.0.1/v4"}, "https://", 1),
    ({"CLOUDFLARE_API_BASE_URL": "nonsense"}, "URL", 1),
    ({"CLOUDFLAREDUMP_LOG": "/nonexistent/log"}, "/nonexistent/log", 1),
    ({"CLOUDFLAREDUMP_CONFIG": "/nonexistent/config.ini"}, "/nonexistent/config.ini", 1),
])
def test_an_environment_that_cannot_be(instant_api, variables, words, status):
    check_both(Client(instant_api, **variables), words, status=status)


# ---- the configuration file


def test_a_configuration_file_that_others_can_read(instant_api):
    client = Client(instant_api, CLOUDFLARE_API_TOKEN=None)
    client.configure(f"[default]\napi-token={PLANTED}\n", mode=0o640)
    check_through_tshark(client, "others can read it", "chmod 600 '" + str(client.config) + "'")
    client.configure("[default]\nsample-interval=0\napi-token=emulator-token\n", mode=0o600)
    assert client.capture("udp").returncode == 0, "what the sentence said to do helps"


@pytest.mark.parametrize("text, mode, words, status", [
    (f"api-token={PLANTED}\n", 0o600, "cannot read the configuration file", 1),
    (f"[default\napi-token={PLANTED}\n", 0o600, "cannot read the configuration file", 1),
    ("[default]\ntime-limit=soon\n", 0o600, "time-limit", 2),
    (f"[default]\napi-token={PLANTED}\n", 0o000, "Permission denied", 1),
])
def test_a_configuration_file_that_cannot_be(instant_api, text, mode, words, status):
    client = Client(instant_api, CLOUDFLARE_API_TOKEN=None)
    client.configure(text, mode=mode)
    check_both(client, str(client.config), words, status=status)


# ---- the tool's own words


@pytest.mark.parametrize("words, sentence", [
    (["capture"], "no interface"), (["capture", "-i", "cloudflare-sample"], "no output file"),
    (["capture", "-i", "eth0", "-w", "x"], 'no interface "eth0"'),
    (["capture", "-i", "cloudflare-sample", "-w", "x", "udp"], 'unexpected argument "udp"'),
    (["capture", "--novelty"], "--novelty"), (["capture", "-i"], "-i"),
    (["nothing"], 'no command "nothing"'), (["list", "all"], "no arguments"), (["show"], "ID"),
    (["show", "1", "2"], "ID"), (["show", "ownership"], "not the ID of a capture"),
    (["show", "../../x"], "not the ID of a capture"),
])
def test_what_was_typed_wrong(client, words, sentence):
    done = client.tool(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("cloudflaredump: ")
    check_sentence(done.sentence, sentence)


def test_what_was_typed_wrong_is_told_before_a_missing_token(client):
    stranger = Client("http://127.0.0.1:9", CLOUDFLARE_API_TOKEN=None)
    for words in (["show"], ["show", "1", "2"], ["list", "extra"], ["stop"], ["check", "extra"],
                  ["register-bucket", "a", "b"], ["explain", "--novelty"],
                  ["explain", "-i", "novelty", "tcp"],
                  ["explain", "--requests-per-window", "9", "tcp"]):
        done = stranger.tool(*words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert "token" not in done.sentence
    refused = stranger.tool("explain", "bad(")
    assert (refused.returncode, refused.stdout) == (2, "") and "syntax" in refused.sentence


def test_help_and_version(client):
    for words in (["--help"], ["-h"], ["help"], ["capture", "--help"], ["list", "--help"],
                  ["show", "--help"], ["explain", "--help"]):
        done = client.tool(*words)
        assert (done.returncode, done.stderr) == (0, "") and "sage" in done.stdout
    assert re.fullmatch(r"cloudflaredump \d+\.\d+\.\d+\n", client.tool("--version").stdout)
    assert client.tool().returncode == 2
    told = client.tool("capture", "--help").stdout
    for option in ("--interface", "--write", "--time-limit", "--api-token", "--log-file"):
        assert option in told


def test_progress_stays_in_one_line_of_the_terminal(instant_api):
    client = Client(instant_api)
    command = " ".join(map(str, client.capture_command(client.new_path(), "'udp port 53'")))
    done = client.run(["script", "-qec", f"stty cols 24; {command}", "/dev/null"])
    states = [state.strip() for state in done.stdout.split("\x1b[K")[1:-1]]
    assert done.returncode == 0 and any(states), done.stdout
    assert all(len(state) < 24 for state in states), states


def test_standard_output_on_a_terminal_is_refused(client):
    done = client.run(["script", "-qec", " ".join(map(str, client.capture_command("-"))),
                       "/dev/null"])
    assert done.returncode == 2 and "terminal" in done.stdout
