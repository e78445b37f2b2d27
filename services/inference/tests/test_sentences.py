# ruff: noqa: RUF001 - sentences of many languages
"""What can be quoted from a passage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_service.domain.sentences import Sentence, sentences, split_sentences


def texts(passage: str, heading: str = "") -> list[str]:
    return [sentence.text for sentence in sentences(passage, heading)]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One is here. Two is here! Is three? Yes…", ["One is here.", "Two is here!", "Is three?", "Yes…"]),
        ("Use e.g. Linux, i.e. Debian. It works.", ["Use e.g. Linux, i.e. Debian.", "It works."]),
        ("Ask Dr. Smith or J. R. R. Tolkien. Now.", ["Ask Dr. Smith or J. R. R. Tolkien.", "Now."]),
        (
            "Open to 5 p.m. Mails are read. It is 9 a.m. now.",
            ["Open to 5 p.m.", "Mails are read.", "It is 9 a.m. now."],
        ),
        ("It costs 4.90 € in v2.1. Done.", ["It costs 4.90 € in v2.1.", "Done."]),
        ('He said "Stop!" and left. "Go." She went.', ['He said "Stop!" and left.', '"Go."', "She went."]),
        ("Am 3. Mai ist zu, d. h. geschlossen. Ab 4. offen.", ["Am 3. Mai ist zu, d. h. geschlossen.", "Ab 4. offen."]),
        ("Kauf z.B. Kaffee usw. Wir liefern.", ["Kauf z.B. Kaffee usw.", "Wir liefern."]),
        ("¿Abren hoy? Sí, el Sr. Díaz abre.", ["¿Abren hoy?", "Sí, el Sr. Díaz abre."]),
        ("今天发货。运费十元！可以退吗？可以", ["今天发货。", "运费十元！", "可以退吗？", "可以"]),
        ("كم السعر؟ السعر عشرون ريالاً. شكراً", ["كم السعر؟", "السعر عشرون ريالاً.", "شكراً"]),
        ("वापसी होती है। कब? तीस दिन में।", ["वापसी होती है।", "कब?", "तीस दिन में।"]),
        ("Πόσο κάνει; Δέκα ευρώ.", ["Πόσο κάνει;", "Δέκα ευρώ."]),
        ("", []),
    ],
)
def test_running_text_is_cut_at_the_ends_of_sentences(text: str, parts: list[str]) -> None:
    assert split_sentences(text) == parts


def test_thai_is_cut_into_clauses_of_about_a_sentence() -> None:
    clause = "ลูกค้าสามารถคืนสินค้าที่ยังไม่ได้ใช้งานภายในสามสิบวัน"
    parts = split_sentences(" ".join([clause] * 6))
    assert len(parts) == 3
    assert " ".join(parts) == " ".join([clause] * 6)


@given(st.text(alphabet='aB. !?\n。؟)"1-|#*:', max_size=120))
def test_no_character_is_lost_or_made(text: str) -> None:
    kept = "".join("".join(split_sentences(text)).split())
    assert kept == "".join(text.split())


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    for sentence in sentences(text):
        assert sentence.text.strip()
        assert "\n" not in sentence.text


def test_headings_are_context_not_statements() -> None:
    passage = "# Returns\n\nWithin 30 days.\n\n## Costs ##\nIt is free.\n\nOpening hours\n-----\n\nFrom 9 to 5."
    assert sentences(passage) == [
        Sentence("Within 30 days.", "Returns"),
        Sentence("It is free.", "Costs"),
        Sentence("From 9 to 5.", "Opening hours"),
    ]


def test_a_heading_may_stand_above_the_passage() -> None:
    assert sentences("Within 30 days.", "Returns") == [Sentence("Within 30 days.", "Returns")]


def test_a_short_line_alone_is_a_heading_in_plain_text() -> None:
    assert sentences("PAYMENT\n\nWe take cards.\n\nThanks") == [
        Sentence("We take cards.", "PAYMENT"),
        Sentence("Thanks", "PAYMENT"),
    ]


def test_wrapped_lines_are_put_together() -> None:
    line = "The warranty of our machines is two years from the day of the"
    assert texts(f"{line}\npurchase. Keep the invoice.") == [f"{line} purchase.", "Keep the invoice."]
    chinese = "我们的咖啡机保修两年，请保留发票，以便维修时使用，" * 3
    assert texts(f"{chinese}\n再见。") == [f"{chinese}再见。"]


def test_short_lines_are_facts_of_one_list() -> None:
    assert texts("Monday: 9-18\nSaturday: 9-14\nSunday: closed") == ["Monday: 9-18; Saturday: 9-14; Sunday: closed."]


def test_a_short_list_stays_with_the_line_that_introduces_it() -> None:
    assert texts("We cannot take back:\n\n- gift cards;\n- opened coffee\n  and tea\n- filters.") == [
        "We cannot take back: gift cards; opened coffee and tea; filters."
    ]


def test_a_long_list_is_quoted_item_by_item() -> None:
    found = texts("We sell:\n" + "\n".join(f"- a thing with the number {n} and a long name" for n in range(12)))
    assert len(found) == 12
    assert found[3] == "We sell: a thing with the number 3 and a long name"


def test_list_items_that_say_something_stand_alone_and_others_take_the_heading() -> None:
    facts = "- Power: 1,350 watts\n- Price: 549 €"
    assert sentences(facts, "Alba") == [
        Sentence("Power: 1,350 watts", "Alba", is_entry=True),
        Sentence("Price: 549 €", "Alba", is_entry=True),
    ]
    assert texts("- gift cards\n- coffee", "What cannot be returned") == [
        "What cannot be returned: gift cards; coffee."
    ]


def test_steps_are_one_statement() -> None:
    assert texts("1. Open it.\n2) Print the label.\n3. Send it.") == ["1. Open it. 2. Print the label. 3. Send it."]


def test_table_rows_carry_their_column_names() -> None:
    table = "| Method | Time | Price |\n| :--- | --- | ---: |\n| Standard | 3 days | 4.90 € |\n| Express | | 12 € |"
    assert texts(table) == ["Standard: Time 3 days, Price 4.90 €.", "Express: Price 12 €."]


def test_a_row_of_a_question_and_its_answer_is_the_answer() -> None:
    table = (
        "| Question | Answer |\n|---|---|\n| Are dogs allowed? | No. |\n| Is there wifi? | Yes, it is free |\n| ? | |"
    )
    assert sentences(table, "House")[:2] == [
        Sentence("No.", "House Are dogs allowed?", is_entry=True),
        Sentence("Yes, it is free", "House Is there wifi?", is_entry=True),
    ]


def test_a_bar_within_a_cell_ends_no_cell() -> None:
    assert texts("| Shirt | M\\|L | XL |\n|---|---|---|\n| Linen | 40 € | 45 € |") == ["Linen: M|L 40 €, XL 45 €."]
    assert texts("| a | b | c |\n| d | e | f |") == ["a: b, c.", "d: e, f."]


def test_a_question_is_the_context_of_its_answer() -> None:
    assert sentences("**Can I cancel?**\nYes. At any time.\n\nWhen do you roast? Every Tuesday.") == [
        Sentence("Yes. At any time.", "Can I cancel?"),
        Sentence("Every Tuesday.", "Can I cancel? When do you roast?"),
    ]
    assert sentences("Q: Do you ship?\nA: We do ship.") == [Sentence("We do ship.", "Do you ship?")]


def test_a_statement_that_refers_back_knows_to_what() -> None:
    found = sentences("The Tove is a grinder. It costs 89 €. Beans are extra.")
    assert [(sentence.text, sentence.before) for sentence in found] == [
        ("The Tove is a grinder.", ""),
        ("It costs 89 €.", "The Tove is a grinder."),
        ("Beans are extra.", ""),
    ]


def test_markup_and_notes_of_the_document_are_taken_away() -> None:
    assert texts('See **the [price list](https://x.example/a "P")** `now`[12] and <b>buy</b> ~~more~~.') == [
        "See the price list now and buy more."
    ]
    assert texts("```\nRun the installer.\n```\n> Quoted words.") == ["Run the installer.", "Quoted words."]
    assert texts("a * b * c is 2*3*4.") == ["a * b * c is 2*3*4."]


def test_a_list_is_shown_below_its_own_heading_alone() -> None:
    assert [one.text for one in sentences("- First visit free\n- Filling 60 €", "Practice > Prices")] == [
        "Prices: First visit free; Filling 60 €."
    ]
