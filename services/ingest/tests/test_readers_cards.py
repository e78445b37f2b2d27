import pytest

from ingest_service.domain import media_types as kinds
from ingest_service.domain.errors import EmptyDocument
from services.ingest.tests.test_readers_office import manuscript, shown

CALENDAR = rb"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//a program//EN
BEGIN:VEVENT
UID:1@shop
DTSTAMP:20260501T080000Z
DTSTART;TZID="Europe/Zurich":20260612T183000
DTEND:20260612T203000Z
SUMMARY:Climbing course for begin
 ners
LOCATION;LANGUAGE=en:Hall 3\, Bern
DESCRIPTION:Bring shoes.\nPrice: 40 CHF\; no cards
BEGIN:VALARM
TRIGGER:-PT15M
END:VALARM
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20261224
SUMMARY:Closed: Christmas
END:VEVENT
END:VCALENDAR
"""
CONTACTS = rb"""BEGIN:VCARD
VERSION:3.0
N:Lind;Mara;;;
FN:Mara Lind
ORG:Ridge Outdoor;Sales
item1.TEL;TYPE="work,voice":+41 31 555 01 02
ADR:;;Peak Road 2;Bern;;3000;Switzerland
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD
 /9j/4AAQSkZJRgABAQAAAQABAAD
END:VCARD
"""


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_each_event_of_a_calendar_says_what_when_and_where(line_end):
    result = manuscript(CALENDAR.replace(b"\n", line_end))
    assert result.media_type == kinds.CALENDAR
    first, second = (words for _, words in shown(result))
    assert first.splitlines() == [
        "- begins: 2026-06-12 18:30 (Europe/Zurich)",
        "- ends: 2026-06-12 20:30 UTC",
        "- what: Climbing course for beginners",
        "- where: Hall 3, Bern",
        "- about: Bring shoes.",
        "Price: 40 CHF; no cards",
    ]
    assert second == "- begins: 2026-12-24\n- what: Closed: Christmas"


def test_contacts_are_read_without_their_pictures():
    result = manuscript(CONTACTS)
    assert result.media_type == kinds.CONTACTS
    [(_, words)] = shown(result)
    assert words.splitlines() == [
        "- name: Mara Lind",
        "- organization: Ridge Outdoor, Sales",
        "- phone: +41 31 555 01 02",
        "- postal address: Peak Road 2, Bern, 3000, Switzerland",
    ]


def test_one_that_says_nothing_is_empty():
    with pytest.raises(EmptyDocument):
        manuscript(b"BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n")
    assert manuscript(b"BEGIN:VCARD\nFN:" + b'"' * 100_000 + b";" * 100_000 + b"\nEND:VCARD").text
