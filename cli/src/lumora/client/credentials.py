"""Where the platform is and who we are to it."""

import json
from dataclasses import dataclass
from pathlib import Path

from lumora.data_folder import DataFolder
from lumora.refused import Refused
from lumora.settings import data_path

DEFAULT_URL = "http://127.0.0.1:8000"


class NoCredentials(Refused):
    """There is no API key to be found."""

    code = "no_credentials"


@dataclass(frozen=True)
class Credentials:
    """A base URL without a slash at its end, and an API key for it."""

    url: str
    api_key: str
    agent_id: str | None = None


def find_credentials(url: str | None, api_key: str | None, data: Path | None = None) -> Credentials:
    """What was given, else the demo business that `lumora up` made.

    Raises:
        NoCredentials: no key was given and there is no demo business.
    """
    folder = DataFolder(data or data_path())
    if api_key:
        return Credentials((url or DEFAULT_URL).rstrip("/"), api_key)
    try:
        demo = json.loads(folder.demo.read_text(encoding="utf-8"))
        key, home, agent_id = demo["api_key"], demo.get("url", DEFAULT_URL), demo.get("agent_id")
    except (FileNotFoundError, PermissionError, ValueError, KeyError):
        raise NoCredentials(
            f"There is no API key: give --api-key or set LUMORA_API_KEY. `lumora up` makes a demo business with a key "
            f"of its own in {folder.path}."
        ) from None
    return Credentials((url or home).rstrip("/"), key, agent_id)
