"""The option that names the data folder."""

from pathlib import Path
from typing import Annotated

import typer

from lumora.data_folder import DataFolder
from lumora.settings import data_path

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="LUMORA_DATA", help="The folder of all data. [default: .lumora in the project]"),
]


def folder_of(data: Path | None) -> DataFolder:
    """The folder that was named, else the usual one."""
    return DataFolder(data.expanduser().absolute() if data else data_path())
