"""How `lumora up` runs, handed from the command to the process that supervises; and where the data is."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


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
