"""What the fault cases tell: a line each while they run, and all of them in one table at the end."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Played:
    """One fault case that was played; `worst_pause_s` is the longest time for which a user saw nothing."""

    case: str
    line: str
    worst_pause_s: float

    def __str__(self) -> str:
        return f"case {self.case}: {self.line}; worst pause {self.worst_pause_s:.1f} s"


@dataclass
class Report:
    """The cases of one run."""

    played: list[Played] = field(default_factory=list)

    def table(self) -> list[str]:
        """One row a case, in the order of their numbers."""
        rows = sorted(self.played, key=lambda played: (int(played.case.split()[0]), played.case))
        return [
            f"{'case':<22} {'worst pause':>11}  what happened",
            *(f"{played.case:<22} {played.worst_pause_s:>9.1f} s  {played.line}" for played in rows),
        ]


Tell = Callable[[Played | str], None]
