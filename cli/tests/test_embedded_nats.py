"""What the embedded NATS server is told."""

import os

import pytest

from lumora.embedded import nats


@pytest.mark.parametrize(("cpus", "share"), [(None, "1"), (2, "1"), (16, "4")])
def test_the_broker_takes_a_quarter_of_the_cores(cpus: int | None, share: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cpus)
    assert nats.environment({"HOME": "/"}) == {"HOME": "/", "GOMAXPROCS": share}


def test_what_the_operator_says_wins() -> None:
    assert nats.environment({"GOMAXPROCS": "3"})["GOMAXPROCS"] == "3"
