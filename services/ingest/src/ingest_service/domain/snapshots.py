"""The port to copies of the vector index: to be back sooner than by filling it from the passages.

Postgres stays the truth. A copy may be older: at its next start ingest writes what it lacks, and takes out what is
gone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runtime.errors import Rejected

Tell = Callable[[int, int], None]
"""Told how many bytes are done, and of how many."""


class SnapshotRefused(Rejected):
    """It cannot be made or put back; the detail says why, and nothing was changed."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One copy of the index of the embedding model that ingest is set to."""

    name: str
    made_at: datetime | None
    size_bytes: int


class Snapshots(Protocol):
    """Where copies are kept."""

    async def create(self, tell: Tell) -> Snapshot:
        """Copy what is in the index now.

        Raises:
            SnapshotRefused: There is no index, or another process has it open.
            Unavailable: The server of indexes is away.
        """
        ...

    async def all(self) -> Sequence[Snapshot]:
        """Those that are there, the oldest first."""
        ...

    async def restore(self, name: str, tell: Tell) -> str:
        """Put one in the place of the index; returns what is left to be done, for people.

        Killed at any moment, the old index is still the one that is searched.

        Raises:
            SnapshotRefused: There is no such copy, it is damaged, or it is of another model.
            Unavailable: The server of indexes is away.
        """
        ...
