"""The environment: variables that nobody reads, and values that cannot be."""

import difflib
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from lumora.doctor.finding import Finding, broken, ok, warning
from lumora.embedded.postgres import server_user
from lumora.refused import Refused

_PREFIX = "LUMORA_"
_WORDS_OF_A_FLAG = frozenset({"0", "1", "true", "false", "t", "f", "yes", "no", "y", "n", "on", "off"})

Test = Callable[[str], str | None]
"""What a value has to be when it is not; None when it is fine."""


def _whole(lowest: int, highest: int | None = None) -> Test:
    def test(value: str) -> str | None:
        wanted = f"a whole number from {lowest}" + (f" to {highest}" if highest else " up")
        try:
            number = int(value)
        except ValueError:
            return wanted
        return None if number >= lowest and (highest is None or number <= highest) else wanted

    return test


def _flag(value: str) -> str | None:
    return None if value.strip().lower() in _WORDS_OF_A_FLAG else "0 or 1"


def _log(value: str) -> str | None:
    return None if value == "json" else "`json`, or not set"


def _url(value: str) -> str | None:
    try:
        parts = urlsplit(value)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    return None if is_url else "a URL such as http://127.0.0.1:8000"


def _key(value: str) -> str | None:
    return None if value.startswith("lum_") else "an API key, which starts with `lum_`"


def _anything(_value: str) -> str | None:
    return None


#: Every variable of ours that a person may set, and what its value must be.
READ: dict[str, Test] = {
    "LUMORA_PORT": _whole(1, 65_535),
    "LUMORA_INTERNAL_PORT": _whole(1, 65_500),
    "LUMORA_DATA": _anything,
    "LUMORA_DEMO": _flag,
    "LUMORA_LOG": _log,
    "LUMORA_REQUESTS_PER_MINUTE": _whole(1),
    "LUMORA_TENANT_RUNNING": _whole(1),
    "LUMORA_TENANT_QUEUED": _whole(1),
    "LUMORA_WORKER_SLOTS": _whole(1),
    "LUMORA_MODEL_SLOTS": _whole(1),
    "LUMORA_HEDGING": _flag,
    "LUMORA_POSTGRES_USER": _anything,
    "LUMORA_URL": _url,
    "LUMORA_API_KEY": _key,
}
#: Set by `lumora up` for its own processes.
_OWN = frozenset({"LUMORA_RUN"})


def variables(environment: Mapping[str, str]) -> Iterator[Finding]:
    """One finding for each LUMORA_ variable that is set (values are not shown: a key may be among them)."""
    present = sorted(name for name, value in environment.items() if name.startswith(_PREFIX) and value)
    for name in present:
        if name not in _OWN:
            yield variable(name, environment[name])
    if not present:
        yield ok("variables", "none of ours is set")
    try:
        server_user()
    except Refused as refused:
        yield broken("postgres user", refused)


def variable(name: str, value: str) -> Finding:
    """Whether it is read at all, and its value can be."""
    if name not in READ:
        close = difflib.get_close_matches(name, READ, n=1, cutoff=0.75)
        meant = f"rename it to {close[0]}" if close else "unset it"
        return warning(name, f"Nothing reads {name}: {meant}.")
    wanted = READ[name](value)
    return broken(name, f"{name} must be {wanted}: set it so, or unset it.") if wanted else ok(name, "set")
