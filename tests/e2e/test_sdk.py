# SPDX-License-Identifier: GPL-2.0-or-later
"""Cloudflare's own SDK (npm: cloudflare) on the emulator, beside our program on the same account: each
finds, gets and stops what the other one started. Skipped where npm or its packages are not."""

import json
import shutil
import subprocess
import time

import pytest
from capturing import INSTANT, Client, finish, record, wait_until
from emulator import ACCOUNT, TOKEN, read_pcap
from full_captures import Folder, FullClient, check_whole, emulator_of

SCRIPT = """
const Cloudflare = require('cloudflare');
const [url, call, ...words] = process.argv.slice(2);
const client = new Cloudflare({apiToken: '%s', baseURL: url, maxRetries: 0});
const pcaps = client.magicTransit.pcaps;
const account_id = '%s';
(async () => {
  let answer;
  if (call === 'download') {
    const file = await pcaps.download.get(words[0], {account_id});
    process.stdout.write(Buffer.from(await file.arrayBuffer()));
    return;
  }
  if (call === 'create') answer = await pcaps.create({account_id, ...JSON.parse(words[0])});
  if (call === 'get') answer = await pcaps.get(words[0], {account_id});
  if (call === 'stop') answer = await pcaps.stop(words[0], {account_id});
  if (call === 'list') {
    answer = [];
    for await (const one of pcaps.list({account_id})) answer.push(one);
  }
  process.stdout.write(JSON.stringify(answer ?? null));
})().catch(error => { console.error(String(error)); process.exit(1); });
""" % (TOKEN, ACCOUNT)


@pytest.fixture(scope="module")
def sdk(tmp_path_factory):
    """`sdk(api, call, …)` is what the SDK answers, `sdk(api, "download", id)` bytes."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("sdk")
    try:
        got = subprocess.run([npm, "install", "--no-audit", "--no-fund", "cloudflare"], cwd=folder,
                             capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("npm gets no packages")
    if got.returncode:
        pytest.skip("npm gets no packages")
    (folder / "call.js").write_text(SCRIPT)

    def call(api, *words):
        words = [word if isinstance(word, str) else json.dumps(word) for word in words]
        done = subprocess.run([node, "call.js", api.url, *words], cwd=folder, capture_output=True,
                              timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout if words[0] == "download" else json.loads(done.stdout)
    return call


def test_a_sample_of_the_sdk(sdk, emulator):
    api = emulator(*INSTANT)
    made = sdk(api, "create", {"type": "simple", "system": "magic-transit", "time_limit": 300,
                               "packet_limit": 10000, "filter_v1": {"destination_port": 53}})
    theirs = read_pcap(sdk(api, "download", made["id"]))
    client = Client(api)
    assert made["id"] in client.tool("list").stdout
    shown = json.loads(client.tool("show", made["id"], "--json").stdout)
    assert shown["filter_v1"] == {"destination_port": 53}
    ours = client.capture(None, "--pcap-id", made["id"], interface="cloudflare-download")
    assert ours.returncode in (0, 3), ours.stderr
    assert ours.records == [record(packet) for packet in theirs]


def test_our_sample_for_the_sdk(sdk, emulator):
    api = emulator(*INSTANT)
    ours = Client(api).capture("udp dst port 53", "--json")
    assert ours.returncode == 0, ours.stderr
    pcap_id, = json.loads(ours.stdout)["pcap_ids"]
    listed, = sdk(api, "list")
    assert listed["id"] == pcap_id and listed["status"] == "success"
    assert sdk(api, "get", pcap_id)["filter_v1"] == {"destination_port": 53, "protocol": 17}
    assert [record(packet) for packet in read_pcap(sdk(api, "download", pcap_id))] == ours.records


def start_theirs(sdk, api, bucket, time_limit):
    return sdk(api, "create", {
        "type": "full", "system": "magic-transit", "time_limit": time_limit, "packet_limit": 10000,
        "colo_name": "ORD", "destination_conf": bucket.destination})["id"]


def test_a_full_capture_of_the_sdk_is_attached_to(sdk, emulator, recorded):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded())
    client = FullClient(api, bucket)
    pcap_id = start_theirs(sdk, api, bucket, 40)
    attached = client.full(if_busy="attach")
    assert attached.returncode == 0, attached.stderr
    check_whole(attached, bucket.read(pcap_id))
    check_whole(client.download(pcap_id), bucket.read(pcap_id))


def test_a_full_capture_of_the_sdk_is_stopped(sdk, emulator, recorded):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded())
    pcap_id = start_theirs(sdk, api, bucket, 3600)
    stopped = FullClient(api, bucket).tool("stop", pcap_id)
    assert stopped.returncode == 0, stopped.stderr
    assert api.wait(pcap_id)["stop_requested"]


def test_the_sdk_stops_our_full_capture(sdk, emulator, recorded):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded())
    client = FullClient(api, bucket)
    running, path = client.start_full(time_limit=3600)
    pcap_id = wait_until(lambda: [one["id"] for one in api.pcaps().result], "our capture")[0]
    api.wait(pcap_id, "running")
    time.sleep(0.5)
    sdk(api, "stop", pcap_id)
    out, err = finish(running)
    assert running.returncode == 4 and "the capture was stopped early, at 20" in err, err
    assert pcap_id in path.read_bytes().decode(errors="replace")
