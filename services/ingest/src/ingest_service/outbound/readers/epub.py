"""EPUB books: the pages of their spine in order, each as HTML."""

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote
from zipfile import ZipFile

from lxml.etree import _Element as Element

from ingest_service.domain import media_types
from ingest_service.domain.errors import Damaged, Encrypted
from ingest_service.domain.manuscript import Composer, Manuscript
from ingest_service.outbound.readers import archive
from ingest_service.outbound.readers.ports import Say
from ingest_service.outbound.readers.webpage import compose_html, text_of
from ingest_service.outbound.readers.xml_parts import parsed

_FONTS = (b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC")


def read(data: bytes, say: Say) -> Manuscript:
    """Raises: Encrypted, Damaged."""
    book = archive.opened(data)
    _refuse_locked(book)
    container = parsed(archive.part(book, "META-INF/container.xml"))
    packages = [str(path) for path in container.xpath("//*[local-name()='rootfile']/@full-path")]
    if not packages:
        raise Damaged("The book does not say where its text is. Save it again and send it anew.")
    package = parsed(archive.part(book, packages[0]))
    chapters = list(_spine(package, posixpath.dirname(packages[0])))
    composer = Composer()
    for number, name in enumerate(chapters, start=1):
        compose_html(composer, text_of(archive.part(book, name)))
        say(number, len(chapters))
    titles = package.xpath("//*[local-name()='metadata']/*[local-name()='title']/text()")
    return composer.manuscript(media_types.EPUB, str(titles[0]) if titles else None)


def _spine(package: Element, folder: str) -> Iterator[str]:
    files = {
        item.get("id"): item.get("href")
        for item in package.xpath("//*[local-name()='manifest']/*[local-name()='item']")
        if "html" in (item.get("media-type") or "") and "nav" not in (item.get("properties") or "").split()
    }
    for name in package.xpath("//*[local-name()='spine']/*[local-name()='itemref']/@idref"):
        if files.get(name):
            yield posixpath.normpath(posixpath.join(folder, unquote(files[name].partition("#")[0])))


def _refuse_locked(book: ZipFile) -> None:
    """Scrambled fonts are usual and do not matter; anything else in this list is locked text."""
    if "META-INF/encryption.xml" not in book.namelist():
        return
    listed = archive.part(book, "META-INF/encryption.xml")
    locked = listed.count(b"EncryptedData>") // 2 or listed.count(b"EncryptionMethod")
    if locked > sum(listed.count(font) for font in _FONTS):
        raise Encrypted("The book is protected (DRM). Send a copy without protection.")
