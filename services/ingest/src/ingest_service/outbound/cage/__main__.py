"""`python -m ingest_service.outbound.cage`: the nursery whose children read documents and cut them into passages."""

import pkgutil
from collections.abc import Iterator
from functools import partial

from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.ports import TokenCounter
from ingest_service.domain.read_document import cut
from ingest_service.outbound import readers
from ingest_service.outbound.cage import child, lines, nursery
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer


def read_and_cut(data: bytes, say: child.Say, settings: CutSettings, *, counter: TokenCounter) -> Iterator[lines.Line]:
    """Everything that is done to a document's bytes.

    Raises:
        DocumentRefused: It can never be read as it is.
    """
    manuscript = readers.read(data, say)
    say(1, 1)
    cutting = cut(manuscript, counter, settings)
    for passage in cutting.passages:
        yield lines.Cutting.of(passage)
    yield lines.End(
        title=cutting.title,
        media_type=cutting.media_type,
        language=cutting.language,
        pages=cutting.pages,
        passages=len(cutting.passages),
        notes=tuple(lines.Remark(page=note.page, reason=note.reason[: lines.LONGEST_NOTE]) for note in cutting.notes),
    )


def main() -> None:
    """Load the tokenizer and serve."""
    counter = MiniLmTokenizer()
    shelf = tuple(module.name for module in pkgutil.iter_modules(readers.__path__, f"{readers.__name__}."))
    nursery.main(partial(read_and_cut, counter=counter), shelf)


if __name__ == "__main__":
    main()
