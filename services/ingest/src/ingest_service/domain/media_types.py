"""The kinds of documents that are read, by their registered media types."""

from typing import Final

PLAIN: Final = "text/plain"
MARKDOWN: Final = "text/markdown"
HTML: Final = "text/html"
XML: Final = "application/xml"
CSV: Final = "text/csv"
TSV: Final = "text/tab-separated-values"
VTT: Final = "text/vtt"
RTF: Final = "application/rtf"
JSON: Final = "application/json"
JSON_LINES: Final = "application/jsonl"
PDF: Final = "application/pdf"
EMAIL: Final = "message/rfc822"
OUTLOOK: Final = "application/vnd.ms-outlook"
EPUB: Final = "application/epub+zip"
XLS: Final = "application/vnd.ms-excel"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT: Final = "application/vnd.oasis.opendocument.text"
ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
ODP: Final = "application/vnd.oasis.opendocument.presentation"
ZIP: Final = "application/zip"

READABLE: Final = (
    "Send PDF, Word (.docx), PowerPoint (.pptx), Excel (.xlsx, .xls), OpenDocument, HTML, EPUB, RTF, "
    "e-mail (.eml, .msg), CSV, JSON, XML, WebVTT, Markdown or plain text, or a ZIP archive of "
    "such files."
)
"""What can be sent, in words for people."""
