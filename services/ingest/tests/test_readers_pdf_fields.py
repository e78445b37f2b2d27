"""What was filled into the form of a PDF is read where it stands."""

import io

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from ingest_service.outbound.readers.pdf import NO_OCR, read
from services.ingest.tests.test_readers_office import manuscript


def form(draw) -> bytes:
    memory = io.BytesIO()
    canvas = Canvas(memory, pagesize=A4)
    canvas.setFont("Helvetica", 11)
    draw(canvas)
    canvas.save()
    return memory.getvalue()


def text(canvas, name, value, left, low, width=120, height=18, **more):
    canvas.acroForm.textfield(name=name, value=value, x=left, y=low, width=width, height=height, **more)


def test_fields_are_read_beside_what_names_them():
    def draw(canvas):
        for number, label in enumerate(("Name:", "Days:", "Sent by:", "Size:", "Remarks:")):
            canvas.drawString(72, 700 - 40 * number, label)
        text(canvas, "name", "Mara Lind", 140, 695)
        text(canvas, "days", "thirty", 140, 655)
        canvas.acroForm.choice(
            name="by", value="parcel", options=["letter", "parcel"], x=140, y=615, width=90, height=18
        )
        canvas.acroForm.listbox(name="size", value="M", options=["S", "M"], x=140, y=550, width=90, height=40)
        text(canvas, "remarks", "Please ring\ntwice.", 140, 500, height=44, fieldFlags="multiline")

    assert manuscript(form(draw)).text.replace("\n\n", "\n").splitlines() == [
        "Name: Mara Lind",
        "Days: thirty",
        "Sent by: parcel",
        "Size: M",
        "Remarks: Please ring twice.",
    ]


def test_a_field_stands_between_the_labels_of_its_row_and_alone_below_one():
    def draw(canvas):
        canvas.drawString(72, 700, "From")
        canvas.drawString(200, 700, "to")
        canvas.drawString(320, 700, "inclusive")
        text(canvas, "from", "3 May", 110, 695, width=80)
        text(canvas, "to", "9 May", 220, 695, width=80)
        canvas.drawString(72, 660, "Reason of the journey")
        text(canvas, "why", "A visit to the shop", 72, 630, width=300)
        canvas.drawString(72, 560, "Below it.")

    said = " ".join(manuscript(form(draw)).text.split())
    assert said == "From 3 May to 9 May inclusive Reason of the journey A visit to the shop Below it."


def test_fields_in_a_drawn_table_are_its_cells():
    def draw(canvas):
        canvas.grid([72, 200, 320, 440], [600, 625, 650, 675])
        for row, words in enumerate(
            (("Item", "Price", "Stock"), ("Ridge tent", "", "4"), ("Trail stove", "59.50", ""))
        ):
            for left, cell in zip((78, 206, 326), words, strict=True):
                canvas.drawString(left, 657 - 25 * row, cell)
        text(canvas, "price", "120.00", 202, 627, width=110)
        text(canvas, "stock", "9", 322, 602, width=110)

    assert manuscript(form(draw)).text == (
        "| Item | Price | Stock |\n|---|---|---|\n| Ridge tent | 120.00 | 4 |\n| Trail stove | 59.50 | 9 |"
    )


def test_only_ticked_boxes_are_read():
    def draw(canvas):
        for number, (label, ticked) in enumerate((("Gift", True), ("Express", False))):
            canvas.acroForm.checkbox(name=label, checked=ticked, x=72, y=698 - 40 * number, size=14)
            canvas.drawString(95, 700 - 40 * number, label)
        for number, label in enumerate(("letter", "parcel")):
            canvas.acroForm.radio(
                name="by", value=label, selected=label == "parcel", x=72, y=598 - 40 * number, size=14
            )
            canvas.drawString(95, 600 - 40 * number, f"by {label}")

    assert manuscript(form(draw)).text.split() == ["[x]", "Gift", "Express", "by", "letter", "[x]", "by", "parcel"]


@pytest.mark.parametrize(
    "unseen", [{"annotationFlags": "hidden"}, {"annotationFlags": "noview"}, {"fieldFlags": "password"}]
)
def test_what_nobody_sees_in_a_form_is_left_out(unseen):
    def draw(canvas):
        canvas.drawString(72, 700, "Code:")
        text(canvas, "code", "secret", 140, 695, **unseen)

    assert manuscript(form(draw)).text == "Code:"


def test_a_broken_form_is_read_without_its_fields():
    data = form(lambda canvas: (canvas.drawString(72, 700, "Name:"), text(canvas, "name", "Mara", 140, 695)))
    broken = data.replace(b"/Fields [", b"/Fields (")
    assert broken != data
    assert read(broken, print, NO_OCR).text.startswith("Name:")


def test_a_form_that_adobe_alone_shows_is_said_to_be_one():
    data = form(lambda canvas: canvas.drawString(72, 700, "Please wait..."))
    dynamic = b"/Type /Catalog /NeedsRendering true /AcroForm << /Fields [] /XFA (x) >>"
    result = read(data.replace(b"/Type /Catalog", dynamic), lambda *_: None)
    assert "dynamic form (XFA)" in result.notes[0].reason
    assert not read(data, lambda *_: None).notes
