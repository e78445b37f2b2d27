"""Logs are JSON lines that name the service and the trace, and repeat nobody's words."""

import json
import subprocess
import sys
from typing import Any

import pytest

SECRET = "jane@doe.example"
BEGIN = f"""
import logging
from runtime import logs, tracing
logs.configure("ingest", "INFO")
log = logs.get_logger()
SECRET = {SECRET!r}
"""


def lines_of(code: str) -> list[dict[str, Any]]:
    """What a process of its own prints: configuring is once per process."""
    ran = subprocess.run([sys.executable, "-c", BEGIN + code], check=True, capture_output=True, text=True)
    assert ran.stderr == ""
    return [json.loads(line) for line in ran.stdout.splitlines()]


def test_a_line_is_json_with_time_level_service_and_what_was_added() -> None:
    (line,) = lines_of("log.info('document.ready', passages=7)")
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "document.ready", "level": "info", "service": "ingest", "passages": 7}


def test_a_commands_lines_are_beside_its_answer() -> None:
    code = """
import logging, sys
from runtime import logs
logs.configure("ingest", to=sys.stderr)
logs.get_logger().warning("index.refused")
logging.getLogger("nats").warning("slow")
"""
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout == ""
    assert [json.loads(line)["event"] for line in ran.stderr.splitlines()] == ["index.refused", "slow"]


def test_the_level_holds_back_what_is_finer() -> None:
    assert lines_of("log.debug('detail')") == []


def test_libraries_are_heard_from_warning_on_in_the_same_form() -> None:
    (line,) = lines_of("logging.getLogger('nats').info('chatter'); logging.getLogger('nats').warning('slow')")
    assert (line["event"], line["level"], line["service"]) == ("slow", "warning", "ingest")


def test_lines_inside_a_span_carry_its_trace() -> None:
    inside, outside = lines_of("""
tracing.configure("ingest")
with tracing.span("work"):
    wanted = tracing.trace_id()
    log.info("inside", wanted=wanted)
log.info("outside")
""")
    assert inside["trace_id"] == inside["wanted"]
    assert len(inside["trace_id"]) == 32
    assert "trace_id" not in outside


LEAKS = {
    "a refused contract": """
from contracts.inference import AnswerTurn
try:
    AnswerTurn.read(b'{"message_id": "' + SECRET.encode() + b'"}')
except Exception as error:
    log.warning("delivery.dead", exc_info=error)
""",
    "a refused row": """
import asyncpg
error = asyncpg.UniqueViolationError("duplicate key")
error.detail = f"Key (email)=({SECRET}) already exists."
log.warning("rpc.crashed", exc_info=error)
""",
    "a refused row of several lines": """
import asyncpg
from sqlalchemy.exc import IntegrityError
cause = asyncpg.NotNullViolationError("null value")
cause.detail = f"Failing row contains (1, first line\\n{SECRET}, null)."
log.error("rpc.crashed", exc_info=IntegrityError("INSERT", {"email": SECRET}, cause, hide_parameters=True))
""",
    "a library's own line": """
import asyncpg
error = asyncpg.UniqueViolationError("duplicate key")
error.detail = f"Key (email)=({SECRET}) already exists."
logging.getLogger("sqlalchemy").error("lost", exc_info=error)
""",
}


@pytest.mark.parametrize("code", LEAKS.values(), ids=LEAKS.keys())
def test_an_error_is_logged_without_the_words_it_refused(code: str) -> None:
    (line,) = lines_of(code)
    assert SECRET not in json.dumps(line)
    assert "exception" in line


def test_what_the_database_says_beside_the_row_is_kept() -> None:
    (line,) = lines_of("""
import asyncpg
error = asyncpg.UniqueViolationError("duplicate key")
error.detail, error.hint = f"Key ({SECRET})", "look elsewhere"
log.error("rpc.crashed", exc_info=error)
""")
    assert "duplicate key" in line["exception"]
    assert "look elsewhere" in line["exception"]
