"""Addresses: one way to write each, and none into a network that is not public."""

import ipaddress
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_service.domain.errors import AddressRefused
from ingest_service.domain.web_address import is_public, is_same_site, literal, normal
from ingest_service.domain.web_links import is_sitemap, links_of

PAGE = "https://shop.example/help/returns"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" HTTPS://Shop.Example:443/Help#top ", "https://shop.example/Help"),
        ("http://shop.example", "http://shop.example/"),
        ("http://shop.example:8080/a?b=c&d", "http://shop.example:8080/a?b=c&d"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
        ("http://[2001:DB8::1]/x", "http://[2001:db8::1]/x"),
        ("https://shop.example./", "https://shop.example/"),
        ("\0https://shop.example/a\0b\x7f\x01", "https://shop.example/a%00b%7F"),
        ("https://shop.example/\udcfcber\ud800", "https://shop.example/%FCber%EF%BF%BD"),
    ],
)
def test_an_address_is_kept_in_one_way(written: str, kept: str):
    assert normal(written) == kept
    assert normal(kept) == kept


@pytest.mark.parametrize(
    "written",
    [
        *("", "shop.example/help", "ftp://shop.example/", "file:///etc/passwd", "javascript:alert(1)", "https://"),
        *("https://ann:secret@shop.example/", "http://shop.example:99999/", "http://[::1", "https://a b.example/"),
        *("https://shop.example/" + "a" * 2_100, "https://shop.example/" + "帐" * 700),
    ],
)
def test_anything_else_is_refused(written: str):
    with pytest.raises(AddressRefused):
        normal(written)


@given(st.text(max_size=60))
def test_no_text_breaks_it(written: str):
    try:
        kept = normal(f"https://{written}")
    except AddressRefused:
        return
    assert normal(kept) == kept


def test_a_relative_address_is_read_from_its_page():
    assert normal("../faq?x#y", PAGE) == "https://shop.example/faq?x"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://shop.example/a", "https://www.shop.example/b", True),
        ("http://shop.example/a", "https://shop.example/", True),
        ("https://shop.example/", "https://blog.shop.example/", False),
        ("https://shop.example/", "https://shop.example:8443/", False),
        ("https://shop.example/", "https://shop.example.evil.test/", False),
    ],
)
def test_a_site_is_a_host(one: str, other: str, *, is_same: bool):
    assert is_same_site(one, other) is is_same


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_public_addresses(address: str):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.1.2.3",
            "224.0.0.1",
        ),
        *("255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1"),
        *("::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::1"),
    ],
)
def test_addresses_of_other_networks(address: str):
    assert not is_public(ipaddress.ip_address(address))


def test_a_name_is_no_address():
    assert literal("shop.example") is None
    assert literal("[::1]") == ipaddress.ip_address("::1")


def test_links_of_a_page():
    page = b"""<html><head><base href="/help/"></head><body>
        <a href="shipping">one</a> <a href='shipping#top'>the same</a> <A HREF="/faq?q=1&amp;r=2">faq</A>
        <a href="https://other.example/">elsewhere</a> <a href="mailto:a@shop.example">mail</a>
        <a href="/logo.PNG">picture</a> <a rel="nofollow" href="/login">no</a> <a href="">itself</a> <a>none</a>
        <script>document.write('<a href="/made">')</script><a href="returns">itself</a></body>"""
    assert links_of(page, PAGE) == ["https://shop.example/help/shipping", "https://shop.example/faq?q=1&r=2"]


def test_links_that_differ_in_tracking_alone_are_one():
    page = b"""<a href="/faq?utm_source=news&amp;utm_medium=mail">faq</a> <a href="/faq?gclid=1">faq</a>
        <a href="/faq?q=1&amp;fbclid=x&amp;r=2">search</a> <a href="/faq?q=1&amp;r=2&amp;utm_id=3">search</a>
        <a href="?utm_source=top">itself</a> <a href="/faq?gclidx=1">another</a>"""
    faq = "https://shop.example/faq"
    assert links_of(page, PAGE) == [faq, f"{faq}?q=1&r=2", f"{faq}?gclidx=1"]


def test_links_of_a_page_with_declarations_that_nobody_knows():
    page = b"<!doctype html><![foo[ a ]]><![ b><![endif]--><a href='/one'>1</a><![1><a href='/two'>2</a><![x"
    assert links_of(page, PAGE) == ["https://shop.example/one", "https://shop.example/two"]


def test_links_of_a_sitemap():
    sitemap = b"""<?xml version="1.0"?>
        <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
        <url><loc> https://shop.example/a?b=1&amp;c </loc></url>
        <url><loc><![CDATA[https://shop.example/d]]></loc></url><url><loc>https://other.example/</loc></url></urlset>"""
    assert is_sitemap(sitemap)
    assert links_of(sitemap, PAGE) == ["https://shop.example/a?b=1&c", "https://shop.example/d"]
    assert not is_sitemap(b"<html><body><urlset></body>")


@given(st.binary(max_size=300))
def test_no_bytes_break_the_search_for_links(data: bytes):
    for link in links_of(b"<a href=" + data, PAGE):
        assert is_same_site(link, PAGE)


def test_what_begins_with_comments_without_end_is_told_in_one_pass():
    assert is_sitemap(b"<!---->\n<!-- of a shop -->" * 100 + b"<urlset>")
    assert not is_sitemap(b"<!---->" * 500 + b"<html>")


def test_a_sitemap_of_white_space_is_searched_in_one_pass():
    spaces = b"<loc>" + b" " * 2_000
    place = b"<loc>\n <![CDATA[ https://shop.example/d\n]]>\n </loc>"
    assert links_of(b"<urlset>" + spaces * 2_000 + place, PAGE) == ["https://shop.example/d"]


@pytest.mark.parametrize("flood", [b"<", b"< ", b"<5", b"</", b"<a href=/x>"])
def test_links_are_searched_in_seconds_whatever_stands_before_them(flood: bytes):
    page = b"<a href='/b?q=<5'>B</a>" + flood * (4_000_000 // len(flood)) + b"\n<p><a href='/c'>C</a>"
    begun = time.process_time()
    found = links_of(page, PAGE)
    assert time.process_time() - begun < 4
    assert {"https://shop.example/b?q=<5", "https://shop.example/c"} <= set(found)
