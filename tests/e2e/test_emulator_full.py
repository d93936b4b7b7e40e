# SPDX-License-Identifier: GPL-2.0-or-later
"""The emulator's full captures: requests, life, stop, parts in the bucket, ownership."""

import re
import time

import packets as p
import pytest
from emulator import ACCOUNT, Emulator, Packet, read_pcap, write_pcap
from test_emulator import SECOND

S3 = "s3://bucket/folder?region=us-east-1"
QUICK = ("--job-seconds", 0.2, "--speed", 20)  # A capture of 60 s is over in 3.


@pytest.fixture
def bucket(tmp_path):
    folder = tmp_path / "bucket"
    folder.mkdir()
    return folder


def conf(folder):
    return f"file://{folder}"


def full(bucket, *options, environment=None):
    """An emulator with `bucket` registered."""
    return Emulator("--registered", conf(bucket), *QUICK, *options, environment=environment)


def parts(bucket):
    return [read_pcap(file.read_bytes()) for file in sorted(bucket.glob("pcap_*"))]


def captured(bucket):
    """Every packet of every part, in time order."""
    return sorted((packet for part in parts(bucket) for packet in part), key=lambda q: q.time)


def numbered(count, step=1000, size=0):
    """UDP and TCP packets in turn, each with its number; all of them long ago."""
    return [Packet(10**9 * SECOND + i * step,
                   p.ip4(p.TCP if i % 4 == 0 else p.UDP,
                         p.ports(1111, 53, i.to_bytes(4, "big") + bytes(size))))
            for i in range(count)]


# ---- requests

@pytest.fixture(scope="module")
def strict():
    with Emulator("--registered", S3, "--speed", 1000, "--job-result", "failed",
                  "--job-seconds", 0) as api:
        yield api


@pytest.mark.parametrize("change", [
    {}, {"time_limit": 1}, {"packet_limit": 1}, {"packet_limit": 10000}, {"byte_limit": 1},
    {"byte_limit": 10**9}, {"colo_name": "ord02"}, {"colo": "ORD"}, {"filter_v1": {"protocol": 17}},
    {"offset_time": "anything"}, {"unknown": []},
])
def test_full_requests_that_the_schema_allows(strict, change):
    reply = strict.create_full(**{"time_limit": 1, **change})
    assert reply.status == 200, reply.body
    result = reply.result
    assert result["type"] == "full" and result["status"] == "pending"
    assert result["colo_name"] == change.get("colo_name", "ORD") and "colo" not in result
    assert result["destination_conf"] == S3 and result["packets_captured"] == 0
    assert result["filter_v1"] == change.get("filter_v1", {})
    for name in ("packet_limit", "byte_limit"):
        assert result.get(name) == change.get(name)
    assert not {"offset_time", "stop_requested", "error_message", "packets_remaining",
                "unknown"} & set(result)
    strict.wait(result["id"])


def test_the_longest_full_capture_is_a_day():
    with Emulator("--registered", S3) as api:
        assert api.create_full(time_limit=86400).status == 200


@pytest.mark.parametrize("change, word", [
    ({"time_limit": None}, "time_limit"), ({"time_limit": 0}, "time_limit"),
    ({"time_limit": 86401}, "time_limit"), ({"time_limit": "60"}, "time_limit"),
    ({"packet_limit": 0}, "packet_limit"), ({"packet_limit": 10001}, "packet_limit"),
    ({"byte_limit": 0}, "byte_limit"), ({"byte_limit": 10**9 + 1}, "byte_limit"),
    ({"byte_limit": "1"}, "byte_limit"),
    ({"colo_name": None}, "colo_name"), ({"colo_name": None, "colo": "ORD"}, "colo_name"),
    ({"colo_name": 1}, "colo_name"), ({"colo_name": ""}, "colo_name"),
    ({"colo_name": "Chicago"}, "colo_name"), ({"colo_name": "OR"}, "colo_name"),
    ({"destination_conf": None}, "destination_conf"), ({"destination_conf": 1}, "destination_conf"),
    ({"destination_conf": "s3://other?region=us-east-1"}, "destination_conf"),
    ({"destination_conf": S3 + "&x"}, "destination_conf"),
    ({"system": None}, "system"), ({"filter_v1": {"protocol": "udp"}}, "protocol"),
])
def test_full_requests_that_it_does_not(strict, change, word):
    reply = strict.create_full(**change)
    assert reply.status == 400 and word in reply.message


@pytest.mark.parametrize("field, strict_field, body, shown", [
    ("colo_name", False, {"colo_name": "ORD", "colo": "ORD"}, {"colo_name": "ORD"}),
    ("colo_name", True, {"colo_name": "ORD"}, {"colo_name": "ORD"}),
    ("colo_name", True, {"colo_name": "ORD", "colo": "ORD"}, "colo is not"),
    ("colo", False, {"colo": "ORD"}, {"colo": "ORD"}),
    ("colo", False, {"colo": "ord02", "colo_name": "ORD"}, {"colo": "ord02"}),
    ("colo", False, {"colo_name": "ORD"}, "colo is required"),
    ("colo", True, {"colo": "ORD", "colo_name": "ORD"}, "colo_name is not"),
    ("both", False, {"colo": "ORD"}, {"colo": "ORD", "colo_name": "ORD"}),
    ("both", False, {"colo_name": "ORD"}, {"colo": "ORD", "colo_name": "ORD"}),
    ("both", False, {}, "is required"),
])
def test_names_of_the_data_center(field, strict_field, body, shown):
    options = ["--colo-field", field] + ["--colo-strict"] * strict_field
    with Emulator("--registered", S3, *options) as api:
        reply = api.create_full(**{"colo_name": None, **body})
        if isinstance(shown, str):
            assert reply.status == 400 and shown in reply.message
        else:
            assert {k: v for k, v in reply.result.items() if k.startswith("colo")} == shown


def test_one_full_capture_at_a_time(bucket):
    with full(bucket, "--job-seconds", 200) as api:
        first = api.create_full(destination_conf=conf(bucket), time_limit=86400).result["id"]
        refused = api.create_full(destination_conf=conf(bucket))
        assert refused.status == 409 and first in refused.message
        assert api.create().status == 200  # A sample is no full capture.
        assert api.pcaps("PUT", f"/{first}/stop").status == 204
        assert api.pcaps(rest="/" + first).result["status"].startswith("conversion_")
        # Only pending and running ones stand in the way.
        assert api.create_full(destination_conf=conf(bucket)).status == 200


# ---- life and stop

def test_the_stages_of_a_full_capture(bucket):
    with full(bucket, "--job-seconds", 20) as api:
        capture = api.create_full(destination_conf=conf(bucket), time_limit=20).result
        seen = [capture["status"]]
        while seen[-1] != "success":
            status = api.pcaps(rest="/" + capture["id"]).result["status"]
            if seen[-1] != status:
                seen.append(status)
        assert seen == ["pending", "running", "conversion_pending", "conversion_running", "success"]
        done = api.pcaps(rest="/" + capture["id"]).result
        assert done["packets_captured"] == len(captured(bucket)) > 50
        assert api.download(capture["id"]).status == 400


def test_packets_captured_grows_while_it_runs(bucket):
    with full(bucket) as api:
        capture = api.create_full(destination_conf=conf(bucket), time_limit=86400).result["id"]
        counts = []
        while len(set(counts)) < 4:
            counts.append(api.pcaps(rest="/" + capture).result["packets_captured"])
        assert counts == sorted(counts)


def test_stop_ends_a_running_capture(bucket):
    with full(bucket) as api:
        capture = api.create_full(destination_conf=conf(bucket), time_limit=86400).result["id"]
        while api.pcaps(rest="/" + capture).result["packets_captured"] < 50:
            time.sleep(0.02)
        stopped = api.pcaps("PUT", f"/{capture}/stop")
        assert (stopped.status, stopped.body) == (204, b"")
        done = api.wait(capture)
        assert done["status"] == "success"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", done["stop_requested"])
        assert done["packets_captured"] == len(captured(bucket)) >= 50
        assert api.pcaps("PUT", f"/{capture}/stop").status == 400  # Over.


def test_stop_of_what_cannot_be_stopped(bucket):
    with full(bucket) as api:
        sample = api.create().result["id"]
        assert api.pcaps("PUT", f"/{sample}/stop").status == 400
        assert api.pcaps("PUT", f"/{'a' * 32}/stop").status == 404
        assert api.pcaps("PUT", "/short/stop").status == 400
        assert api.pcaps("GET", f"/{sample}/stop").status == 405


def test_stop_while_pending_leaves_no_packets(bucket):
    with Emulator("--registered", conf(bucket), "--job-seconds", 0, "--speed", 0.1) as api:
        capture = api.create_full(destination_conf=conf(bucket)).result["id"]
        assert api.pcaps("PUT", f"/{capture}/stop").status == 204
        assert "No packets matched" in api.wait(capture)["error_message"]


def test_a_capture_that_never_ends_can_be_stopped(bucket):
    with full(bucket, "--job-result", "never") as api:
        capture = api.create_full(destination_conf=conf(bucket), time_limit=5).result["id"]
        time.sleep(0.5)
        assert api.pcaps(rest="/" + capture).result["status"] == "running"
        api.pcaps("PUT", f"/{capture}/stop")
        assert api.wait(capture)["status"] == "success" and captured(bucket)


@pytest.mark.parametrize("result, status", [("failed", "failed"), ("complete", "complete"),
                                            ("unknown", "unknown")])
def test_the_last_status_is_as_ordered(bucket, result, status):
    with full(bucket, "--job-result", result) as api:
        capture = api.create_full(destination_conf=conf(bucket), time_limit=5).result["id"]
        done = api.wait(capture, status)
        assert ("error_message" in done) == (status == "failed")
        assert bool(captured(bucket)) == (status != "failed")


@pytest.mark.parametrize("options, status", [((), "failed"),
                                             (("--no-packets-result", "success"), "success")])
def test_no_packets_matched(bucket, options, status):
    with full(bucket, *options) as api:
        capture = api.create_full(destination_conf=conf(bucket), time_limit=1,
                                  filter_v1={"protocol": 99}).result["id"]
        done = api.wait(capture)
        assert done["status"] == status and done["packets_captured"] == 0
        assert done["error_message"] == ("No packets matched the filter in the time limit given. "
                                         "Please modify the filter or try again.")
        assert list(bucket.iterdir()) == []


def test_a_bucket_that_cannot_be_written(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with full(blocked / "folder") as api:
        capture = api.create_full(destination_conf=conf(blocked / "folder"), time_limit=5)
        done = api.wait(capture.result["id"])
        assert done["status"] == "failed" and "bucket" in done["error_message"]


def test_s3_without_an_endpoint_fails():
    clean = {name: "" for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID")}
    with Emulator("--registered", S3, *QUICK, environment=clean) as api:
        done = api.wait(api.create_full(time_limit=5).result["id"])
        assert done["status"] == "failed" and "AWS_ENDPOINT_URL_S3" in done["error_message"]


# ---- packets

def run_full(bucket, packets, tmp_path, *options, nanoseconds=False, link_type=101, **fields):
    """A whole full capture of recorded packets; returns its description."""
    file = write_pcap(tmp_path / "in.pcap", packets, link_type, nanoseconds)
    with full(bucket, "--packets", file, *options) as api:
        reply = api.create_full(destination_conf=conf(bucket), **{"time_limit": 2, **fields})
        assert reply.status == 200, reply.body
        done = api.wait(reply.result["id"])
        assert done["status"] == "success", done
        assert all(done["id"] in file.name for file in bucket.rglob("*.pcap"))
        return done


def moved(packets, to):
    by = to[0].time - packets[0].time
    return [Packet(q.time + by, q.data, q.length) for q in packets]


@pytest.mark.parametrize("count", [1, 7, 300])
def test_packets_are_divided_over_the_parts(tmp_path, bucket, count):
    packets = numbered(1000, size=500)
    done = run_full(bucket, packets, tmp_path, "--parts", count)
    files = parts(bucket)
    assert len(files) == count and done["packets_captured"] == 1000
    found = captured(bucket)
    assert found == moved(packets, found)  # Uncut, each once, gaps and all.
    for part in files:
        assert [q.time for q in part] == sorted(q.time for q in part)


def test_the_division_is_the_same_for_the_same_seed(tmp_path):
    divisions = []
    for seed in (1, 1, 2):
        folder = tmp_path / f"run{len(divisions)}"
        folder.mkdir()
        run_full(folder, numbered(100), tmp_path, "--seed", seed)
        divisions.append([[q.data for q in part] for part in parts(folder)])
    assert divisions[0] == divisions[1] != divisions[2]


def test_packets_come_while_the_capture_runs(tmp_path, bucket):
    before = time.time_ns()
    run_full(bucket, numbered(100, step=10**7), tmp_path)
    found = captured(bucket)
    assert before <= found[0].time and found[-1].time - found[0].time == 99 * 10**7


def test_long_recordings_are_shortened_to_the_time_limit(tmp_path, bucket):
    run_full(bucket, numbered(101, step=SECOND), tmp_path, nanoseconds=True)
    found = captured(bucket)
    gaps = {b.time - a.time for a, b in zip(found, found[1:])}
    assert len(found) == 101 and gaps == {2 * SECOND // 100}


def test_the_filter_is_applied(tmp_path, bucket):
    packets = numbered(100)
    done = run_full(bucket, packets, tmp_path, filter_v1={"protocol": 6})
    assert [q.data for q in captured(bucket)] == [q.data for q in packets[::4]]
    assert done["packets_captured"] == 25


def test_packet_limit_ends_the_capture(tmp_path, bucket):
    packets = numbered(100, step=10**7)
    start = time.monotonic()
    done = run_full(bucket, packets, tmp_path, packet_limit=10, time_limit=86400)
    assert time.monotonic() - start < 10
    assert [q.data for q in captured(bucket)] == [q.data for q in packets[:10]]
    assert done["packets_captured"] == 10 and "stop_requested" not in done


def test_byte_limit_ends_the_capture(tmp_path, bucket):
    packets = numbered(100)
    size = len(packets[0].data)
    run_full(bucket, packets, tmp_path, byte_limit=size * 10 + size - 1, time_limit=86400)
    assert [q.data for q in captured(bucket)] == [q.data for q in packets[:10]]


def test_parts_of_several_forms(tmp_path, bucket):
    packets = numbered(200, step=1001)
    run_full(bucket, packets, tmp_path, "--parts", 8, "--part-linktypes", "1,101,113,228,239,276",
             "--part-magics", "us,ns,us-be,ns-be", nanoseconds=True)
    files = parts(bucket)
    assert [f.link_type for f in files] == [1, 101, 113, 228, 239, 276, 1, 101]
    assert [(f.nanoseconds, f.big_endian) for f in files] == [
        (False, False), (True, False), (False, True), (True, True)] * 2
    heads = {1: 14, 101: 0, 113: 16, 228: 0, 239: 8, 276: 20}
    found = [q.data[heads[f.link_type]:] for f in files for q in f]
    assert sorted(found) == sorted(q.data for q in packets)


def test_a_packet_goes_to_a_part_that_can_carry_it(tmp_path, bucket):
    packets = [Packet(SECOND + i, p.ip6(p.UDP) if i % 2 else p.ip4(p.UDP)) for i in range(50)]
    run_full(bucket, packets, tmp_path, "--parts", 2, "--part-linktypes", "228,229")
    assert [len(part) for part in parts(bucket)] == [25, 25]


def test_sizes_can_differ(tmp_path, bucket):
    run_full(bucket, numbered(400), tmp_path, "--parts", 4, "--part-sizes", "skewed")
    sizes = [len(part) for part in parts(bucket)]
    assert sizes[0] > 150 and sizes[0] > sizes[1] > sizes[2] and sum(sizes) == 400


def test_names_of_parts(tmp_path, bucket):
    done = run_full(bucket, numbered(10), tmp_path, "--parts", 2,
                    "--part-name", "{machine}/x pcap_{id}+&%.pcap")
    assert sorted(f.name for f in bucket.rglob("*.pcap")) == [f"x pcap_{done['id']}+&%.pcap"] * 2


def run_odd(bucket, tmp_path, *options):
    """The parts' bytes by their order, of 90 packets."""
    run_full(bucket, numbered(90), tmp_path, *options)
    return [file.read_bytes() for file in sorted(bucket.iterdir())]


def test_odd_parts(tmp_path, bucket):
    files = run_odd(bucket, tmp_path, "--empty-part", "--zero-part", "--not-pcap-part")
    assert len(files) == 6
    assert sum(len(read_pcap(data)) for data in files[:3]) == 90
    assert len(files[3]) == 24 and read_pcap(files[3]) == []
    assert files[4] == b"" and files[5].startswith(b"This machine")


def test_damaged_parts(tmp_path, bucket):
    files = run_odd(bucket, tmp_path, "--damaged-part", "--garbled-part")
    assert len(files) == 3
    whole = 24 + (len(files[0]) - 24) // 44 * 44  # A record of 16 + 28 bytes.
    assert len(files[0]) - whole == 30 and read_pcap(files[0][:whole])
    at = files[2].index(b"\xee\xee\xee\xee")
    assert read_pcap(files[2][:at - 8])
    assert len(read_pcap(files[1])) > 0


def test_late_parts(tmp_path, bucket):
    packets = numbered(50)
    file = write_pcap(tmp_path / "in.pcap", packets)
    with full(bucket, "--packets", file, "--parts", 4, "--late-parts", 2,
              "--late-seconds", 20) as api:
        capture = api.create_full(destination_conf=conf(bucket), time_limit=2).result["id"]
        api.wait(capture)
        assert len(parts(bucket)) == 2
        deadline = time.monotonic() + 20
        while len(parts(bucket)) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [q.data for q in captured(bucket)] == [q.data for q in packets]


# ---- ownership of buckets

def own(api, method="GET", rest="", body=None):
    return api.pcaps(method, "/ownership" + rest, body)


def test_a_bucket_is_added_proved_used_and_deleted(bucket):
    with Emulator(*QUICK) as api:
        assert own(api).json["result"] is None
        added = own(api, "POST", body={"destination_conf": conf(bucket)}).result
        assert added["status"] == "pending" and added["validated"] == ""
        assert set(added) == {"id", "status", "submitted", "validated", "destination_conf",
                              "filename"}
        assert re.fullmatch(r"ownership-challenge-[0-9a-f]{32}\.txt", added["filename"])
        refused = api.create_full(destination_conf=conf(bucket))
        assert refused.status == 400 and "validated" in refused.message

        file = bucket / added["filename"]
        while not file.exists():
            time.sleep(0.02)
        for wrong in (added["filename"], "", "x"):
            reply = own(api, "POST", "/validate", {"destination_conf": conf(bucket),
                                                   "ownership_challenge": wrong})
            assert reply.status == 400
        proved = own(api, "POST", "/validate", {"destination_conf": conf(bucket),
                                                "ownership_challenge": file.read_text()}).result
        assert proved["status"] == "success" and proved["validated"].endswith("Z")
        assert own(api).result == [proved]
        assert api.create_full(destination_conf=conf(bucket), time_limit=1).status == 200

        deleted = own(api, "DELETE", "/" + added["id"])
        assert (deleted.status, deleted.body) == (204, b"")
        assert own(api, "DELETE", "/" + added["id"]).status == 404
        assert own(api).json["result"] is None


def test_adding_again_gives_the_same_bucket(bucket):
    with Emulator() as api:
        first = own(api, "POST", body={"destination_conf": conf(bucket)}).result
        assert own(api, "POST", body={"destination_conf": conf(bucket)}).result == first


def test_a_challenge_that_cannot_be_written_fails(tmp_path):
    (tmp_path / "file").write_text("")
    with Emulator() as api:
        own(api, "POST", body={"destination_conf": conf(tmp_path / "file" / "x")})
        while own(api).result[0]["status"] == "pending":
            time.sleep(0.02)
        assert own(api).result[0]["status"] == "failed"


@pytest.mark.parametrize("text", [
    "", "bucket", "s3://", "s3://bucket", "s3://bucket?region=", "s3://B?region=x", "gs://",
    "r2://bucket", "r2://bucket?account-id=1", "file://folder", "azure://bucket", "http://x",
    "s3:///bucket?region=x",
])
def test_destinations_that_are_refused(text):
    with Emulator() as api:
        assert own(api, "POST", body={"destination_conf": text}).status == 400


@pytest.mark.parametrize("text", [
    "s3://bucket?region=us-east-1", "s3://bucket/?region=us-east-1", "gs://bucket-test",
    "s3://bucket/some/directory?region=us-east-1", "gs://bucket/directory",
    "r2://bucket?account-id=1&access-key-id=2&secret-access-key=3",
])
def test_destinations_as_documented(text):
    with Emulator() as api:
        assert own(api, "POST", body={"destination_conf": text}).status == 200


@pytest.mark.parametrize("body", [{}, {"destination_conf": 1}, [], None])
def test_ownership_bodies_that_are_refused(body):
    with Emulator() as api:
        for rest in ("", "/validate"):
            assert own(api, "POST", rest, body if body is not None else b"{").status == 400


def test_r2_keys_belong_to_the_registration_only():
    name = "r2://bucket/dir?account-id=abc"
    keys = "&access-key-id=planted-id&secret-access-key=planted-secret"
    for options, shown in (((), name), (("--show-keys",), name + keys)):
        with Emulator("--registered", name + keys, *options) as api:
            assert own(api).result[0]["destination_conf"] == shown
            assert api.create_full(destination_conf=name).status == 200
            reply = own(api, "POST", "/validate", {"destination_conf": name + keys,
                                                   "ownership_challenge": "x"})
            assert reply.status == 400 and "leave out" in reply.message


def test_ownership_routes():
    with Emulator("--read-token", "reader") as api:
        assert api.request("GET", f"/accounts/{ACCOUNT}/pcaps/ownership", token="reader").status == 200
        assert own(api, "PUT").status == 405
        assert own(api, "GET", "/validate").status == 405
        assert own(api, "GET", "/" + "a" * 32).status == 405
        assert own(api, "DELETE", "/short").status == 400
        assert own(api, "DELETE", "/" + "a" * 32 + "/x").status == 400
