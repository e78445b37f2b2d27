"""A site's rules, however many and for whomever."""

import time

import pytest

from ingest_service.outbound.robots import rules_of

SITE = "https://shop.example"
US = "LumoraBot"


def may_read(robots: str, path: str) -> bool:
    return rules_of(robots.encode()).can_fetch(f"{SITE}{path}", US)


def test_a_group_is_for_whom_it_names():
    robots = """
        User-agent: OtherBot   # not us
        Disallow: /

        User-agent: third
        User-Agent: *
        Disallow: /private
        Allow: /private/open
    """
    assert may_read(robots, "/")
    assert not may_read(robots, "/private/a")
    assert may_read(robots, "/private/open")


@pytest.mark.parametrize(
    "named", ["User-agent: LumoraBot", "useragent lumorabot", "User Agent: Lumora*", "user-agent:lumora"]
)
def test_what_is_said_to_us_counts_more_than_what_is_said_to_all(named: str):
    ours = f"{named}\nDisallow: /cart\nCrawl-delay: 2\n\n"
    robots = f"User-agent: *\nDisallow: /\n\n{ours}User-agent: LumoraBottle\nDisallow: /a"
    assert may_read(robots, "/a")
    assert not may_read(robots, "/cart")
    assert rules_of(robots.encode()).crawl_delay(US) == 2


def test_a_mark_of_the_encoding_is_no_part_of_a_rule():
    assert not rules_of("\ufeffUser-agent: *\nDisallow: /".encode()).can_fetch(f"{SITE}/a", US)


def test_thousands_of_names_above_thousands_of_rules_are_read_at_once():
    names = "".join(f"User-agent: bot{n}\n" for n in range(4_000))
    robots = f"{names}User-agent: *\n" + "".join(f"Disallow: /{n}\n" for n in range(4_000))
    begun = time.process_time()
    assert not may_read(robots, "/3999")
    assert may_read(robots, "/a")
    assert time.process_time() - begun < 2
