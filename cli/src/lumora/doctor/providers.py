"""The model providers: which are set, and whether they answer. A key is sent to its provider alone, and never shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from lumora.doctor.finding import Finding, broken, ok, warning

_ANSWER_WITHIN_S = 10.0
_OLLAMA_PORT = 11434
_REFUSED = (401, 403)
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Provider:
    """One that is reached with a key."""

    name: str
    key: str
    base: str
    default: str
    path: str
    needs_key: bool

    def headers(self, key: str) -> dict[str, str]:
        """How it wants the key; a server of one's own may need none."""
        if not key:
            return {}
        if self.name == "anthropic":
            return {"x-api-key": key, "anthropic-version": "2023-06-01"}
        return {"Authorization": f"Bearer {key}"}


ANTHROPIC = Provider(
    "anthropic", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "https://api.anthropic.com", "/v1/models", needs_key=True
)
OPENAI = Provider(
    "openai", "OPENAI_API_KEY", "OPENAI_BASE_URL", "https://api.openai.com/v1", "/models", needs_key=False
)


def providers(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Each that is set; that none is set is fine, `extractive` answers then."""
    host = environment.get("OLLAMA_HOST")
    found = [ollama(host)] if host else []
    found += [keyed(one, environment) for one in (ANTHROPIC, OPENAI) if _is_set(one, environment)]
    found += [
        warning(one.name, f"{one.base} is set and {one.key} is not: set both, or unset {one.base}.")
        for one in (ANTHROPIC, OPENAI)
        if environment.get(one.base) and not _is_set(one, environment)
    ]
    yield from found
    if not found:
        told = "none is set: answers are sentences of the documents"
        yield ok("providers", f"{told} (OLLAMA_HOST, ANTHROPIC_API_KEY or OPENAI_API_KEY connects one)")


def _is_set(provider: Provider, environment: Mapping[str, str]) -> bool:
    has_base = bool(environment.get(provider.base))
    return bool(environment.get(provider.key)) or (has_base and not provider.needs_key)


def ollama(host: str) -> Finding:
    """A server at OLLAMA_HOST (host, host:port or URL, as its own client reads it), and a model in it."""
    url = host if "://" in host else f"http://{host}"
    try:
        parts = urlsplit(url)
        default = {"http": 80, "https": 443}.get(parts.scheme) if "://" in host else None
        name = parts.hostname or "127.0.0.1"
        shown = f"{parts.scheme}://{f'[{name}]' if ':' in name else name}:{parts.port or default or _OLLAMA_PORT}"
        answer = _get(shown + parts.path.rstrip("/") + "/api/tags", {})
        models = answer.json()["models"] if answer.is_success else None
    except httpx.TransportError as error:
        told = f"Nothing answers at {shown} ({type(error).__name__}): start Ollama there, or correct OLLAMA_HOST."
        return broken("ollama", told)
    except (ValueError, KeyError, TypeError, httpx.InvalidURL):
        models = None
    if models is None:
        return broken("ollama", "No Ollama server answers at OLLAMA_HOST: set it to host:port, or to its URL.")
    if not models:
        return warning("ollama", f"{shown} has no model: `ollama pull` one there.")
    return ok("ollama", f"{shown} has {len(models)} model{'s' if len(models) > 1 else ''}")


def keyed(provider: Provider, environment: Mapping[str, str]) -> Finding:
    """Whether the key has a possible form, the server answers, and the key is accepted."""
    key, base = environment.get(provider.key, ""), environment.get(provider.base) or provider.default
    if key and (not key.isascii() or not key.isprintable() or " " in key):
        # Such a header cannot be sent, and the client's error would show it.
        return broken(provider.name, f"{provider.key} holds blanks or characters that no key has: copy the key again.")
    try:
        answer = _get(base.rstrip("/") + provider.path, provider.headers(key))
    except (httpx.TransportError, httpx.InvalidURL, ValueError) as error:
        told = f"The server cannot be reached ({type(error).__name__}): look at the network and at {provider.base}."
        return broken(provider.name, told)
    if answer.status_code in _REFUSED:
        return broken(provider.name, f"The key is refused ({answer.status_code}): set {provider.key} to a valid one.")
    if answer.status_code >= _SERVER_ERROR:
        return warning(provider.name, f"The server answers {answer.status_code}: try again later.")
    if not answer.is_success and not environment.get(provider.base):
        return warning(provider.name, f"The server answers {answer.status_code}: look at the account of the key.")
    is_accepted = bool(key) and answer.is_success
    return ok(provider.name, "reachable, and the key is accepted" if is_accepted else "reachable")


def _get(url: str, headers: Mapping[str, str]) -> httpx.Response:
    name = urlsplit(url).hostname or ""
    is_local = name.startswith("127.") or name in {"localhost", "::1"}  # never through a proxy of the environment
    with httpx.Client(timeout=_ANSWER_WITHIN_S, trust_env=not is_local) as client:
        return client.get(url, headers=headers)
