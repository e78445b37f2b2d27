"""Addresses of the web: written in one way, told apart by site, and kept away from networks that are not public."""

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from ingest_service.domain.errors import AddressRefused

LONGEST: Final = 2_048
"""Bytes in UTF-8."""
_PORTS: Final = {"http": 80, "https": 443}
_NAME: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")
"""A host whose last part is one is an IPv4 address in whatever spelling, never a name (WHATWG URL, "ends in a number"):
systems take 127.1, 0177.0.0.1 and 2130706433 for 127.0.0.1."""
_AROUND: Final = "".join(map(chr, range(0x21)))
"""What stands around an address and is none of it (WHATWG URL, "C0 control or space")."""
_UNSAFE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""No database keeps NUL or half of a pair, which is also how a byte of a header is told that is no UTF-8."""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def normal(url: str, base: str | None = None) -> str:
    """The address as it is kept: absolute, host in lower case and ASCII, no fragment, no default port.

    Args:
        url: As it was written.
        base: What a relative one is relative to.

    Raises:
        AddressRefused: It is no address of a web page, or carries a name or password.
    """
    url = _UNSAFE.sub(_escaped, url.strip(_AROUND))
    try:
        parts = urlsplit(urljoin(base, url) if base else url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError as error:
        raise AddressRefused("This is not an address of a web page.") from error
    is_long = len(parts.geturl().encode()) > LONGEST
    if scheme not in _PORTS or not host or is_long or any(char.isspace() for char in parts.netloc):
        raise AddressRefused("Give the address of a web page that begins with http:// or https://.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("An address with a name or password is not fetched.")
    written = _host(host) + ("" if port in {None, _PORTS[scheme]} else f":{port}")
    return urlunsplit((scheme, written, parts.path or "/", parts.query, ""))


def is_same_site(one: str, other: str) -> bool:
    """The same host, with or without `www.`, and the same port; schemes may differ where both have their usual port."""
    return _site(urlsplit(one)) == _site(urlsplit(other))


def origin(url: str) -> str:
    """Scheme, host and port of an address that was made normal."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def literal(host: str) -> Address | None:
    """The address that a host name spells out; None for a real name."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether anybody on the internet may be meant: no loopback, private, link-local, shared or multicast network.

    An IPv6 address that carries an IPv4 one (mapped, 6to4, Teredo, NAT64) is judged by that one too.
    """
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return all(is_public(carried) for carried in inner if carried is not None)


def _escaped(unsafe: re.Match[str]) -> str:
    """As browsers write what cannot stand in an address; of what is no character, U+FFFD."""
    character = unsafe.group()
    try:
        return "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogateescape"))
    except UnicodeEncodeError:
        return "%EF%BF%BD"


def _host(host: str) -> str:
    spelled = literal(host)
    if spelled is not None:
        return f"[{spelled}]" if isinstance(spelled, ipaddress.IPv6Address) else str(spelled)
    try:
        name = host.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        name = ""
    if _NAME.fullmatch(name) is None:
        raise AddressRefused("This host name cannot be looked up.")
    if _NUMBER.match(name.rpartition(".")[2]):
        raise AddressRefused("Write an address of numbers as four of them, such as 192.0.2.1.")
    return name


def _site(parts: SplitResult) -> tuple[str, int | None]:
    port = None if parts.port in {None, _PORTS.get(parts.scheme)} else parts.port
    return (parts.hostname or "").removeprefix("www."), port
