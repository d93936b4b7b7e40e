# SPDX-License-Identifier: GPL-2.0-or-later
"""`compare` with an emulated account: the emulator also writes what the routers captured."""

import json

from capturing import INSTANT, Client

CUSTOMER = "dst net 203.0.113.0/24"


def truth_of(path):
    with open(f"{path}.truth.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def routers(client, count=1):
    paths = [client.new_path("router.pcap") for _ in range(count)]
    return paths, [word for path in paths for word in ("--router", path)]


def account(emulator, *words):
    """An emulator, and somebody who has configured it as their account."""
    client = Client("http://127.0.0.1:9")
    paths, options = routers(client, 2 if "two" in words else 1)
    api = emulator(*INSTANT, *options, *[word for word in words if word != "two"])
    client.env["CLOUDFLARE_API_BASE_URL"] = api.url
    return client, paths


def test_a_sample_against_the_router(emulator):
    client, (router,) = account(emulator, "--router-drop", "203.0.113.80", "--router-clock", "3.2")
    sample = client.capture(CUSTOMER)
    answer = json.loads(client.tool("compare", "--json", sample.path, router).stdout)
    sent = [line for line in truth_of(router) if ":" not in line["destination"]]
    assert any(line.get("why") == "dropped" for line in sent)
    rows = {row["destination"]: row for row in answer["by_destination"]}
    assert rows["203.0.113.80"]["arrived"] == 0
    assert sum(row["missing"] for row in rows.values()) == rows["203.0.113.80"]["missing"]
    finding = answer["findings"][0]
    assert (finding["kind"], finding["value"]) == ("destination", "203.0.113.80")
    assert abs(answer["clock_offset_seconds"] - 3.212) < 0.01
    assert answer["sample"] and answer["locals"][0]["tunnels"][0]["destination"] == "198.51.100.1"


def test_two_routers(emulator):
    client, paths = account(emulator, "two", "--router-tunnel", "gre-key")
    sample = client.capture(CUSTOMER)
    both = json.loads(client.tool("compare", "--json", sample.path, *paths).stdout)
    assert both["missing"] == 0 and both["arrived"] > 100
    one = json.loads(client.tool("compare", "--json", sample.path, paths[0]).stdout)
    assert 0 < one["missing"] < both["arrived"]


def test_an_earlier_capture_by_its_id(emulator):
    client, (router,) = account(emulator)
    assert client.capture(CUSTOMER).returncode == 0
    run = client.tool("compare", "--json", "--pcap-id", "latest", "-f", CUSTOMER, router)
    assert (run.returncode, run.stderr) == (0, "")
    answer = json.loads(run.stdout)
    assert answer["missing"] == 0 and answer["arrived"] > 100 and answer["egress"] == 0


def test_an_earlier_capture_is_compared_under_its_own_filter(emulator):
    client, (router,) = account(emulator)
    wanted = "dst host 203.0.113.80"
    assert client.capture(wanted, "--requests-per-window", "1").returncode == 0
    alone = json.loads(client.tool("compare", "--json", "--pcap-id", "latest", router).stdout)
    given = json.loads(client.tool("compare", "--json", "--pcap-id", "latest", "-f", wanted,
                                   router).stdout)
    # The router goes on capturing: what is said of its file may have grown.
    assert {**alone, "locals": []} == {**given, "locals": []} and alone["filter"] == wanted
    other = json.loads(client.tool("compare", "--json", "--pcap-id", "latest", "-f", CUSTOMER,
                                   router).stdout)
    assert other["filter"] == CUSTOMER
    said = client.tool("compare", "--pcap-id", "latest", router).stdout
    assert f'Only packets that match "{wanted}" were compared.' in said
    # No filter is a filter, too.
    everything = json.loads(client.tool("compare", "--json", "--pcap-id", "latest", "-f", "",
                                        router).stdout)
    assert everything["filter"] == "" and everything["compared"] >= alone["compared"]


def test_what_the_filter_rejects_still_shows_that_the_router_was_there(emulator):
    """All that the filter names is lost: the clock comes from the other packets of the sample."""
    client, (router,) = account(emulator, "--router-drop", "203.0.113.80")
    assert client.capture("dst net 203.0.113.80/28", "--requests-per-window", "1").returncode == 0
    run = client.tool("compare", "--json", "--pcap-id", "latest", router)
    assert (run.returncode, run.stderr) == (0, "")
    answer = json.loads(run.stdout)
    lost = next(row for row in answer["by_destination"] if row["destination"] == "203.0.113.80")
    assert lost["arrived"] == 0 and lost["missing"] > 5
    assert not answer.get("not_comparable")


def test_both_sides_at_once(emulator):
    client, (router,) = account(emulator, "--router-loss", "0")
    marked = client.new_path("marked.pcapng")
    run = client.tool("compare", "--json", "--seconds", "6", "-f", CUSTOMER, "-w", marked,
                      "--local", f"tail -c +1 -f '{router}'")
    assert (run.returncode, run.stderr) == (0, "")
    answer = json.loads(run.stdout)
    assert answer["missing"] == 0 and answer["arrived"] > 5
    # The file is gone afterwards, and the command may hold a password.
    assert answer["locals"][0]["file"] == "router 1"
    assert marked.exists()


def test_a_local_command_gets_no_token_and_nothing_is_left(emulator):
    client, (router,) = account(emulator, "--router-loss", "0")
    client.env.update(TMPDIR=str(client.folder / "tmp"), AWS_PROFILE="routers")
    (client.folder / "tmp").mkdir(mode=0o777)
    (client.folder / "tmp").chmod(0o777)
    seen = client.new_path("seen.txt")
    run = client.tool("compare", "-q", "--seconds", "3", "--local",
                      f"sh -c 'env > {seen}; exec tail -c +1 -f {router}'")
    assert run.returncode in (0, 3), run.stderr
    variables = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
    assert variables["AWS_PROFILE"] == "routers" and "HOME" in variables
    assert not [name for name in variables if name.startswith("CLOUDFLARE")]
    assert list((client.folder / "tmp").iterdir()) == []


def test_a_local_command_that_fails_is_said(emulator):
    client, _ = account(emulator)
    for command, words in [("false", "ended before"), ("no-such-program-here -w -", "cannot be started"),
                           ("sh -c 'echo permission denied >&2; exit 1'", "permission denied"),
                           ("tcpdump 'unclosed", "cannot be read")]:
        run = client.tool("compare", "--seconds", "5", "-q", "--local", command)
        assert run.returncode in (1, 2) and words in run.sentence, run.stderr


def test_report_of_a_capture(emulator):
    client, _ = account(emulator)
    report = client.new_path("report.md")
    path = client.new_path()
    run = client.run([client.tool_path, "capture", "-i", "cloudflare-sample", "-f", CUSTOMER,
                      "-w", path, "--report", report])
    assert run.returncode == 0
    text = report.read_text()
    for words in ("# Capture at Cloudflare", CUSTOMER, "SHA-256", "UTC", "received"):
        assert words in text


def test_what_cloudflare_itself_dropped_stands_beside_the_verdict(emulator):
    client, (router,) = account(emulator, "--router-drop", "203.0.113.80",
                                "--drop", "dosd=dst host 203.0.113.80")
    sample = client.capture(CUSTOMER)
    compared = client.tool("compare", "--json", sample.path, router)
    assert compared.stderr == ""
    answer = json.loads(compared.stdout)
    finding, = [one for one in answer["findings"] if one["kind"] == "dropped_at_cloudflare"]
    # All that is missing went to one address: of that, all was dropped.
    assert finding["value"] == "dosd" and 0 < finding["lost"] == finding["of"]
    # The first cause stays that of the packets themselves.
    assert answer["findings"][0]["kind"] == "destination"
    text = client.tool("compare", sample.path, router).stdout
    assert "Cloudflare itself dropped" in text and "dosd" in text
    assert "of this traffic to 203.0.113.80" in finding["text"]
    # Drops of other traffic than what is missing explain nothing.
    elsewhere, (another,) = account(emulator, "--router-drop", "203.0.113.80",
                                    "--drop", "dosd=udp port 53")
    sample = elsewhere.capture(CUSTOMER)
    text = elsewhere.tool("compare", sample.path, another).stdout
    assert "203.0.113.80" in text.split("\n")[1]
    assert "Cloudflare itself dropped none of this traffic to 203.0.113.80, by its analytics" in text
    # Analytics that cannot count just this traffic say what they counted.
    inexact, (third,) = account(emulator, "--router-drop", "203.0.113.80",
                                "--drop", "dosd=dst host 203.0.113.80 and less 90")
    sample = inexact.capture("dst net 203.0.113.0/24 and greater 100")
    text = inexact.tool("compare", sample.path, third).stdout
    assert 'of the traffic of "' in text and "of this traffic" not in text
    # Nor does what the analytics say hide that the packets have nothing in common.
    chance, (lossy,) = account(emulator, "--router-loss", "20", "--drop", "dosd=udp port 53")
    sample = chance.capture(CUSTOMER)
    text = chance.tool("compare", sample.path, lossy).stdout
    assert "itself dropped" in text and "nothing in common that chance" in text
    denied, (other,) = account(emulator, "--router-drop", "203.0.113.80", "--analytics", "denied")
    sample = denied.capture(CUSTOMER)
    compared = denied.tool("compare", sample.path, other)
    assert compared.stderr == "" and "itself dropped" not in compared.stdout
