"""Cuts a stream of server-sent events into what each event says.

Providers send each event's data on one line of JSON that names its own type, so `event:`, `id:`, `retry:` and comment
lines carry nothing and are passed over. WHATWG HTML section 9.2 would join several `data:` lines of one event; no
provider splits JSON that way.
"""

from typing import Final

from inference_service.domain.errors import ModelBroken

_LONGEST_LINE: Final = 1 << 20
"""Bytes. The real lines are some 200; a peer that never ends one must not fill the memory."""


class EventLines:
    """Bytes in, the data of whole events out."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the data of the events that became whole with these bytes, none empty.

        Raises:
            ModelBroken: a line without an end.
        """
        *lines, rest = (self._rest + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise ModelBroken("a line of the stream is too long")
        self._rest = rest
        return [said for line in lines if line.startswith(b"data:") and (said := line[5:].strip())]
