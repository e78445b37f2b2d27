"""PDF files of plain text, each of another, for benches that send many."""

from collections.abc import Sequence

LINES_A_PAGE = 30
WORDS = (
    "delivery", "order", "parcel", "refund", "customer", "warranty", "repair", "invoice", "tent", "stove", "lamp",
    "return", "month", "branch", "office", "account", "payment", "address", "letter", "number", "season", "price",
)  # fmt: skip


def pdf(number: int, pages: int) -> bytes:
    """A file of `pages` pages of text, different for each number."""
    kids = " ".join(f"{4 + 2 * page} 0 R" for page in range(pages))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for page in range(pages):
        shown = b"BT /F1 11 Tf 14 TL 72 740 Td " + b"".join(_line(number, page, n) for n in range(LINES_A_PAGE)) + b"ET"
        fonts = f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * page} 0 R"
        objects.append(f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] {fonts} >>".encode())
        objects.append(f"<< /Length {len(shown)} >>\nstream\n".encode() + shown + b"\nendstream")
    return _joined(objects)


def _line(number: int, page: int, line: int) -> bytes:
    seed = number * 7_919 + page * 104_729 + line * 1_299_709
    words = " ".join(WORDS[(seed * (place + 3) // 7 + place) % len(WORDS)] for place in range(12))
    return f"({words.capitalize()} {seed % 9_973}.) Tj T* ".encode()


def _joined(objects: Sequence[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n".encode()
    return bytes(out + f"startxref\n{start}\n%%EOF\n".encode())
