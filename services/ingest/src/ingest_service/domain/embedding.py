"""What is known of embedding models, and when one cannot be asked.

runtime.errors.Unavailable
+-- EmbedderAway     the server of the embedding model is away, slow, or says what cannot be a vector
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from runtime.errors import Unavailable

Provider = Literal["minilm", "ollama", "openai"]
LONGEST_NAME: Final = 80
"""Characters of a model's name: it becomes part of a folder's name."""


class EmbedderAway(Unavailable):
    """Nothing is wrong with the text: the same succeeds when the model's server is back."""


@dataclass(frozen=True, slots=True)
class IndexName:
    """Of which model an index holds vectors, and how many numbers they have."""

    model: str
    dimension: int


@dataclass(frozen=True, slots=True)
class Traits:
    """How a model wants to be asked, and what it gives.

    Attributes:
        provider: Who runs it.
        name: As its server knows it.
        dimension: Numbers of a vector.
        query_prefix: What stands before a question; models that were trained with such a mark lose much without it.
        passage_prefix: What stands before a passage.
        asks_dimension: The dimension is said with each request, because it is not the model's own.
        build: Of a model that runs in this process; another one gives the same text a slightly different vector.
    """

    provider: Provider
    name: str
    dimension: int
    query_prefix: str = ""
    passage_prefix: str = ""
    asks_dimension: bool = False
    build: str = ""

    @property
    def index_name(self) -> IndexName:
        """Another one whenever the vectors are others: prefixes that are not the usual ones are part of it."""
        if self.provider == "minilm":
            return IndexName(f"{self.name}+{self.build}", self.dimension)
        model = f"{self.provider}/{self.name}"
        usual = _usual(self.name) or _Usual(self.dimension)
        if (usual.query_prefix, usual.passage_prefix) == (self.query_prefix, self.passage_prefix):
            return IndexName(model, self.dimension)
        mark = hashlib.sha256(f"{self.query_prefix}\0{self.passage_prefix}".encode()).hexdigest()[:8]
        return IndexName(f"{model}+{mark}", self.dimension)


@dataclass(frozen=True, slots=True)
class _Usual:
    dimension: int
    query_prefix: str = ""
    passage_prefix: str = ""


_MARKED: Final = _Usual(768, "search_query: ", "search_document: ")
_MXBAI_QUERY: Final = "Represent this sentence for searching relevant passages: "
KNOWN: Final[Mapping[str, _Usual]] = {
    "nomic-embed-text": _MARKED,
    "nomic-embed-text-v1.5": _MARKED,
    "mxbai-embed-large": _Usual(1024, _MXBAI_QUERY),
    "mxbai-embed-large-v1": _Usual(1024, _MXBAI_QUERY),
    "snowflake-arctic-embed": _Usual(1024, _MXBAI_QUERY),
    "snowflake-arctic-embed2": _Usual(1024, "query: "),
    "embeddinggemma": _Usual(768, "task: search result | query: ", "title: none | text: "),
    "multilingual-e5-small": _Usual(384, "query: ", "passage: "),
    "multilingual-e5-base": _Usual(768, "query: ", "passage: "),
    "multilingual-e5-large": _Usual(1024, "query: ", "passage: "),
    "bge-m3": _Usual(1024),
    "all-minilm": _Usual(384),
    "text-embedding-3-small": _Usual(1536),
    "text-embedding-3-large": _Usual(3072),
    "text-embedding-ada-002": _Usual(1536),
}
"""From the models' own cards; a model is known by its last name, whatever tag or owner stands around it."""


def chosen(
    setting: str,
    *,
    dimension: int | None = None,
    query_prefix: str | None = None,
    passage_prefix: str | None = None,
) -> Traits:
    """The model that an operator named as `ollama/<model>` or `openai/<model>`; what is None is as usual for the model.

    Raises:
        ValueError: It is no such name, or nothing says how many numbers its vectors have.
    """
    provider, _, name = setting.partition("/")
    if provider not in {"ollama", "openai"} or not 1 <= len(name) <= LONGEST_NAME:
        raise ValueError(f"{setting!r} names no embedder: minilm, ollama/<model> or openai/<model>")
    usual = _usual(name)
    numbers = dimension or (usual.dimension if usual else None)
    if numbers is None:
        raise ValueError(f"nobody knows how long the vectors of {name} are: set INGEST_EMBED_DIMENSIONS")
    asks_dimension = usual is not None and usual.dimension != numbers
    usual = usual or _Usual(numbers)
    return Traits(
        provider="ollama" if provider == "ollama" else "openai",
        name=name,
        dimension=numbers,
        query_prefix=usual.query_prefix if query_prefix is None else query_prefix,
        passage_prefix=usual.passage_prefix if passage_prefix is None else passage_prefix,
        asks_dimension=asks_dimension,
    )


def _usual(name: str) -> _Usual | None:
    return KNOWN.get(name.rpartition("/")[2].partition(":")[0].lower())
