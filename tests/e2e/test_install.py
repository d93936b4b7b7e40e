# SPDX-License-Identifier: GPL-2.0-or-later
"""What `cmake --install` puts where, and that Wireshark finds it there."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
from capturing import SANITIZED, Client
from wireshark import ROOT, build_dir, open_folder, wireshark_version

pytestmark = pytest.mark.skipif(
    SANITIZED or not (build_dir() / "CMakeCache.txt").exists(),
    reason="not a build folder of CMake's that has a plugin of its own")


def install(build, destination):
    """`cmake --install` into a folder; returns the installed files."""
    done = subprocess.run(["cmake", "--install", build], env={**os.environ, "DESTDIR": destination},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return {"/" + str(path.relative_to(destination)) for path in destination.rglob("*")
            if path.is_file()}


@pytest.fixture(scope="module")
def installed():
    """(folder, files) of an installation of this build."""
    folder = open_folder()
    return folder, install(build_dir(), folder)


def wireshark_folders():
    """Wireshark's own word on where it looks: {"Global Plugins": path, …}."""
    told = subprocess.run(["tshark", "-G", "folders"], capture_output=True, text=True,
                          check=True).stdout
    return dict(re.findall(r"^([^:]+):\s+(\S.*)$", told, re.M))


def test_face_and_plugin_are_where_wireshark_looks(installed):
    _, files = installed
    folders = wireshark_folders()
    extcap = folders.get("Global Extcap path") or folders["Extcap path"]
    assert extcap + "/cloudflaredump" in files
    assert [name for name in files if name.startswith(extcap + "/")] == [extcap + "/cloudflaredump"]
    plugins = folders["Global Plugins"].rstrip("/")
    assert plugins + "/epan/cloudflare.so" in files


def test_the_tool_is_on_path(installed):
    _, files = installed
    tools = [name for name in files if name.endswith("/bin/cloudflaredump")]
    assert tools in (["/usr/local/bin/cloudflaredump"], ["/usr/bin/cloudflaredump"])


def test_the_man_page_is_sound(installed):
    folder, files = installed
    page = next(name for name in files if name.endswith("/man/man1/cloudflaredump.1"))
    shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z",
                            folder / page.lstrip("/")], capture_output=True, text=True, timeout=60,
                           env={**os.environ, "MANROFFSEQ": "", "MANWIDTH": "80"})
    assert (shown.returncode, shown.stderr) == (0, "")


def test_the_profile_is_where_wireshark_looks(installed):
    _, files = installed
    profile = wireshark_folders()["Global configuration"].rstrip("/") + "/profiles/Cloudflare/"
    assert {profile + "preferences", profile + "colorfilters"} <= files


def test_nothing_of_the_tests_is_installed(installed):
    _, files = installed
    assert not [name for name in files if re.search(r"emulator|test|\.a$|\.h$", name)]


@pytest.fixture
def installed_client(installed, instant_api):
    """Captures with the installed files, and nothing of the build, in Wireshark's folders."""
    folder, files = installed
    face = next(name for name in files if re.search(r"extcap/cloudflaredump$", name))
    plugin = next(name for name in files if name.endswith("/epan/cloudflare.so"))
    version = "{}.{}".format(*wireshark_version())
    plugins = open_folder()
    (plugins / version / "epan").mkdir(parents=True)
    shutil.copy(folder / plugin.lstrip("/"), plugins / version / "epan")
    return Client(instant_api, WIRESHARK_EXTCAP_DIR=(folder / face.lstrip("/")).parent,
                  WIRESHARK_PLUGIN_DIR=plugins, PATH="/usr/bin:/bin")


def test_an_installed_capture(installed_client):
    """The face finds the tool from where it stands, without PATH."""
    assert "cloudflare-sample" in installed_client.run(["tshark", "-D"]).stdout
    capture = installed_client.tshark("udp port 53")
    assert capture.returncode == 0 and capture.records
    shown = installed_client.run(["tshark", "-r", capture.path, "-Y", 'cloudflare.type == "simple"'])
    assert len(shown.stdout.splitlines()) == len(capture.records)


def test_the_fields(installed_client):
    told = installed_client.run(["tshark", "-G", "fields"]).stdout
    fields = dict(line.split("\t")[2:4] for line in told.splitlines()
                  if line.startswith("F\t") and "\tcloudflare." in line)
    wanted = ("pcap_id type system status submitted time_limit packet_limit offset_time colo "
              "filter_v1.source_address filter_v1.source_address_ipv6 "
              "filter_v1.destination_address filter_v1.destination_address_ipv6 "
              "filter_v1.source_port filter_v1.destination_port filter_v1.protocol capture_filter")
    assert {"cloudflare." + name for name in wanted.split()} <= fields.keys()


def configure(*options):
    """A configured build folder that holds this build's binaries."""
    folder = open_folder()
    done = subprocess.run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja",
                           "-DCLOUDFLAREDUMP_TESTS=OFF", *options],
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for source in (build_dir() / name for name in ("extcap", "bin", "plugin", "packaging")):
        for path in source.rglob("*"):
            if path.is_file() and (path.stem == "cloudflaredump" or path.suffix == ".so"):
                target = folder / path.relative_to(build_dir())
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
    return folder


def test_the_folders_can_be_chosen():
    build = configure("-DCLOUDFLAREDUMP_EXTCAP_DIR=/opt/one", "-DCLOUDFLAREDUMP_PLUGIN_DIR=/opt/two",
                      "-DCMAKE_INSTALL_PREFIX=/opt/three")
    files = install(build, open_folder())
    assert {"/opt/one/cloudflaredump", "/opt/two/cloudflare.so",
            "/opt/three/bin/cloudflaredump"} <= files


def test_the_plugin_can_be_left_out():
    files = install(configure("-DCLOUDFLAREDUMP_PLUGIN=OFF"), open_folder())
    assert not [name for name in files if pathlib.Path(name).suffix == ".so"]
    assert len([name for name in files if name.endswith("/cloudflaredump")]) == 2


def test_the_source_tarball_builds_by_itself():
    """It holds what git knows, and configures where there is no git."""
    folder = open_folder()
    packed = subprocess.run(["cpack", "--config", build_dir() / "CPackSourceConfig.cmake", "-B",
                             folder], capture_output=True, text=True, timeout=120)
    assert packed.returncode == 0, packed.stderr
    subprocess.run(["tar", "-x", "-f", next(folder.glob("*.tar.gz")), "-C", folder], check=True)
    tree = next(path for path in folder.glob("cloudflaredump-*") if path.is_dir())
    if (ROOT / ".git").exists():
        known = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT,
                               capture_output=True, text=True, check=True).stdout.split("\0")
        assert not {name for name in known if name} - {
            str(path.relative_to(tree)) for path in tree.rglob("*")}
    assert not list(tree.rglob("CMakeCache.txt"))
    configured = subprocess.run(["cmake", "-S", tree, "-B", folder / "configured", "-G", "Ninja"],
                                capture_output=True, text=True, timeout=300,
                                env={**os.environ, "GIT_DIR": "/nonexistent"})
    assert configured.returncode == 0, configured.stderr
