"""The ground of every contract: frozen, strict when built here, tolerant when read from a newer sender."""

from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

T = TypeVar("T")
PERSONAL = "x-personal"
"""The keyword that marks personal data in the published schemas."""


class PersonalData:
    """Marks a value that may travel in RPC, frames and tokens, never in facts, logs, metrics or dead-letter reasons."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), PERSONAL: True}


Personal = Annotated[T, PersonalData()]


class Contract(BaseModel):
    """An undeclared field is our own bug when we build one, and a newer sender's field when we read one."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        ser_json_timedelta="float",
        protected_namespaces=(),
        # A refused input may be somebody's words, and an error's text reaches the logs.
        hide_input_in_errors=True,
    )

    @classmethod
    def read(cls, data: bytes | str) -> Self:
        """Parse what came over the wire.

        Raises:
            pydantic.ValidationError: the bytes are no JSON, or not of this shape.
        """
        return cls.model_validate_json(data, extra="ignore")

    def dump(self) -> bytes:
        """The bytes that go over the wire: compact JSON, UTF-8."""
        return self.model_dump_json().encode()


class Event(Contract):
    """A fact, in the past tense. Ids only: whoever needs the content asks its owner."""


class Job(Contract):
    """Work for one owner, in the imperative. Ids only."""


class Request(Contract):
    """What an RPC asks."""


class Reply(Contract):
    """What an RPC answers."""


class Nothing(Reply):
    """Done, and there is nothing to tell."""
