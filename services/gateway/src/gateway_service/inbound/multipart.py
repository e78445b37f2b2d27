"""A multipart upload as it streams: only what the socket just gave is in memory, never the file."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from contracts.ingest import DOCUMENT_LIMIT_BYTES
from gateway_service.inbound.edge import too_large
from runtime.errors import Rejected

if TYPE_CHECKING:
    # The package defines it for type checkers alone.
    from python_multipart.multipart import MultipartCallbacks

FIELD = "file"
FILENAME_CHARS = 255
TAGS_FIELD = "tags"
TAGS_BYTES = 8_192
"""Of all of them, in whatever encoding; more than the contract takes."""


class FileUpload:
    """The part named `file`. `open` reads up to its content, `pieces` gives it; size, hash and tags are known then."""

    def __init__(self, content_type: str, stream: AsyncIterator[bytes]) -> None:
        """Raises Rejected (`unsupported_type`) when it is no multipart body."""
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise Rejected(f"send multipart/form-data with a field `{FIELD}`", code="unsupported_type")
        self.filename = ""
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        self._stream = stream
        self._header, self._value = b"", b""
        self._is_file = self._is_found = self._is_over = self._is_complete = self._is_tags = False
        self._tags = b""
        self._pending: list[bytes] = []
        self._parser = MultipartParser(options[b"boundary"], self._callbacks())

    async def open(self) -> None:
        """Raises Rejected when there is no such field, or the body is broken."""
        while not self._is_found:
            if not await self._feed():
                raise Rejected(f"the field `{FIELD}` is missing")
        self._digest.update(f"{self.filename}\0".encode())

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The file's bytes.

        Raises:
            Rejected: too large (`too_large`), or it broke off.
        """
        while True:
            pending, self._pending = self._pending, []
            for piece in pending:
                self.size_bytes += len(piece)
                if self.size_bytes > DOCUMENT_LIMIT_BYTES:
                    raise too_large(DOCUMENT_LIMIT_BYTES)
                self._digest.update(piece)
                yield piece
            if not self._pending and not await self._feed():
                break
        if not self._is_complete:
            raise Rejected("the upload broke off")

    @property
    def sha256(self) -> str:
        """Of name, bytes and tags (hex): the same upload again has the same, whatever its boundary was."""
        whole = self._digest.copy()
        if self.tags:
            whole.update("\0".join(("", *self.tags)).encode())
        return whole.hexdigest()

    @property
    def tags(self) -> tuple[str, ...]:
        """What the fields `tags` say: one each, or several with commas between them."""
        words = self._tags.decode("utf-8", "replace").split(",")
        return tuple(word.strip() for word in words if word.strip())

    async def _feed(self) -> bool:
        """Parse what the socket gives next; False at its end."""
        try:
            chunk = await anext(self._stream, None)
            if chunk is None:
                return False
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise Rejected("the multipart body is broken") from error
        return True

    # ---- what the parser calls --------------------------------------------------------------------------------

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
            "on_end": self._on_end,
        }

    def _on_part_begin(self) -> None:
        self._header, self._value = b"", b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            name = options.get(b"name", b"").decode("utf-8", "replace")
            self._is_tags = name == TAGS_FIELD
            if name == FIELD and not self._is_found:
                self._is_file = self._is_found = True
                self.filename = clean_filename(options.get(b"filename", b"").decode("utf-8", "replace"))
        self._header, self._value = b"", b""

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._pending.append(data[start:end])
        elif self._is_tags:
            self._tags += data[start:end]
            if len(self._tags) > TAGS_BYTES:
                raise Rejected("there are too many tags")

    def _on_part_end(self) -> None:
        self._is_file = False
        if self._is_tags:
            self._is_tags, self._tags = False, self._tags + b","

    def _on_end(self) -> None:
        self._is_complete = True


def clean_filename(name: str) -> str:
    """The last step of whatever path a client names, without control characters; it is shown, never used as a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(char for char in last if char.isprintable()).strip()[:FILENAME_CHARS] or "upload"
