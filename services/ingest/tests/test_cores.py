import os
from pathlib import Path

import pytest

from ingest_service.outbound.cores import MOST, cores

ALLOWED = min(MOST, len(os.sched_getaffinity(0)))


@pytest.mark.parametrize(
    ("quota", "expected"),
    [
        ("100000 100000\n", 1),
        ("150000 100000\n", 1),
        ("50000 100000\n", 1),
        ("6400000 100000\n", ALLOWED),
        ("max 100000\n", ALLOWED),
        ("what is this\n", ALLOWED),
    ],
)
def test_a_container_uses_what_it_is_granted(tmp_path: Path, quota: str, expected: int):
    path = tmp_path / "cpu.max"
    path.write_text(quota)
    assert cores(path) == expected


def test_without_a_quota_it_is_the_cores_that_the_process_may_run_on(tmp_path: Path):
    assert cores(tmp_path / "cpu.max") == ALLOWED
