import shutil
from collections.abc import Iterator

import pytest

from tests.support.platform import Platform, make_platform


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Real NATS and Postgres, provisioned, with the operator: what integration tests connect to."""
    running = make_platform(only=("operator",)).start()
    yield running
    running.stop()
    shutil.rmtree(running.settings.data, ignore_errors=True)
