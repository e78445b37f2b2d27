"""What a person may turn: environment variables of the command line."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lumora.refused import Refused

_OFF = {"0", "false", "no", "off", ""}


@dataclass(frozen=True)
class UpSettings:
    """How `lumora up` runs; see `lumora up --help`."""

    port: int
    internal_port: int
    data: str
    is_demo: bool
    gateways: int = 1
    workers: int = 1
    only: tuple[str, ...] = ()
    is_json: bool = False
    is_verbose: bool = False

    def to_argument(self) -> str:
        """As one argument of the supervising process."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_argument(text: str) -> "UpSettings":
        """The reverse of `to_argument`."""
        content = json.loads(text)
        return UpSettings(**{**content, "only": tuple(content["only"])})


def data_path(environment: Mapping[str, str] = os.environ) -> Path:
    """LUMORA_DATA, else `.lumora` in the project (in the current folder when there is no project around us)."""
    given = environment.get("LUMORA_DATA")
    if given:
        return Path(given).expanduser().absolute()
    project = Path(__file__).resolve().parents[3]
    return (project if (project / "uv.lock").is_file() else Path.cwd()) / ".lumora"


def port_from(environment: Mapping[str, str], name: str, default: int) -> int:
    """A port number from a variable.

    Raises:
        Refused: it is not one.
    """
    text = environment.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:  # noqa: PLR2004 - the last port there is
        raise Refused(f"{name}={text} is not a port: give a number from 1 to 65535.")
    return int(text)


def flag_from(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    """0, false, no and off are off; anything else is on."""
    text = environment.get(name)
    return default if text is None else text.strip().lower() not in _OFF
