"""The project's own Python files, parsed once."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = tuple(sorted(path.name for path in (ROOT / "services").iterdir() if (path / "pyproject.toml").is_file()))


@dataclass(frozen=True)
class Source:
    """One file; `path` is relative to the project's root."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def service(self) -> str | None:
        """The service whose import package this belongs to; None for its tests and migrations too."""
        parts = self.path.parts
        return parts[1] if parts[0] == "services" and parts[2] == "src" else None

    @property
    def room(self) -> str:
        """`inbound`, `domain`, `outbound`, or the file itself (`app.py`)."""
        return self.path.parts[4] if self.service else ""

    @property
    def is_test(self) -> bool:
        return "tests" in self.path.parts

    def at(self, node: ast.AST) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file that is not ignored by Git, new ones included."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.py"]
    names = sorted(filter(None, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")))
    return tuple(_source(Path(name)) for name in names if (ROOT / name).is_file())


def _source(path: Path) -> Source:
    text = (ROOT / path).read_text()
    return Source(path, text, ast.parse(text))


def in_services() -> tuple[Source, ...]:
    """The import packages of the services."""
    return tuple(source for source in sources() if source.service)


def in_packages() -> tuple[Source, ...]:
    """Everything that is installed: services, libs and command line."""
    return tuple(source for source in sources() if "src" in source.path.parts and not source.is_test)
