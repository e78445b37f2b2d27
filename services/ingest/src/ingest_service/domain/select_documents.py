"""A search within documents that are told by what is kept of them: tags and times.

They are told by their rows at the moment of the search, and given to the index by their ids, so that a tag that was
changed counts at once and nothing is indexed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.ids import DocumentId
from ingest_service.domain.passage_index import Narrowing
from runtime.tenancy import TenantScope


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` on and before `until`; None is no bound."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_bounded(self) -> bool:
        return self.since is not None or self.until is not None


ANY_TIME = Span()


@dataclass(frozen=True, slots=True)
class Selection:
    """Documents with one of these tags, created and updated within these times; an empty one means all."""

    tags: tuple[str, ...] = ()
    created: Span = ANY_TIME
    updated: Span = ANY_TIME

    @property
    def is_all(self) -> bool:
        return not (self.tags or self.created.is_bounded or self.updated.is_bounded)


class Selectable(Protocol):
    """Documents that can be told by what is kept of them."""

    async def selected(
        self, scope: TenantScope, selection: Selection, within: Sequence[DocumentId]
    ) -> Sequence[DocumentId]:
        """Those of which something may be found, of `within` alone unless that is empty."""
        ...


async def narrowed(
    scope: TenantScope, selection: Selection, only: Narrowing, documents: Selectable
) -> Narrowing | None:
    """`only`, and of it only what was selected; None: no document meets both."""
    if selection.is_all:
        return only
    chosen = await documents.selected(scope, selection, only.document_ids)
    return Narrowing(tuple(chosen), only.languages) if chosen else None
