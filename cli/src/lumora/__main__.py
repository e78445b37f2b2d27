"""The `lumora` command."""

import typer

from lumora.commands.agents import agents
from lumora.commands.chat import chat
from lumora.commands.dlq import dlq
from lumora.commands.doctor import doctor
from lumora.commands.down import clean, down
from lumora.commands.ingest import ingest
from lumora.commands.models import models
from lumora.commands.search import search
from lumora.commands.snapshot import snapshot
from lumora.commands.up import up


def build() -> typer.Typer:
    """All commands, with their help."""
    app = typer.Typer(
        name="lumora",
        help="Run Lumora on this machine, and talk to it.",
        no_args_is_help=True,
        rich_markup_mode="markdown",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    here, anywhere = "The platform on this machine", "Clients of a platform anywhere"
    app.command(rich_help_panel=here)(up)
    app.command(rich_help_panel=here)(down)
    app.command(rich_help_panel=here)(clean)
    app.command(rich_help_panel=here)(doctor)
    app.command(rich_help_panel=here)(dlq)
    app.add_typer(snapshot, rich_help_panel=here)
    app.command(rich_help_panel=anywhere)(chat)
    app.command(rich_help_panel=anywhere)(ingest)
    app.command(rich_help_panel=anywhere)(search)
    app.command(rich_help_panel=anywhere)(agents)
    app.command(rich_help_panel=anywhere)(models)
    return app


def main() -> None:
    """Entry point of the console script."""
    build()()


if __name__ == "__main__":
    main()
