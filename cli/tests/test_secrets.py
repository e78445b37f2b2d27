import json
import stat

import nkeys
import pytest

from lumora.embedded.secrets import load_or_make
from lumora.refused import Refused


def test_secrets_are_made_once_and_kept(tmp_path):
    path = tmp_path / "secrets.json"
    first = load_or_make(path, users=("auth",), roles=("auth_app",))
    assert load_or_make(path, users=("auth",), roles=("auth_app",)) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_a_new_service_needs_is_added_and_the_rest_stays(tmp_path):
    path = tmp_path / "secrets.json"
    first = load_or_make(path, users=("auth",), roles=("auth_app",))
    second = load_or_make(path, users=("auth", "filter"), roles=("auth_app", "filter_app"))
    assert second.nkeys["auth"] == first.nkeys["auth"]
    assert second.master_key == first.master_key
    assert set(second.passwords) == {"auth_app", "filter_app"}


def test_seeds_are_users_that_sign_as_their_public_key(tmp_path):
    key = load_or_make(tmp_path / "secrets.json", users=("auth",), roles=()).nkeys["auth"]
    assert (key.seed[:2], key.public[0]) == ("SU", "U")
    pair = nkeys.from_seed(key.seed.encode())
    assert pair.public_key.decode() == key.public


def test_no_two_secrets_are_alike(tmp_path):
    made = load_or_make(tmp_path / "secrets.json", users=("a", "b"), roles=("c", "d"))
    everything = [*made.passwords.values(), *(key.seed for key in made.nkeys.values()), made.master_key]
    everything.append(made.nats_store_key)
    assert len(set(everything)) == len(everything)
    assert len(bytes.fromhex(made.master_key)) == 32


@pytest.mark.parametrize("content", ["{", "[]", ""])
def test_damaged_secrets_are_never_replaced(tmp_path, content):
    path = tmp_path / "secrets.json"
    path.write_text(content)
    with pytest.raises(Refused, match="clean"):
        load_or_make(path, users=("auth",), roles=())
    assert path.read_text() == content


def test_no_secret_is_shown_by_repr(tmp_path):
    made = load_or_make(tmp_path / "secrets.json", users=("auth",), roles=("auth_app",))
    kept = json.loads((tmp_path / "secrets.json").read_text())
    assert kept["master_key"] not in repr(made)
    assert kept["passwords"]["auth_app"] not in repr(made)
    assert kept["nkeys"]["auth"]["seed"] not in repr(made)
