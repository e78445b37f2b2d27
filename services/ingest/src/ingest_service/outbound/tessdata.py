"""What tesseract has on this machine: the folder of its languages, and which of them a document is read in."""

import contextlib
import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Final

LIBRARIES: Final = (
    "libtesseract.so.5",
    "libtesseract.5.dylib",
    "/opt/homebrew/lib/libtesseract.5.dylib",
    "/usr/local/lib/libtesseract.5.dylib",
)
"""Names of the library whose C interface is used, by system and installer."""
FOLDERS: Final = (
    "/usr/share/tesseract-ocr/5/tessdata",
    "/usr/share/tessdata",
    "/usr/share/tesseract/tessdata",
    "/usr/local/share/tessdata",
    "/opt/homebrew/share/tessdata",
)
"""Where Debian, Fedora and Arch, SUSE, a build from source, and Homebrew put the languages."""
MOST_LANGUAGES: Final = 6
"""That a page is read in: each takes 10 to 25 MiB, and time where the ones before it find no words."""
_ENDING: Final = ".traineddata"
_NO_LANGUAGES: Final = frozenset({"osd", "equ"})
_CODES: Final = {
    "en": "eng", "de": "deu", "fr": "fra", "es": "spa", "it": "ita", "pt": "por", "nl": "nld", "pl": "pol",
    "cs": "ces", "ro": "ron", "hu": "hun", "sv": "swe", "da": "dan", "no": "nor", "fi": "fin", "tr": "tur",
    "el": "ell", "ru": "rus", "uk": "ukr", "ar": "ara", "fa": "fas", "ur": "urd", "he": "heb", "hi": "hin",
    "ta": "tam", "hy": "hye", "th": "tha", "lo": "lao", "my": "mya", "km": "khm", "ja": "jpn", "ko": "kor",
    "zh": "chi_sim", "vi": "vie", "id": "ind",
}  # fmt: skip
"""Of the languages that are told apart, likeliest first."""
SCRIPTS: Final = "osd"
"""What is loaded like a language to tell scripts apart."""
_OF_SCRIPTS: Final = {
    "Arabic": "ara", "Armenian": "hye", "Bengali": "ben", "Cyrillic": "rus", "Devanagari": "hin", "Georgian": "kat",
    "Greek": "ell", "Gujarati": "guj", "Han": "chi_sim", "Hebrew": "heb", "Japanese": "jpn", "Kannada": "kan",
    "Khmer": "khm", "Korean": "kor", "Lao": "lao", "Malayalam": "mal", "Myanmar": "mya", "Tamil": "tam",
    "Telugu": "tel", "Thai": "tha",
}  # fmt: skip
"""A language of each script that tesseract tells apart, but for Latin letters: those are read by any of theirs."""


def folder() -> Path | None:
    """Where the languages are; None when tesseract is not installed."""
    return next((path for path in map(Path, FOLDERS) if any(path.glob(f"*{_ENDING}"))), None)


def installed(tessdata: Path | None) -> list[str]:
    """The languages of a folder by tesseract's codes (`deu`), likeliest first."""
    found = {path.name.removesuffix(_ENDING) for path in tessdata.glob(f"*{_ENDING}")} if tessdata else set()
    known = [code for code in _CODES.values() if code in found]
    return [*known, *sorted(found - {*known} - _NO_LANGUAGES)]


def has_library() -> bool:
    """Whether the library can be loaded; it is, into this process, for good."""
    for name in LIBRARIES:
        with contextlib.suppress(OSError):
            ctypes.CDLL(name)
            return True
    return False


def missing(script: str, languages: Sequence[str]) -> str | None:
    """The Debian package of a language that has these letters, None when one of these languages has them."""
    code = _OF_SCRIPTS.get(script)
    return None if code is None or code in languages else f"tesseract-ocr-{code.replace('_', '-')}"


def chosen(wanted: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    """The languages to read in: those wanted that are there, or without a wish the likeliest."""
    return tuple(code for code in wanted if code in there) if wanted else tuple(there[:MOST_LANGUAGES])


def spoken_first(languages: Sequence[str], spoken: str) -> tuple[str, ...]:
    """The same with the language of the rest of the document (`de`) in front, as tesseract tries them in order."""
    code = _CODES.get(spoken)
    return tuple(sorted(languages, key=lambda language: language != code))
