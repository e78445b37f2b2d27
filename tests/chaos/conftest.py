from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.report import Played, Report, Tell
from tests.support.stage import Stage, open_stage

REPORT = pytest.StashKey[Report]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    report = config.stash[REPORT]
    if report.played:
        terminalreporter.section("fault cases")
        for line in report.table():
            terminalreporter.write_line(line)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    """The whole platform, once a run: three gateways, two workers, no limit on requests that a fault could meet."""
    async with open_stage(gateways=3, workers=2, environment={"LUMORA_REQUESTS_PER_MINUTE": "100000"}) as stage:
        yield stage


@pytest.fixture
def tell(pytestconfig: pytest.Config) -> Tell:
    """Print what a case was and what was measured, whatever pytest captures; a `Played` is in the table at the end."""
    terminal = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    capture = pytestconfig.pluginmanager.get_plugin("capturemanager")
    assert terminal is not None
    assert capture is not None

    def write(told: Played | str) -> None:
        if isinstance(told, Played):
            pytestconfig.stash[REPORT].played.append(told)
        with capture.global_and_fixture_disabled():
            terminal.ensure_newline()
            terminal.write_line(str(told))

    return write
