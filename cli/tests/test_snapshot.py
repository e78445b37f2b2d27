"""`lumora snapshot` reads what ingest's own command says, as a process of its own, whatever else is printed there."""

import json
import os
import subprocess
import sys

import pytest

ANSWER = '{"items": [{"name": "copy", "made_at": null, "size_bytes": 1048576}]}'


@pytest.fixture
def lumora(tmp_path):
    """Runs the command where ingest's own is a program that prints the given lines."""
    (tmp_path / "ingest_service").mkdir()

    def run(*lines, code=0):
        program = f"import sys\nfor line in {lines!r}: print(line)\nsys.exit({code})\n"
        (tmp_path / "ingest_service" / "__main__.py").write_text(program)
        (tmp_path / "ingest_service" / "__init__.py").touch()
        command = [sys.executable, "-m", "lumora", "snapshot", "list", "--json"]
        env = {**os.environ, "INGEST_DATABASE_URL": "postgresql://nowhere", "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=30)

    return run


@pytest.mark.parametrize("stray", ["a library says hello", "7", '["no", "answer"]', "{half"])
def test_lines_that_are_no_answer_are_passed_on_beside_it(lumora, stray):
    ended = lumora(stray, '{"done": 1, "of": 2}', stray, ANSWER, stray)
    assert ended.returncode == 0
    assert json.loads(ended.stdout) == json.loads(ANSWER)
    assert ended.stderr.splitlines() == [stray] * 3


def test_a_command_that_fails_without_an_answer_is_told_so(lumora):
    ended = lumora("Traceback", code=1)
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["code"] == "no_snapshots"
    assert ended.stderr.splitlines() == ["Traceback"]
