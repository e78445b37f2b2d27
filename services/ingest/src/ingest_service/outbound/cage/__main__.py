"""`python -m ingest_service.outbound.cage`: the nursery whose children read documents and cut them into passages."""

import pkgutil
import sys
from collections.abc import Iterator
from functools import partial
from typing import Final

from ingest_service.domain.cut_settings import CutSettings
from ingest_service.domain.ports import TokenCounter
from ingest_service.domain.read_document import cut
from ingest_service.outbound import readers, tessdata
from ingest_service.outbound.cage import lines, nursery
from ingest_service.outbound.cage.limits import Limits
from ingest_service.outbound.giving_way import give_way
from ingest_service.outbound.minilm_tokenizer import MiniLmTokenizer
from ingest_service.outbound.readers.ports import Ocr, Say

OCR: Final = f"{readers.__name__}.tesseract"
"""The module whose import asks for the time to read pictures."""


def read_and_cut(
    data: bytes, say: Say, settings: CutSettings, *, counter: TokenCounter, ocr: Ocr
) -> Iterator[lines.Line]:
    """Everything that is done to a document's bytes.

    Raises:
        DocumentRefused: It can never be read as it is.
    """
    manuscript = readers.read(data, say, ocr)
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
    """Load the tokenizer and serve. The first argument names languages of pictures, the others are the nursery's."""
    give_way()  # and so does every child
    wanted, *own = sys.argv[1:]
    counter = MiniLmTokenizer()
    shelf = tuple(module.name for module in pkgutil.iter_modules(readers.__path__, f"{readers.__name__}."))
    limit = Limits.from_arguments(own[1:])
    languages = tessdata.chosen(wanted.split("+") if wanted else (), tessdata.installed(tessdata.folder()))
    ocr = Ocr(languages, limit.ocr_cpu_s, limit.ocr_wall_s)
    nursery.main(partial(read_and_cut, counter=counter, ocr=ocr), shelf, own, ocr=OCR)


if __name__ == "__main__":
    main()
