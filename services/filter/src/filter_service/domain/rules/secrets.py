"""Keys and tokens by the shapes that their issuers chose.

The match begins behind the prefix that names the issuer: prefixes begin like words ("a", "s"), and so no word waits.
What is shown is `sk-[redacted]`. Behind the first characters that prove the shape everything goes that still belongs to
the secret, however long it is.
"""

import string

from filter_service.domain.rules.rule import HIDDEN, NOTHING, Match
from filter_service.domain.rules.shape import WORD, Shape
from filter_service.domain.window import Window

_KEY = frozenset(string.ascii_lowercase + string.digits + "_-")
_TOKEN = _KEY | {"."}
_BASE64_LINES = frozenset(string.ascii_lowercase + string.digits + "+/=\r\n\\")

# Prefix, the fewest characters behind it, what may go on behind those.
_PREFIXES = (
    *(("sk-", 20, _KEY),),
    *(("akia", 16, _KEY),),
    *((f"gh{letter}_", 30, _KEY) for letter in "opusr"),
    *(("hub_pat_", 22, _KEY),),
    *((f"xox{letter}-", 10, _KEY) for letter in "abeoprs"),
    *(("lum_", 16, _KEY),),
    # A JSON Web Token: base64 of `{"`, as its header begins (RFC 7519).
    *(("eyj", 16, _TOKEN),),
)
_HEADER = (
    r"begin (?:[a-z0-9]{1,10} ){0,2}private key(?: block)?-----",
    r"b|be|beg|begi|begin|begin (?:[a-z0-9]{1,10} ){0,4}[a-z0-9]{0,10}-{0,4}",
)


class Secrets:
    """Finds API keys, tokens and private keys."""

    kind = "secret"

    def __init__(self) -> None:
        self._shapes = [(_behind(prefix, least), runs_on) for prefix, least, runs_on in _PREFIXES]
        header = Shape(opening=r"b(?<=-----b)(?:\Z|e)", whole=_HEADER[0], begun=_HEADER[1])
        self._shapes.append((header, _BASE64_LINES))
        openings = "|".join(shape.opening for shape, _ in self._shapes)
        # Stands first: one look behind spares nearly every place the others.
        self.opening = rf"(?<=[-_aj])(?:{openings})"

    def at(self, window: Window, start: int) -> Match:
        """The secret whose prefix ends before `start`."""
        for shape, runs_on in self._shapes:
            match = shape.at(window, start)
            if match.is_open:
                return match
            if match.end >= 0:
                return Match(match.end, is_open=False, runs_on=runs_on)
        return NOTHING

    def mask(self, text: str) -> str:  # noqa: ARG002 -- nothing of a secret may be shown; its prefix is.
        """Nothing of it."""
        return HIDDEN


def _behind(prefix: str, least: int) -> Shape:
    alone = "" if prefix == "hub_pat_" else rf"(?<!{WORD}{prefix}.)"
    return Shape(
        opening=rf"[a-z0-9](?<={prefix}.){alone}",
        whole=rf"[a-z0-9_-]{{{least}}}",
        begun=rf"[a-z0-9_-]{{1,{least - 1}}}",
    )
