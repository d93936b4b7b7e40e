# SPDX-License-Identifier: GPL-2.0-or-later
"""Through a proxy: https as with curl, http never, and the proxy's password nowhere."""

import urllib.parse

import pytest
from capturing import INSTANT, Client, requests_of
from emulator import TOKEN
from forward_proxy import ForwardProxy, HttpsFront
from full_captures import check_nowhere
from wireshark import open_folder

HOST = "api.example.invalid"  # no name server knows it; the proxy does
PASSWORD = "planted-proxy-password"
USER = ("office", PASSWORD)


@pytest.fixture
def api(emulator):
    return emulator(*INSTANT)


@pytest.fixture
def front(api):
    """The emulator as https://HOST."""
    with HttpsFront(open_folder(), HOST, urllib.parse.urlsplit(api.url).port) as server:
        server.authority.chmod(0o644)
        yield server


def client_of(front, proxy, variable="HTTPS_PROXY", user=f"{USER[0]}:{USER[1]}@", **variables):
    """Somebody behind `proxy` whose account is at HOST. They keep a log of everything."""
    client = Client(f"https://{HOST}/client/v4", **{
        "CURL_CA_BUNDLE": front.authority, variable: f"http://{user}127.0.0.1:{proxy.port}",
        "CLOUDFLAREDUMP_LOG_LEVEL": "noisy", **variables})
    client.env["CLOUDFLAREDUMP_LOG"] = str(client.folder / "log")
    client.configure("[default]\nsample-interval=0\nretry-time=0\n")
    return client


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_capture_through_a_proxy_that_wants_a_password(api, front, variable):
    with ForwardProxy({f"{HOST}:443": front.port}, USER) as proxy:
        client = client_of(front, proxy, variable)
        done = client.capture("udp port 53")
        assert done.returncode == 0 and len(done.records) > 0
        assert set(proxy.connects()) == {f"{HOST}:443"}
        assert len(requests_of(api, "POST", "/pcaps")) == 2
        assert TOKEN not in "".join(proxy.seen), "the token went to the proxy in the clear"
    check_nowhere(client, [PASSWORD, TOKEN], done.stdout, done.stderr)
    assert "/pcaps" in (client.folder / "log").read_text()


def test_wireshark_s_way_through_a_proxy(front):
    with ForwardProxy({f"{HOST}:443": front.port}, USER) as proxy:
        client = client_of(front, proxy)
        done = client.tshark("udp dst port 53")
        assert done.returncode == 0 and len(done.records) > 0 and proxy.connects()
    check_nowhere(client, [PASSWORD, TOKEN], done.stdout, done.stderr)


@pytest.mark.parametrize("user", ["", "office:wrong-planted-password@"])
def test_a_proxy_that_refuses_the_password(api, front, user):
    with ForwardProxy({f"{HOST}:443": front.port}, USER) as proxy:
        client = client_of(front, proxy, user=user)
        done = client.capture("udp")
    assert done.returncode == 1
    assert f"the proxy on the way to {HOST} answered HTTP 407; put its user and password into " \
           "HTTPS_PROXY" in done.sentence
    assert not requests_of(api)
    check_nowhere(client, ["wrong-planted-password", TOKEN], done.stdout, done.stderr)


@pytest.mark.parametrize("refusal, said", [
    ("403 Forbidden", "answered HTTP 403; ask who runs it, or name the host in NO_PROXY"),
    ("503 Service Unavailable", "answered HTTP 503; it cannot reach the host itself")])
def test_a_proxy_that_does_not_let_us_through(front, refusal, said):
    with ForwardProxy({}, refusal=refusal) as proxy:
        done = client_of(front, proxy).capture("udp")
    assert done.returncode == 1 and said in done.sentence


@pytest.mark.parametrize("address, said", [
    (f"http://office:{PASSWORD}@127.0.0.1:9", "cannot reach"),
    (f"http://office:{PASSWORD}@proxy.invalid:3128", "cannot find the address of the proxy"),
    (f"gopher://office:{PASSWORD}@127.0.0.1:9", ""),
    (f"http://office:{PASSWORD}@[127.0.0.1:9", ""),
    (f"http://office:{PASSWORD}@127.0.0.1:port", ""),
    ("http://o:pw-7@[127", "")])
def test_errors_about_the_proxy_do_not_tell_its_password(front, address, said):
    client = client_of(front, front, HTTPS_PROXY=address)
    captures = [client.capture("udp"), client.tool("list"), client.tool("check")]
    assert captures[0].returncode == 1 and said in captures[0].sentence
    check_nowhere(client, [PASSWORD, "pw-7"],
                  *(text for done in captures for text in (done.stdout, done.stderr)))


def test_no_proxy_names_hosts_that_are_reached_directly(front):
    with ForwardProxy({f"{HOST}:443": front.port}) as proxy:
        done = client_of(front, proxy, NO_PROXY=HOST).capture("udp")
        assert done.returncode == 1 and f"cannot find the address of {HOST}" in done.sentence
        assert not proxy.seen


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "HTTPS_PROXY"])
def test_plain_http_to_this_machine_goes_to_no_proxy(api, variable):
    with ForwardProxy({}) as proxy:
        client = Client(api, **{variable: f"http://127.0.0.1:{proxy.port}"})
        done = client.capture("udp dst port 53")
        assert done.returncode == 0 and len(done.records) > 0
        assert not proxy.seen
