import os
import socket

import pytest

from lumora import ports
from lumora.refused import PortTaken


@pytest.fixture
def taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_taken_port_is_a_sentence_with_holder_and_way_out(taken):
    with pytest.raises(PortTaken) as caught:
        ports.require_free({taken: "gateway"}, "LUMORA_PORT")
    sentence = str(caught.value)
    assert f"Port {taken}" in sentence
    assert "gateway" in sentence
    assert f"process {os.getpid()}" in sentence
    other = int(sentence.rsplit("LUMORA_PORT=", 1)[1].rstrip("."))
    assert ports.is_free(other)


def test_many_ports_are_moved_together(taken):
    with pytest.raises(PortTaken) as caught:
        ports.require_free({taken: "auth", taken + 1: "filter"}, "LUMORA_INTERNAL_PORT")
    start = int(str(caught.value).rsplit("LUMORA_INTERNAL_PORT=", 1)[1].rstrip("."))
    assert ports.is_free(start)
    assert ports.is_free(start + 1)


def test_free_ports_are_fine():
    ports.require_free({ports.free_port(): "gateway"}, "LUMORA_PORT")


def test_kept_ports_stay_the_same_until_they_are_taken(tmp_path):
    path = tmp_path / "ports.json"
    first = ports.keep_ports(path, ("nats", "postgres"))
    assert ports.keep_ports(path, ("nats", "postgres")) == first
    with socket.socket() as server:
        server.bind(("127.0.0.1", first["nats"]))
        server.listen()
        second = ports.keep_ports(path, ("nats", "postgres"))
    assert second["nats"] != first["nats"]
    assert second["postgres"] == first["postgres"]


def test_a_damaged_file_of_ports_is_replaced(tmp_path):
    path = tmp_path / "ports.json"
    path.write_text("{")
    assert set(ports.keep_ports(path, ("nats",))) == {"nats"}
