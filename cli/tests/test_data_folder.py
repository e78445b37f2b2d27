import errno
import os
import stat

import pytest

from lumora.data_folder import DataFolder, Recorded, refusal, write_private
from lumora.refused import AlreadyRunning, DiskFull, Refused


@pytest.fixture
def folder(tmp_path):
    made = DataFolder(tmp_path / "data")
    made.prepare()
    return made


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(Refused, match="LUMORA_DATA"):
        DataFolder(tmp_path).prepare()


def test_an_empty_folder_and_our_own_are_taken(folder):
    folder.prepare()
    assert folder.is_ours()
    assert not mode(folder.path) & 0o066


def test_only_one_may_hold_the_lock_and_the_other_is_told_who(folder):
    first = folder.lock()
    with pytest.raises(AlreadyRunning, match=str(os.getpid())):
        folder.lock()
    assert folder.owner() == os.getpid()
    os.close(first)
    assert folder.owner() is None
    os.close(folder.lock())


def test_private_files_are_private_and_whole(folder):
    write_private(folder.secrets, {"a": 1})
    write_private(folder.secrets, {"a": 2})
    assert mode(folder.secrets) == 0o600
    assert '"a": 2' in folder.secrets.read_text()
    assert not list(folder.path.glob("*.new"))


@pytest.mark.parametrize(
    ("number", "word"), [(errno.ENOSPC, "full"), (errno.EACCES, "cannot be written"), (errno.ENOTDIR, "LUMORA_DATA")]
)
def test_what_the_disk_says_becomes_a_sentence_that_says_what_to_do(number, word, tmp_path):
    refused = refusal(OSError(number, os.strerror(number)), tmp_path)
    assert word in str(refused)
    assert isinstance(refused, DiskFull) == (number == errno.ENOSPC)


def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="LUMORA_DATA"):
        DataFolder(tmp_path / "file" / "data").prepare()


def test_recorded_processes_come_back_and_a_damaged_record_is_nothing(folder):
    folder.record([Recorded("auth", 7, ("python", "-m", "x"), "run")])
    assert folder.recorded() == [Recorded("auth", 7, ("python", "-m", "x"), "run")]
    (folder.path / "processes.json").write_text('[{"name": "auth"}]')
    assert folder.recorded() == []


def test_delete_takes_what_is_ours_and_leaves_the_rest(folder):
    folder.nats.mkdir()
    (folder.nats / "store").write_bytes(b"x" * 10)
    (folder.path / "thesis.txt").write_text("precious")
    sizes = {path.name: size for path, size in folder.present()}
    assert sizes["nats"] == 10
    folder.delete()
    assert [path.name for path in folder.path.iterdir()] == ["thesis.txt"]


def test_delete_removes_the_folder_when_nothing_else_is_there(folder):
    folder.delete()
    assert not folder.path.exists()
