import pytest

from auth_service.outbound.sealed_secrets import SealBroken, Sealer

MASTER = "0f" * 32


def test_what_is_sealed_opens_for_its_owner_alone():
    sealer = Sealer(MASTER)
    sealed = sealer.seal(b"secret", "a|1")
    assert b"secret" not in sealed
    assert sealer.open(sealed, "a|1") == b"secret"
    with pytest.raises(SealBroken):
        sealer.open(sealed, "b|1")
    with pytest.raises(SealBroken):
        Sealer("10" * 32).open(sealed, "a|1")


def test_changed_bytes_do_not_open():
    sealer = Sealer(MASTER)
    sealed = bytearray(sealer.seal(b"secret", "a"))
    for at in (0, 1, len(sealed) - 1):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(SealBroken):
            sealer.open(bytes(changed), "a")


def test_no_two_seals_are_alike_and_fingerprints_are():
    sealer = Sealer(MASTER)
    assert sealer.seal(b"s", "a") != sealer.seal(b"s", "a")
    assert sealer.fingerprint("s") == Sealer(MASTER).fingerprint("s")
    assert sealer.fingerprint("s") != Sealer("10" * 32).fingerprint("s")


@pytest.mark.parametrize("key", ["", "0f", "zz" * 32, "0f" * 33])
def test_a_master_key_has_256_bits(key):
    with pytest.raises(ValueError, match=r"master key|hexadecimal"):
        Sealer(key)
