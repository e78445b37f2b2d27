"""What a Markdown file says of itself above its text: `title: …` and the like as YAML between lines of dashes."""

import re
from typing import Final, NamedTuple

LOOKED_AT: Final = 65_536
"""Characters of the file that are looked at."""
_PART: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_NAME: Final = re.compile(r"[\w\"'][^:\n]{0,80}:(?:\s.*)?")
_LINE: Final = re.compile(rf"{_NAME.pattern}|\s+\S.*|-(?:\s.*)?|#.*|\s*")
_TITLE: Final = re.compile(r"^title:[ \t]*(?:[>|][+-]?[ \t]*\r?\n[ \t]+)?(\S.*)", re.IGNORECASE | re.MULTILINE)
_QUOTED: Final = re.compile(r"(['\"])(.*)\1")


class FrontMatter(NamedTuple):
    """Where it ends and the text begins, and the title that it gives."""

    end: int
    title: str | None


def front_matter(text: str) -> FrontMatter | None:
    """None where there is none, or nothing below it; several YAML documents in one file are no front matter."""
    part = _PART.match(text[:LOOKED_AT])
    if part is None or not _is_yaml(part.group(1)):
        return None
    body = text[part.end() : LOOKED_AT]
    title = _TITLE.search(part.group(1))
    if not body.strip() or (title is None and _is_yaml(body)):
        return None
    words = title and _QUOTED.sub(r"\2", title.group(1).rstrip())
    return FrontMatter(part.end(), " ".join(words.split()) if words else None)


def _is_yaml(text: str) -> bool:
    lines = text.splitlines()
    return all(map(_LINE.fullmatch, lines)) and any(map(_NAME.fullmatch, lines))
