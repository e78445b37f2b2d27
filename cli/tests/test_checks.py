import pytest

from lumora import checks
from lumora.refused import DiskFull, WheelMissing


def test_too_little_room_is_a_sentence(tmp_path):
    with pytest.raises(DiskFull, match="LUMORA_DATA"):
        checks.require_space(tmp_path, needed=2**60)


def test_enough_room_is_fine(tmp_path):
    checks.require_space(tmp_path, needed=1)


def test_the_wheels_of_this_environment_are_found():
    found = checks.find_binaries()
    assert found.nats_server.is_file()
    assert found.initdb.is_file()
    assert found.postgres.is_file()


def test_a_missing_server_names_itself_and_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(checks.sysconfig, "get_path", lambda _name: str(tmp_path))
    with pytest.raises(WheelMissing, match=r"NATS is not installed .*make install"):
        checks.find_binaries()


def test_a_missing_postgres_too(monkeypatch):
    monkeypatch.setattr(checks, "find_spec", lambda _name: None)
    with pytest.raises(WheelMissing, match="Postgres"):
        checks.find_binaries()
