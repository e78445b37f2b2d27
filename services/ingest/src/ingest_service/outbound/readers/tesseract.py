"""Text in pictures by tesseract, through its C interface: in the cage no program can be started.

In the cage, importing this module is what asks for the time that it needs (`cage.nursery`).
"""

import ctypes
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ingest_service.outbound import tessdata

_LINE: Final = 2
"""RIL_TEXTLINE: the iterator's step."""
_AUTO: Final = 3
"""PSM_AUTO: blocks, columns and lines are found, on a page that lies on its side too."""
_TOP_IS_RIGHT, _TOP_IS_LEFT = 1, 3
"""ORIENTATION_PAGE_RIGHT and _LEFT: where the top of a line's letters points to."""
_HANDLE, _NUMBER, _TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
_POINTER: Final = ctypes.POINTER(ctypes.c_int)
_FUNCTIONS: Final[dict[str, tuple[object, ...]]] = {
    "TessBaseAPICreate": (_HANDLE,),
    "TessBaseAPIInit3": (_NUMBER, _HANDLE, _TEXT, _TEXT),
    "TessBaseAPISetPageSegMode": (None, _HANDLE, _NUMBER),
    "TessBaseAPISetImage": (None, _HANDLE, _TEXT, _NUMBER, _NUMBER, _NUMBER, _NUMBER),
    "TessBaseAPISetSourceResolution": (None, _HANDLE, _NUMBER),
    "TessBaseAPIRecognize": (_NUMBER, _HANDLE, _HANDLE),
    "TessBaseAPIGetIterator": (_HANDLE, _HANDLE),
    "TessBaseAPIDelete": (None, _HANDLE),
    "TessBaseAPIDetectOrientationScript": (
        ctypes.c_bool, _HANDLE, _POINTER, ctypes.POINTER(ctypes.c_float), ctypes.POINTER(_TEXT),
        ctypes.POINTER(ctypes.c_float),
    ),
    "TessMonitorCreate": (_HANDLE,),
    "TessMonitorSetDeadlineMSecs": (None, _HANDLE, _NUMBER),
    "TessMonitorDelete": (None, _HANDLE),
    "TessResultIteratorGetPageIterator": (_HANDLE, _HANDLE),
    "TessResultIteratorGetUTF8Text": (_HANDLE, _HANDLE, _NUMBER),
    "TessResultIteratorConfidence": (ctypes.c_float, _HANDLE, _NUMBER),
    "TessResultIteratorWordFontAttributes": (_TEXT, _HANDLE, *[_POINTER] * 8),
    "TessResultIteratorNext": (_NUMBER, _HANDLE, _NUMBER),
    "TessResultIteratorDelete": (None, _HANDLE),
    "TessPageIteratorBoundingBox": (_NUMBER, _HANDLE, _NUMBER, *[_POINTER] * 4),
    "TessPageIteratorOrientation": (None, _HANDLE, *[_POINTER] * 3, ctypes.POINTER(ctypes.c_float)),
    "TessDeleteText": (None, _HANDLE),
}  # fmt: skip
"""What each gives and takes."""


class TesseractAway(Exception):
    """Its library or its languages cannot be loaded."""


class TookTooLong(Exception):
    """A picture was not read within its time."""


class Picture(NamedTuple):
    """Gray pixels, a byte each, row by row from the top without gaps."""

    pixels: bytes
    width: int
    height: int
    dpi: int

    def upside_down(self) -> "Picture":
        return self._replace(pixels=self.pixels[::-1])


class Seen(NamedTuple):
    """A line of text: its sides in pixels, from the top left of the page as it is read, and its size in points.

    `confidence` goes from 0 to 100.
    """

    text: str
    left: int
    right: int
    bottom: int
    points: int
    confidence: float


class Tesseract:
    """One engine with its languages in memory; `close` gives that back."""

    def __init__(self, languages: Sequence[str], folder: Path) -> None:
        """Raises: TesseractAway."""
        self._library = _loaded()
        self._started = (str(folder).encode(), "+".join(languages).encode())
        self._engine = self._start()

    def lines(self, picture: Picture, *, within_s: float) -> list[Seen]:
        """What stands in a picture, in reading order.

        Raises:
            TookTooLong: `within_s` were not enough.
        """
        call = self._library
        call.TessBaseAPISetImage(self._engine, picture.pixels, picture.width, picture.height, 1, picture.width)
        call.TessBaseAPISetSourceResolution(self._engine, picture.dpi)
        monitor = call.TessMonitorCreate()
        try:
            call.TessMonitorSetDeadlineMSecs(monitor, max(int(within_s * 1_000), 1))
            failed = call.TessBaseAPIRecognize(self._engine, monitor)
        finally:
            call.TessMonitorDelete(monitor)
        if failed:
            # an engine that was interrupted holds half a page, and reads it to its end when asked what it has
            self.close()
            self._engine = self._start()
            raise TookTooLong
        return list(self._found(picture))

    def script(self, picture: Picture) -> str:
        """By what name tesseract knows the letters (`Cyrillic`), empty when it sees too few; for `tessdata.SCRIPTS`."""
        call, script = self._library, _TEXT()
        call.TessBaseAPISetImage(self._engine, picture.pixels, picture.width, picture.height, 1, picture.width)
        call.TessBaseAPISetSourceResolution(self._engine, picture.dpi)
        rest = ctypes.c_int(), ctypes.c_float(), script, ctypes.c_float()
        is_told = call.TessBaseAPIDetectOrientationScript(self._engine, *rest)
        return (script.value or b"").decode() if is_told else ""

    def close(self) -> None:
        self._library.TessBaseAPIDelete(self._engine)

    def _start(self) -> int:
        engine: int = self._library.TessBaseAPICreate()
        if self._library.TessBaseAPIInit3(engine, *self._started) != 0:
            self._library.TessBaseAPIDelete(engine)
            raise TesseractAway("tesseract's languages cannot be loaded")
        self._library.TessBaseAPISetPageSegMode(engine, _AUTO)
        return engine

    def _found(self, picture: Picture) -> Iterator[Seen]:
        results = self._library.TessBaseAPIGetIterator(self._engine)
        if not results:
            return
        try:
            while True:
                seen = self._line(results, picture)
                if seen.text:
                    yield seen
                if not self._library.TessResultIteratorNext(results, _LINE):
                    return
        finally:
            self._library.TessResultIteratorDelete(results)

    def _line(self, results: int, picture: Picture) -> Seen:
        call = self._library
        points, *flags = (ctypes.c_int() for _ in range(8))
        call.TessResultIteratorWordFontAttributes(results, *flags[:6], points, flags[6])
        held = call.TessResultIteratorGetUTF8Text(results, _LINE)
        text = ctypes.string_at(held).decode("utf-8", "replace") if held else ""
        call.TessDeleteText(held)
        sure = float(call.TessResultIteratorConfidence(results, _LINE))
        return Seen(" ".join(text.split()), *self._box(results, picture), points.value, sure)

    def _box(self, results: int, picture: Picture) -> tuple[int, int, int]:
        """Left, right and bottom of a line on a page that is turned so that it can be read."""
        sides, ways = [ctypes.c_int() for _ in range(4)], [ctypes.c_int() for _ in range(3)]
        # the same object, which nobody deletes on its own
        place = self._library.TessResultIteratorGetPageIterator(results)
        self._library.TessPageIteratorBoundingBox(place, _LINE, *sides)
        self._library.TessPageIteratorOrientation(place, *ways, ctypes.c_float())
        left, top, right, bottom = (side.value for side in sides)
        if ways[0].value == _TOP_IS_RIGHT:
            return top, bottom, picture.width - left
        if ways[0].value == _TOP_IS_LEFT:
            return picture.height - bottom, picture.height - top, right
        return left, right, bottom


def _loaded() -> ctypes.CDLL:
    for name in tessdata.LIBRARIES:
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        for function, (gives, *takes) in _FUNCTIONS.items():
            found = getattr(library, function)
            found.restype, found.argtypes = gives, takes
        return library
    raise TesseractAway("tesseract's library is not installed")
