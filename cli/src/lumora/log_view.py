"""One readable log: lines of every process, rendered for a person or passed on as JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_SAME_LEVEL = {
    "warn": "warning", "wrn": "warning", "err": "error", "exception": "error", "fatal": "critical", "ftl": "critical",
    "panic": "critical", "inf": "info", "log": "info", "notice": "info", "hint": "info", "detail": "info",
    "statement": "info", "context": "info", "dbg": "debug", "trc": "debug",
}  # fmt: skip
_SERVICE_COLOURS = {
    "gateway": 36, "auth": 33, "inference": 35, "ingest": 32, "learning": 34, "filter": 96, "operator": 94,
    "nats": 92, "postgres": 95, "lumora": 1,
}  # fmt: skip
_LEVEL_COLOURS = {"warning": 33, "error": 31, "critical": 31, "debug": 2}
_TIME_KEYS, _EVENT_KEYS = ("timestamp", "time", "ts"), ("event", "message", "msg")
_HIDDEN_KEYS = frozenset({*_TIME_KEYS, "level", "service", "logger", "event"})
_NATS = re.compile(r"\[\d+\] (?P<time>[\d/]+ [\d:.]+) \[(?P<level>[A-Z]{3})\] ?(?P<text>.*)")
_POSTGRES = re.compile(r"(?P<level>[A-Z]+):  (?P<text>.*)")
# Postgres calls these fatal; for whoever connects again a moment later they are not.
_PASSING = ("the database system is", "terminating connection due to")
_LONGEST_VALUE = 2_000


@dataclass(frozen=True)
class Line:
    """One log line, whoever wrote it."""

    service: str
    level: str
    event: str
    time: datetime
    fields: Mapping[str, Any] = field(default_factory=dict)
    raw: str | None = None
    is_server: bool = False


def now() -> datetime:
    """The time a line is given that has none of its own."""
    return datetime.now(UTC)


def parse(service: str, text: str) -> Line:
    """Understand a line of one of our services (JSON), of NATS, of Postgres, or any other text."""
    if text.startswith("{"):
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if isinstance(content, dict):
            return _structured(service, content, text)
    if service == "nats" and (found := _NATS.match(text)):
        return Line(service, _level(found["level"]), found["text"], now(), is_server=True)
    if service == "postgres":
        found = _POSTGRES.match(text)
        level, event = (_level(found["level"]), found["text"]) if found else ("info", text)
        if event.startswith(_PASSING):
            level = "info"
        return Line(service, level, event, now(), is_server=True)
    return Line(service, "info", text, now())


def _structured(service: str, content: dict[str, Any], text: str) -> Line:
    event = next((str(content[key]) for key in _EVENT_KEYS if key in content), "")
    fields = {key: value for key, value in content.items() if key not in _HIDDEN_KEYS}
    return Line(service, _level(str(content.get("level", "info"))), event, _time(content), fields, text)


def _level(word: str) -> str:
    lowered = word.lower()
    return lowered if lowered in LEVELS else _SAME_LEVEL.get(lowered, "info")


def _time(content: dict[str, Any]) -> datetime:
    value = next((content[key] for key in _TIME_KEYS if key in content), None)
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        return datetime.fromisoformat(str(value))
    except (ValueError, OverflowError):
        return now()


@dataclass(frozen=True)
class LogView:
    """How lines look: JSON as it came, or `HH:MM:SS service level event key=value`, in colour or not."""

    is_json: bool
    is_coloured: bool
    floor: int = LEVELS["info"]

    def render(self, line: Line) -> str | None:
        """The text to print, without its newline; None for a line nobody wants."""
        # What the embedded servers say when all is well is of no use to whoever reads the whole platform.
        is_told = line.is_server and self.floor >= LEVELS["info"]
        if LEVELS[line.level] < (LEVELS["warning"] if is_told else self.floor):
            return None
        return self._json(line) if self.is_json else self._readable(line)

    def _json(self, line: Line) -> str:
        if line.raw is not None:
            return line.raw
        content = {"timestamp": line.time.isoformat(), "level": line.level, "service": line.service}
        return json.dumps({**content, "event": line.event, **line.fields}, default=str)

    def _readable(self, line: Line) -> str:
        time = line.time.astimezone().strftime("%H:%M:%S")
        service = self._colour(f"{line.service:<11}", colour_of(line.service))
        level = self._colour(f"{line.level:<9}", _LEVEL_COLOURS.get(line.level))
        # Our own events carry a sentence; it says more than the event's name and its fields.
        sentence = line.fields.get("sentence")
        said = _clean(str(sentence)) if sentence else " ".join([_clean(line.event), *self._pairs(line.fields)])
        return f"{self._colour(time, 2)} {service} {level}{said}"

    def _pairs(self, fields: Mapping[str, Any]) -> list[str]:
        shown = {_clean(key): _clean(_short(value)) for key, value in fields.items() if value is not None}
        return [self._colour(f"{key}=", 2) + value for key, value in shown.items()]

    def _colour(self, text: str, code: int | None) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.is_coloured and code is not None else text


def colour_of(service: str) -> int:
    """The same colour for a service in every run; replicas of one service share it."""
    name = service.rstrip("0123456789").rstrip("-")
    return _SERVICE_COLOURS.get(name, 37)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    if len(text) > _LONGEST_VALUE:
        text = text[:_LONGEST_VALUE] + "…"
    return json.dumps(text, ensure_ascii=False) if " " in text and "\n" not in text else text


def _clean(text: str) -> str:
    """Without the control characters by which a line could steer the terminal; later lines indented."""
    shown = "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown.rstrip("\n").replace("\n", "\n    ")
