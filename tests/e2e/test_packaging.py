# SPDX-License-Identifier: GPL-2.0-or-later
"""The scripts and recipes in packaging/, as far as they can be run without a machine of their own;
packaging/matrix and packaging/check-install do the rest."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest
import wireshark
from wireshark import NOBODY, ROOT, open_folder

PACKAGING = ROOT / "packaging"
# What the scripts themselves are written with.
SHELL = ("awk", "bash", "cat", "dirname", "env", "grep", "head", "id", "mkdir", "mktemp", "rm", "sed",
         "sh", "sort")


def folder_of_programs(*names):
    folder = open_folder()
    for name in names:
        (folder / name).symlink_to(shutil.which(name))
    return folder


def dependencies(path, purpose):
    done = subprocess.run([PACKAGING / "install-dependencies", purpose], capture_output=True, text=True,
                          env={**os.environ, "PATH": str(path)}, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr.splitlines()


def test_without_apt_what_is_missing_is_named_for_three_distributions():
    code, out, (first, head, *rows) = dependencies(folder_of_programs(*SHELL), "test")
    assert (code, out) == (1, "")
    assert first == "Please install what is missing, and try again:"
    assert re.split(r"  +", head.strip()) == ["missing", "Debian, Ubuntu", "Fedora", "Arch Linux"]
    rows = [re.split(r"  +", row.strip()) for row in rows]
    assert ["library libcurl >= 7.87", "libcurl4-openssl-dev", "libcurl-devel", "curl"] in rows
    assert ["C++ compiler with std::expected", "g++", "gcc-c++", "gcc"] in rows
    for row in rows:
        assert len(row) == 4 and "-" not in row, row


def test_without_apt_what_is_there_is_enough():
    programs = folder_of_programs(*SHELL, "c++", "cmake", "ninja", "pkg-config", "tshark")
    assert dependencies(programs, "build") == (0, "", [])
    (programs / "ninja").unlink()
    code, _, lines = dependencies(programs, "build")
    assert (code, [line.split()[0] for line in lines[2:]]) == (1, ["ninja"])


def version_of_the_project():
    return re.search(r"project\(cloudflaredump VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]


@pytest.mark.parametrize("recipe, pattern", [
    ("rpm/cloudflaredump.spec", r"^Version: +(\S+)$"), ("arch/PKGBUILD", r"^pkgver=(\S+)$"),
    ("debian/changelog", r"\A\S+ \(([^-]+)-")])
def test_every_recipe_is_for_this_version(recipe, pattern):
    assert re.search(pattern, (PACKAGING / recipe).read_text(), re.M)[1] == version_of_the_project()


# What the Wiresharks name of the folders of one person.
FOLDERS = {
    "4.0": ("Personal configuration:\t{home}/.config/wireshark\n"
            "Personal Plugins:\t{home}/.local/lib/wireshark/plugins/4.0\nExtcap path:\t/usr/lib/x\n",
            ".config/wireshark/extcap"),
    "4.2": ("Personal configuration:\t{home}/.config/wireshark\n"
            "Personal Plugins:\t{home}/.local/lib/wireshark/plugins/4.2\nExtcap path:\t/usr/lib/x\n",
            ".local/lib/wireshark/extcap"),
    "4.4": ("Personal Plugins:\t{home}/.local/lib/wireshark/plugins/4.4\n"
            "Personal Extcap path:\t{home}/elsewhere/extcap\nGlobal Extcap path:\t/usr/lib/x\n",
            "elsewhere/extcap")}


@pytest.mark.parametrize("version", FOLDERS)
def test_a_personal_installation_goes_where_that_wireshark_looks(version):
    """Nothing is built here: cmake is played."""
    home, told = open_folder(), open_folder()
    # Whom the tests run programs as may not see the project's own folder: root's home is closed.
    script = shutil.copytree(PACKAGING, told / "project/packaging") / "install-personal"
    text, extcap = FOLDERS[version]
    (told / "folders").write_text(text.format(home=home))
    for name, line in (("tshark", f"cat {told}/folders"), ("cmake", f'echo "$*" >>{told}/calls')):
        (told / name).write_text(f"#!/bin/sh\n{line}\n")
        (told / name).chmod(0o755)
    environment = wireshark.environment(home=home, PATH=f"{told}:{os.environ['PATH']}")
    done = wireshark.run([script], environment)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    plugins = f".local/lib/wireshark/plugins/{version}/epan"
    shown = {str(pathlib.Path(line.strip()).relative_to(home)) for line in done.stdout.splitlines()
             if line.startswith(f"  {home}")}
    assert shown == {".local/bin/cloudflaredump", ".local/share/man/man1/cloudflaredump.1",
                     f"{extcap}/cloudflaredump", f"{plugins}/cloudflare.so"}
    calls = (told / "calls").read_text()
    assert f"-DCLOUDFLAREDUMP_EXTCAP_DIR={home}/{extcap} " in calls
    assert f"-DCLOUDFLAREDUMP_PLUGIN_DIR={home}/{plugins}\n" in calls

    taken_away = wireshark.run([script, "--uninstall"], environment)
    assert taken_away.returncode == 0, taken_away.stderr
    assert not list(home.iterdir())


def prepared_by_a_neighbor(where):
    os.chown(where, NOBODY, NOBODY)
    return where


def writable_by_all(where):
    where.chmod(0o777)
    return where


def a_link(where):
    link = where.with_name("link")
    link.symlink_to("/etc")
    return link


def below_a_neighbor_s(where):
    os.chown(where, NOBODY, NOBODY)
    (where / "chroots").mkdir()
    return where / "chroots"


@pytest.mark.skipif(os.geteuid() != 0, reason="root is meant")
@pytest.mark.parametrize("prepare", [prepared_by_a_neighbor, writable_by_all, a_link,
                                     below_a_neighbor_s])
@pytest.mark.parametrize("script", ["matrix", "check-install"])
def test_a_folder_that_others_can_write_is_refused(tmp_path, script, prepare):
    """Root would run what they put there."""
    where = tmp_path / "chroots"
    where.mkdir()
    folder = prepare(where)
    before = sorted(os.listdir(folder))
    done = subprocess.run([PACKAGING / script], capture_output=True, text=True, check=False, timeout=60,
                          env={**os.environ, "MATRIX_FOLDER": str(folder), "DEBIAN_MIRROR": "none"})
    assert (done.returncode, done.stdout) == (1, "")
    assert "MATRIX_FOLDER" in done.stderr and len(done.stderr.splitlines()) == 1
    assert sorted(os.listdir(folder)) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="root is meant")
def test_a_new_folder_is_root_s_alone(tmp_path):
    folder = tmp_path / "chroots"
    done = subprocess.run([PACKAGING / "matrix", "no-such-suite"], capture_output=True, text=True,
                          check=False, timeout=60,
                          env={**os.environ, "MATRIX_FOLDER": str(folder), "DEBIAN_MIRROR": "none"})
    assert done.returncode == 1 and "MATRIX_FOLDER" not in done.stderr
    assert folder.stat().st_mode & 0o777 == 0o700
    if shutil.which("debootstrap"):
        assert "failed: chroot" in done.stdout
