import orjson
import pytest

from contracts.ids import DocumentId, uuid7
from contracts.ingest import DocumentProgressed
from gateway_service.inbound.on_document_progressed import frame_of


@pytest.mark.parametrize("eta_s", [None, 0, 90])
def test_people_are_told_how_long_it_will_take(eta_s):
    fact = DocumentProgressed(document_id=DocumentId(uuid7()), state="embedding", progress=0.5, eta_s=eta_s)
    frame = orjson.loads(frame_of(fact).dump())
    assert (frame["type"], frame["progress"], frame.get("eta_s")) == ("document.progress", 0.5, eta_s)


def test_a_fact_of_a_replica_of_the_version_before_is_passed_on():
    told = {"document_id": str(uuid7()), "state": "embedding", "progress": 0.5}
    frame = orjson.loads(frame_of(DocumentProgressed.read(orjson.dumps(told))).dump())
    assert frame.get("eta_s") is None
