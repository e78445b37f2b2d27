import json

import pytest

from lumora.log_view import LEVELS, Line, LogView, now, parse

PLAIN = LogView(is_json=False, is_coloured=False)


def shown(service, text, view=PLAIN):
    return view.render(parse(service, text))


def test_a_json_line_becomes_time_service_level_event_and_pairs():
    text = json.dumps({"timestamp": "2026-03-04T05:06:07Z", "level": "warning", "event": "reply.withheld", "n": 3})
    line = shown("filter", text)
    assert line is not None
    assert line.split()[1:] == ["filter", "warning", "reply.withheld", "n=3"]


def test_json_passes_through_untouched_and_other_text_is_wrapped():
    view = LogView(is_json=True, is_coloured=False)
    text = '{"event": "x", "level": "info", "n": 1}'
    assert shown("auth", text, view) == text
    wrapped = json.loads(shown("auth", "Traceback (most recent call last):", view))
    assert (wrapped["service"], wrapped["event"]) == ("auth", "Traceback (most recent call last):")


@pytest.mark.parametrize(
    "text", ["[1] 2026/11/21 01:31:30.258861 [INF]", "[1] 2026/11/21 01:31:30.25 [INF] Server is ready"]
)
def test_what_nats_says_when_all_is_well_is_not_shown(text):
    assert shown("nats", text) is None


def test_what_is_wrong_with_a_server_is_shown():
    assert "disk is slow" in shown("nats", "[1] 2026/11/21 01:31:30.25 [WRN] disk is slow")
    assert "error" in shown("postgres", "ERROR:  relation is missing")


def test_verbose_shows_what_servers_say():
    view = LogView(is_json=False, is_coloured=False, floor=LEVELS["debug"])
    assert "ready to accept" in shown("postgres", "LOG:  database system is ready to accept connections", view)


@pytest.mark.parametrize(
    "text",
    ["FATAL:  the database system is starting up", "FATAL:  terminating connection due to administrator command"],
)
def test_a_postgres_that_starts_or_stops_is_no_catastrophe(text):
    assert shown("postgres", text) is None


def test_a_sentence_stands_for_the_event():
    line = Line("lumora", "error", "process.died", now(), {"sentence": "auth ended; it starts again.", "code": 1})
    text = PLAIN.render(line)
    assert text is not None
    assert text.endswith("auth ended; it starts again.")
    as_json = json.loads(LogView(is_json=True, is_coloured=False).render(line) or "")
    assert as_json["event"] == "process.died"
    assert as_json["code"] == 1


def test_a_line_cannot_steer_the_terminal():
    text = shown("auth", json.dumps({"event": "x\x1b[2Jy", "key\x07": "v\x1b]0;title\x07"}))
    assert "\x1b" not in text
    assert "\x07" not in text


def test_colours_only_where_they_are_wanted():
    view = LogView(is_json=False, is_coloured=True)
    assert "\x1b[" in (shown("auth", "hello", view) or "")
    assert "\x1b[" not in (shown("auth", "hello") or "")


def test_a_broken_json_line_and_an_unknown_level_are_still_shown():
    assert "{not json" in (shown("auth", "{not json") or "")
    assert "odd" in (shown("auth", '{"event": "odd", "level": "strange", "timestamp": "yesterday"}') or "")
