"""Readers of documents: one module a format, imported when the first such document comes."""

import importlib
from dataclasses import replace
from typing import Final

from ingest_service.domain import media_types as kinds
from ingest_service.domain import sniff
from ingest_service.domain.document import Note
from ingest_service.domain.encoding import decode, guess_of
from ingest_service.domain.errors import Damaged, DocumentRefused, of_kind
from ingest_service.domain.manuscript import Manuscript
from ingest_service.domain.text_kinds import json_fault
from ingest_service.outbound.readers.ports import NO_OCR, Ocr, Say

_MODULES: Final = {
    kinds.PDF: "pdf",
    kinds.DOCX: "docx",
    kinds.PPTX: "pptx",
    kinds.XLSX: "xlsx",
    kinds.XLS: "xls",
    kinds.ODT: "odf",
    kinds.ODS: "odf",
    kinds.ODP: "odf",
    kinds.EPUB: "epub",
    kinds.HTML: "webpage",
    kinds.XML: "markup",
    kinds.EMAIL: "letter",
    kinds.OUTLOOK: "outlook",
    kinds.RTF: "rtf",
    kinds.CSV: "delimited",
    kinds.TSV: "delimited",
    kinds.JSON: "json_text",
    kinds.JSON_LINES: "json_text",
    kinds.VTT: "vtt",
    kinds.SRT: "vtt",
    kinds.CALENDAR: "cards",
    kinds.CONTACTS: "cards",
    **dict.fromkeys((kinds.PNG, kinds.JPEG, kinds.TIFF, kinds.WEBP), "image"),
    kinds.MARKDOWN: "text",
    kinds.PLAIN: "text",
}
_SEEN: Final = frozenset({kinds.PDF, kinds.PNG, kinds.JPEG, kinds.TIFF, kinds.WEBP})
"""Kinds that may hold pictures of text."""
_BARE: Final = frozenset(
    {kinds.PLAIN, kinds.MARKDOWN, kinds.CSV, kinds.TSV, kinds.JSON, kinds.JSON_LINES, kinds.VTT, kinds.SRT}
    | {kinds.CALENDAR, kinds.CONTACTS}
)
"""Kinds that do not say their encoding."""
_GUESSED: Final = (
    "The text does not say its encoding; by its letters and words it was read as {}. If letters are wrong, save it as "
    "UTF-8 and send it again."
)
_DAMAGED: Final = (
    "The document is damaged: a part of it is missing, or breaks the rules of its format. Open it with the program "
    "that made it, save it again and send that."
)


def read(data: bytes, say: Say, ocr: Ocr = NO_OCR) -> Manuscript:
    """Read a document of any kind, told from its bytes; pure, and slow for a long one.

    Raises:
        DocumentRefused: It can never be read as it is; which and why, its code and words say.
        MemoryError: There is not as much memory as it asks for.
    """
    kind = sniff.tell(data)
    reader = importlib.import_module(f"{__name__}.{_MODULES[kind]}")
    with of_kind(kind):
        try:
            manuscript: Manuscript = reader.read(data, say, ocr) if kind in _SEEN else reader.read(data, say)
        except (DocumentRefused, MemoryError):
            raise
        except RecursionError as error:
            raise Damaged("The document is nested too deeply to be read.") from error
        except Exception as error:
            # the libraries answer broken files with whatever breaks first; the same bytes will break there again
            raise Damaged(_DAMAGED) from error
    return _with_doubts(manuscript, data) if kind in _BARE else manuscript


def _with_doubts(manuscript: Manuscript, data: bytes) -> Manuscript:
    """Say so when the text's encoding was guessed, or when it is no JSON though it begins so."""
    encoding, fault = guess_of(data), json_fault(decode(data))
    doubts = ["" if encoding is None else _GUESSED.format(encoding), fault or ""]
    return replace(manuscript, notes=(*manuscript.notes, *(Note(None, doubt) for doubt in doubts if doubt)))
