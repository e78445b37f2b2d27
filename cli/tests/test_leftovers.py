import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from lumora.data_folder import DataFolder, Recorded
from lumora.leftovers import RUN_VARIABLE, end_leftovers

CODE = "print('up', flush=True); import time; time.sleep(600)"


@pytest.fixture
def folder(tmp_path):
    made = DataFolder(tmp_path / "data")
    made.prepare()
    return made


@pytest.fixture
def process():
    argv = (sys.executable, "-c", CODE)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env={RUN_VARIABLE: "run-1"}) as running:
        assert running.stdout is not None
        running.stdout.readline()
        yield Recorded("auth", running.pid, argv, "run-1"), running
        running.kill()


def test_what_a_killed_run_left_is_ended(folder, process):
    entry, running = process
    folder.record([entry])
    assert end_leftovers(folder) == [entry]
    assert not psutil.pid_exists(running.pid)
    assert folder.recorded() == []


@pytest.mark.parametrize("change", [{"run": "run-2"}, {"argv": ("sleep", "600")}])
def test_a_process_that_got_the_pid_later_is_left_alone(folder, process, change):
    entry, running = process
    folder.record([replace(entry, **change)])
    assert end_leftovers(folder) == []
    assert running.poll() is None


def test_a_pid_that_nobody_has_is_nothing(folder, process):
    entry, running = process
    running.kill()
    running.wait()
    folder.record([entry])
    assert end_leftovers(folder) == []
