"""How sure tesseract is of pages in languages and letters that it was not given, and by what name it knows the letters.

    OMP_THREAD_LIMIT=1 PYTHONPATH=. uv run python bench/ocr_scripts.py [--languages eng]

Needs tesseract, and fonts where Debian puts them (fonts-dejavu-core, fonts-noto-core, fonts-noto-cjk); what has no font
is left out. The texts are the tests' own, drawn at 300 dpi; English also ever more blurred. Baseline: English as it is.
"""

import argparse
import textwrap
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ingest_service.outbound import tessdata
from ingest_service.outbound.readers import scan
from ingest_service.outbound.readers.tesseract import Picture, Tesseract
from services.ingest.tests.national_texts import TEXTS

NOTO, CJK = "/usr/share/fonts/truetype/noto/NotoSans", "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
USUAL = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"
FONTS = {
    **dict.fromkeys(("ja", "ko", "zh", "tw"), CJK),
    **dict.fromkeys(("ar", "fa", "ur"), f"{NOTO}Arabic-Regular.ttf"),
    "he": f"{NOTO}Hebrew-Regular.ttf",
    "th": f"{NOTO}Thai-Regular.ttf",
}
ENGLISH = (
    "You may send back any tent within thirty days of delivery, and you get all of your money back on it. Whoever "
    "bought in the shop brings the bill along; what was bought on the web is found by its number."
)
BLURS = (2, 4, 5, 6, 8)


def picture(text: str, font: str, blur: float = 0) -> Picture:
    page = Image.new("L", (2_480, 3_508), 255)
    lines = textwrap.wrap(text, 70 if " " in text else 36)
    ImageDraw.Draw(page).multiline_text((240, 280), "\n".join(lines), font=ImageFont.truetype(font, 46), spacing=24)
    shown = page.filter(ImageFilter.GaussianBlur(blur)) if blur else page
    return Picture(shown.tobytes(), *page.size, scan.DPI)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", default="eng")
    languages = parser.parse_args().languages.split("+")
    folder = tessdata.folder()
    if folder is None:
        raise SystemExit("tesseract is not installed")
    reader, scripts = Tesseract(languages, folder), Tesseract((tessdata.SCRIPTS,), folder)
    pages = [("en", ENGLISH, 0.0), *(("en", ENGLISH, blur) for blur in BLURS)]
    pages += [(language, text, 0.0) for language, (_, text) in TEXTS.items()]
    print(f"{'page':14}{'sure':>6}  outcome   letters")
    for language, text, blur in pages:
        font = FONTS.get(language, USUAL)
        if not Path(font).is_file():
            continue
        shown = picture(text, font, blur)
        lines = [line for line in reader.lines(shown, within_s=60) if line.confidence >= scan.GUESSED]
        sure = scan.confidence(lines)
        outcome = "left out" if sure < scan.NONSENSE else "doubtful" if sure < scan.DOUBTFUL else "read"
        name = f"{language}, blur {blur:g}" if blur else language
        print(f"{name:14}{sure:6.1f}  {outcome:9} {scripts.script(shown)}")


if __name__ == "__main__":
    main()
