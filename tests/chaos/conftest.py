from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from tests.support.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    """The whole platform, once a run: three gateways, two workers, no limit on requests that a fault could meet."""
    async with open_stage(gateways=3, workers=2, environment={"LUMORA_REQUESTS_PER_MINUTE": "100000"}) as stage:
        yield stage


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Print one line, whatever pytest captures: which case, and what was measured."""
    terminal = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    capture = pytestconfig.pluginmanager.get_plugin("capturemanager")
    assert terminal is not None
    assert capture is not None

    def write(line: str) -> None:
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(line)

    return write
