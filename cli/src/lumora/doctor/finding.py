"""What a check found."""

from dataclasses import asdict, dataclass
from typing import Literal

from lumora.refused import Refused

State = Literal["ok", "warning", "broken"]


@dataclass(frozen=True)
class Finding:
    """One line of the report; unless `state` is ok, `told` says what to do."""

    check: str
    state: State
    told: str

    def to_json(self) -> dict[str, str]:
        """As one object of the report."""
        return asdict(self)


def ok(check: str, told: str) -> Finding:
    """Nothing is to be done."""
    return Finding(check, "ok", told)


def warning(check: str, told: str) -> Finding:
    """It works, and something should be changed."""
    return Finding(check, "warning", told)


def broken(check: str, told: str | Refused) -> Finding:
    """It does not work until something is changed."""
    return Finding(check, "broken", str(told))
