import json
import os
import pwd
import subprocess
import sys

import psutil
import pytest

from lumora.embedded import launch

LAUNCH = launch.__file__
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")

TELL = """
import json, os
caps = [l.split()[1] for l in open('/proc/self/status') if l.startswith(('CapEff', 'CapAmb', 'CapPrm'))]
who = {'uid': os.getuid(), 'gid': os.getgid(), 'groups': os.getgroups()}
print(json.dumps({**who, 'caps': caps, 'umask': os.umask(0)}))
"""


def launched(*options, command):
    wrap = [sys.executable, "-I", "-S", LAUNCH, "--parent", str(os.getpid()), "--death-signal", "9", *options]
    return subprocess.run([*wrap, "--", *command], capture_output=True, text=True, check=False)


def test_it_becomes_the_program_with_its_arguments():
    ran = launched(command=[sys.executable, "-c", "import sys; print(sys.argv[1:])", "--parent", "x y"])
    assert ran.stdout == "['--parent', 'x y']\n"


def test_it_leaves_when_the_parent_is_another():
    wrap = [sys.executable, "-I", "-S", LAUNCH, "--parent", "1", "--death-signal", "9", "--", sys.executable, "-c", "1"]
    ran = subprocess.run(wrap, capture_output=True, text=True, check=False)
    assert "the supervisor is gone" in ran.stderr
    assert ran.returncode == 1


def test_it_may_hold_many_sockets():
    show = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    soft, hard = map(int, launched(command=[sys.executable, "-c", show]).stdout.split())
    assert soft == (min(hard, 65_536) if hard > 0 else 65_536)


@needs_linux
def test_it_ends_with_its_parent_even_when_that_is_killed():
    code = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, '-I', '-S', {LAUNCH!r}, '--parent', str(os.getpid()), '--death-signal', '9',
                          '--', sys.executable, '-c', 'import time; print("up", flush=True); time.sleep(600)'],
                         stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
        psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


@needs_root
@needs_linux
def test_root_is_dropped_for_good():
    nobody = pwd.getpwnam("nobody")
    given = ["--uid", str(nobody.pw_uid), "--gid", str(nobody.pw_gid)]
    told = json.loads(launched(*given, command=["/usr/bin/python3", "-c", TELL]).stdout)
    assert (told["uid"], told["gid"], told["groups"]) == (nobody.pw_uid, nobody.pw_gid, [])
    assert {int(value, 16) for value in told["caps"]} == {0}
    assert told["umask"] == 0o077


@needs_root
@needs_linux
def test_a_closed_folder_is_passed_with_one_capability_and_stays_closed(tmp_path):
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    inside = closed / "open"
    inside.mkdir(mode=0o755)
    program = inside / "tell.py"
    program.write_text(TELL)
    program.chmod(0o644)
    given = ["--uid", "65534", "--gid", "65534", "--reach", str(inside)]
    told = json.loads(launched(*given, command=["/usr/bin/python3", str(program)]).stdout)
    kept = {int(value, 16) for value in told["caps"]}
    assert len(kept) == 1
    assert kept.pop() in (1 << 1, 1 << 2)
    assert told["uid"] == 65534
    assert closed.stat().st_mode & 0o777 == 0o700


def test_closed_folders_are_seen(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "a").mkdir(mode=0o700)
    (tmp_path / "a" / "b").mkdir(mode=0o755)
    assert launch.closed_to_others([str(tmp_path / "a" / "b")])
    assert not launch.closed_to_others(["/usr/bin"])


def test_time_is_not_wasted_before_the_program_runs():
    # The launcher stands before every process of the platform: it must not import what a service imports.
    code = f"import runpy, sys; runpy.run_path({LAUNCH!r}); print(sorted(m for m in sys.modules if m[0] != '_'))"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert "asyncio" not in ran.stdout
    assert "lumora" not in ran.stdout
