"""What is asked of every tenant's rows, while the database is away."""

from unittest.mock import Mock

import pytest

from ingest_service.outbound.relay_documents import RelayDocuments
from ingest_service.outbound.relay_recut import RelayRecut
from runtime.errors import Unavailable
from runtime.outbox import OutboxRelay


async def test_a_database_that_is_away_is_waited_for():
    relay = OutboxRelay("postgresql://nobody@127.0.0.1:1/none", Mock())
    await relay.open()
    documents = RelayDocuments(relay)
    for asked in (documents.all(), documents.due(9, 9, {}), RelayRecut(relay).next()):
        with pytest.raises(Unavailable):
            await asked
    await relay.pool.close()
