"""What the search found for one question."""

from dataclasses import dataclass

from contracts.inference import Source
from contracts.ingest import PassageHit

SNIPPET_CHARS = 300


def page_at(hit: PassageHit, offset: int) -> int | None:
    """The page of a character of the document's text that stands in the passage or the headings above it."""
    return next((one.page for one in reversed(hit.pages) if one.start <= offset), hit.page)


@dataclass(frozen=True)
class Ground:
    """What the answer stands on. `is_known` is False when the search was away: no passages then means nothing."""

    hits: tuple[PassageHit, ...]
    is_known: bool

    @property
    def sources(self) -> tuple[Source, ...]:
        """The passages as the customer may see them, numbered from 1."""
        return tuple(
            Source(
                n=n,
                document_id=str(hit.document_id),
                title=hit.title,
                page=hit.page,
                snippet=hit.text[:SNIPPET_CHARS],
                score=hit.score,
                start=hit.start,
                end=hit.end,
            )
            for n, hit in enumerate(self.hits, 1)
        )
