"""`lumora chat`: one question, or a conversation in the terminal."""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from typing import Annotated, Any, TypeVar

import typer

from lumora.client.answer import Answer, Change
from lumora.client.chat import Conversation
from lumora.client.credentials import Credentials
from lumora.commands.output import ApiKey, AsJson, Url, credentials, fail, print_json
from lumora.data_folder import DataFolder
from lumora.refused import Refused
from lumora.settings import data_path
from lumora.terminal import may_colour

Result = TypeVar("Result")
_SNIPPET = 100

_Question = Annotated[str | None, typer.Argument(help="Ask this and end; without it, a conversation begins.")]
_Agent = Annotated[str | None, typer.Option("--agent", help="An agent's id. [default: the business's first]")]


def chat(
    *,
    question: _Question = None,
    agent: _Agent = None,
    url: Url = None,
    api_key: ApiKey = None,
    is_json: AsJson = False,
) -> None:
    """Ask, and watch the answer come in, with its sources.

    In a conversation the arrow keys bring back earlier questions, Ctrl-C stops an answer that is coming in, and Ctrl-D
    ends. With --json every answer is one JSON object on a line; questions then come from standard input, one a line.
    """
    who = credentials(url, api_key, is_json=is_json)
    screen = JsonScreen() if is_json else Screen()
    with background_loop() as loop:
        talk = Talk(Conversation(who, agent_id=agent or _own_agent(who, api_key)), screen, loop)
        try:
            is_answered = talk.ask(question) if question is not None else talk.converse()
        except Refused as refused:
            fail(refused, is_json=is_json)
        finally:
            talk.close()
    if not is_answered:
        raise typer.Exit(1)


def _own_agent(who: Credentials, api_key: str | None) -> str | None:
    return None if api_key else who.agent_id


class Screen:
    """Prints an answer as it comes in."""

    def __init__(self) -> None:
        self._is_live = sys.stdout.isatty()
        self._is_coloured = may_colour(sys.stdout)

    def change(self, change: Change) -> None:
        """Show what was added. What a pipe was given cannot be taken back, so it gets the whole answer at its end."""
        if not self._is_live:
            return
        if change.kind == "restart":
            self._write(self._dim("\n(the answer starts again)\n"))
        self._write(printable(change.text))

    def end(self, answer: Answer) -> None:
        """Show how it ended, and the sources."""
        end = answer.end or {}
        if not self._is_live and end.get("type") != "message.failed":
            self._write(printable(answer.text))
        self._write("\n")
        if end.get("type") == "message.failed":
            hint = " Try again." if end.get("retryable") else ""
            print(f"There is no answer ({end.get('code')}).{hint}", file=sys.stderr)
        elif end.get("type") == "message.completed" and end.get("finish_reason") != "stop":
            self._write(self._dim(f"({end.get('finish_reason')})\n"))
        if answer.sources and end.get("type") == "message.completed":
            self._write("\n" + "".join(self._source(source) for source in answer.sources))

    def prompt(self) -> str:
        """What stands before the cursor (the marks tell readline which characters take no room)."""
        return "\x01\x1b[1m\x02> \x01\x1b[0m\x02" if self._is_coloured and self._is_live else "> "

    def _source(self, source: dict[str, Any]) -> str:
        page = f", page {source['page']}" if source.get("page") else ""
        snippet = " ".join(source.get("snippet", "").split())
        short = snippet if len(snippet) <= _SNIPPET else snippet[:_SNIPPET].rsplit(" ", 1)[0] + " …"
        return f"[{source['n']}] {printable(source['title'])}{page}{self._dim('  ' + printable(short))}\n"

    def _dim(self, text: str) -> str:
        return f"\x1b[2m{text}\x1b[0m" if self._is_coloured else text

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


class JsonScreen(Screen):
    """Prints each answer as one JSON object."""

    def change(self, change: Change) -> None:
        """Nothing before the end."""

    def end(self, answer: Answer) -> None:
        """The whole answer."""
        end = answer.end or {}
        kept = ("type", "usage", "confidence", "finish_reason", "cached", "categories", "code", "retryable")
        print_json(
            {
                "conversation_id": answer.conversation_id,
                "message_id": answer.message_id,
                "content": answer.text,
                "model": answer.model,
                "sources": answer.sources,
                **{name: end[name] for name in kept if name in end},
            }
        )

    def prompt(self) -> str:
        """None: the reader of the output is a program."""
        return ""


class Talk:
    """The main thread reads the keyboard; the connection stays open meanwhile, in a thread of its own."""

    def __init__(self, conversation: Conversation, screen: Screen, loop: asyncio.AbstractEventLoop) -> None:
        self._conversation = conversation
        self._screen = screen
        self._loop = loop

    def ask(self, question: str) -> bool:
        """Ask and show; Ctrl-C stops the answer, a second one leaves. Returns whether there was an answer.

        Raises:
            Refused: the platform cannot be reached or says no.
        """
        asking = self._start(self._follow(question))
        try:
            asking.result()
        except KeyboardInterrupt:
            self._start(self._conversation.stop()).result()
            asking.result()
        answer = self._conversation.answer
        return answer is not None and (answer.end or {}).get("type") != "message.failed"

    async def _follow(self, question: str) -> None:
        async for change in self._conversation.ask(question):
            self._screen.change(change)
        assert self._conversation.answer is not None
        self._screen.end(self._conversation.answer)

    def converse(self) -> bool:
        """Ask what is typed until the input ends. Returns whether the last question was answered."""
        is_answered = True
        with history():
            while (question := self._read()) is not None:
                if question.strip():
                    is_answered = self.ask(question)
        return is_answered

    def _read(self) -> str | None:
        while True:
            try:
                return input(self._screen.prompt())
            except EOFError:
                return None
            except KeyboardInterrupt:
                print()  # an unfinished line is dropped, as in a shell

    def close(self) -> None:
        """Leave the conversation."""
        with contextlib.suppress(KeyboardInterrupt):
            self._start(self._conversation.close()).result(5)

    def _start(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)


@contextlib.contextmanager
def background_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="connection", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@contextlib.contextmanager
def history() -> Iterator[None]:
    """Earlier questions under the arrow keys; kept in the data folder if a platform lives there."""
    try:
        import readline
    except ImportError:
        yield
        return
    folder = DataFolder(data_path())
    with contextlib.suppress(OSError):
        readline.read_history_file(folder.history)
    try:
        yield
    finally:
        if folder.is_ours():
            with contextlib.suppress(OSError):
                folder.history.touch(mode=0o600)
                readline.set_history_length(1000)
                readline.write_history_file(folder.history)


def printable(text: str) -> str:
    """Without the control characters by which an answer could steer the terminal."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t")
