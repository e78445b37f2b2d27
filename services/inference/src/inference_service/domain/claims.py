# ruff: noqa: RUF001 - the words of many languages: letters that look like Latin ones are meant
"""The sentences of an answer, what each cites, and which of them claim something that a document must bear out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from inference_service.domain import marks
from inference_service.domain.caveat import CAVEAT
from inference_service.domain.citation import CITATION, cited
from inference_service.domain.note import NOTES
from inference_service.domain.notice import NOTICES
from inference_service.domain.refusal import REFUSALS
from inference_service.domain.sentences import sentence_spans
from inference_service.domain.words import content_terms, language_of

_LEADING: Final = re.compile(rf"\s*(?:(?:{CITATION.pattern}|{CAVEAT.pattern})[\s.,;]*)+")
"""Citations and a caveat after a full stop belong to the sentence that it ended."""
_FEWEST: Final = 2
"""Content words below which an uncited sentence (`Yes.`, `Hello Ada!`) says nothing that a passage could bear out."""

_INTERJECTIONS: Final = (
    r"(?:hello|hi|hey|dear|sure|of course|certainly|great question|hallo|liebe[rs]?|natürlich|selbstverständlich|"
    r"hola|claro|por supuesto|bonjour|bonsoir|bien sûr)\b|您好|你好|当然|مرحبا|أهلا|بالطبع"
)
"""What may stand before a claim as well: the rest of the sentence counts."""
_COURTESIES: Final = (
    r"(?:thanks?|you're welcome|sorry|i(?:'m| am) (?:sorry|happy|glad|afraid)|please (?:let|feel|contact|reach)|"
    r"let me know|feel free|if you (?:have|need) (?:any|more|other|further)|happy to|glad|i hope|have a nice|"
    r"(?:best|kind) regards|would you like|i(?:'ll| will| can| could) (?:gladly |happily )?(?:pass|forward|connect|"
    r"hand|put you|help|check)|guten (?:tag|morgen|abend)|danke|vielen dank|gern|entschuldig\w*|es tut mir leid|"
    r"leider kann ich|(?:wenn|falls) sie (?:noch|weitere)|ich (?:hoffe|leite|helfe)|melden sie sich|"
    r"mit freundlichen grüßen|buen[oa]s|gracias|lo siento|de nada|si (?:tiene|necesita) (?:más|otra|alguna)|espero que|"
    r"no dude|puedo (?:pasar|ayudar)|saludos|merci|(?:je suis )?désolée?|de rien|si vous avez (?:d'autres|besoin)|"
    r"n'hésitez pas|j'espère|je peux (?:transmettre|vous aider)|cordialement)\b|"
    r"谢谢|感谢|抱歉|对不起|不客气|如果您(?:还|有)|希望|请随时|祝|شكرا|عذرا|آسف|إذا كان لديك|أتمنى|لا تتردد"
)
_ADMISSIONS: Final = (
    r"\b(?:(?:can(?:no|')t|could(?: not|n't)|did(?: not|n't)|do(?: not|n't)) (?:find|know|have (?:any |that |this )?"
    r"(?:information|details))|not sure|no information|(?:sources?|documents?) (?:do|does)(?: not|n't) (?:say|mention|"
    r"state|contain|hold|cover)|keine (?:antwort|information|angabe)\w*|nicht gefunden|weiß ich nicht|nicht sicher|"
    r"no (?:he encontrado|encuentro|encontré|sé|tengo (?:información|datos))|no estoy segur[oa]|n'ai pas trouvé|"
    r"ne trouve pas|ne sais pas|pas d'information|pas sûre?)\b|"
    r"没有找到|未找到|找不到|不确定|不知道|没有(?:相关)?信息|لم أجد|لا أعرف|لا أعلم|لست متأكد|لا توجد معلومات"
)
_INTERJECTION: Final = re.compile(rf"^(?:{_INTERJECTIONS})[\s,!.，！]*", re.IGNORECASE)
_COURTESY: Final = re.compile(_COURTESIES, re.IGNORECASE)
_ADMISSION: Final = re.compile(_ADMISSIONS, re.IGNORECASE)
_APOSTROPHES: Final = str.maketrans("’ʼ", "''")


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer.

    Attributes:
        start: where it begins in the answer, in characters.
        end: where it ends there, its citations included.
        text: its words, without citations and caveat.
        cited: the numbers of the sources it cites.
        is_claim: whether a document must bear it out.
        is_hedged: whether a caveat says that the documents do not confirm it.
    """

    start: int
    end: int
    text: str
    cited: tuple[int, ...]
    is_claim: bool
    is_hedged: bool = False


def answer_sentences(content: str) -> tuple[AnswerSentence, ...]:
    """Cut an answer into its sentences; citations that follow a full stop belong to what it ended."""
    found: list[AnswerSentence] = []
    start = 0
    for line in content.splitlines(keepends=True):
        found += (weighed(replace(one, start=one.start + start, end=one.end + start)) for one in line_sentences(line))
        start += len(line)
    return tuple(found)


def line_sentences(line: str, *, is_begun: bool = False) -> tuple[AnswerSentence, ...]:
    """Cut one line into its sentences, not `weighed` yet; one that has begun before has no list mark any more."""
    return tuple(_of_line(line, is_begun=is_begun))


def one_sentence(text: str, start: int = 0) -> AnswerSentence:
    """Take a text for one sentence, whatever it holds; it is not `weighed` yet."""
    is_hedged = bool(CAVEAT.search(text))
    return AnswerSentence(start, start + len(text), _bare(text), cited(text), is_claim=False, is_hedged=is_hedged)


def weighed(sentence: AnswerSentence) -> AnswerSentence:
    """Return the sentence with the word whether it claims something."""
    return replace(sentence, is_claim=is_claim(sentence.text, sentence.cited))


def is_claim(text: str, numbers: tuple[int, ...] = ()) -> bool:
    """Tell whether a sentence claims something: not a question, a courtesy, an offer or "I could not find it".

    A sentence that cites, or names a number, claims something however it begins.
    """
    if (
        not any(map(str.isalpha, text))
        or text.rstrip().endswith(marks.QUESTION_ENDS)
        or text in NOTICES | REFUSALS | NOTES
    ):
        return False
    if numbers or any(map(str.isdigit, text)):
        return True
    plain = _plain(text)
    if plain.endswith(marks.LEAD_ENDS) or _COURTESY.match(plain) or _ADMISSION.search(plain):
        return False
    return len(content_terms(plain, language_of(plain))) >= _FEWEST


def is_courtesy(text: str) -> bool:
    """Tell whether a sentence begins as thanks, regrets, offers and greetings do, behind a `Hello` or `Sure`."""
    return bool(_COURTESY.match(_plain(text)))


def admits(text: str) -> bool:
    """Tell whether a sentence says that the answer was not found."""
    return text in REFUSALS or bool(_ADMISSION.search(text.translate(_APOSTROPHES)))


def _plain(text: str) -> str:
    return _INTERJECTION.sub("", text.translate(_APOSTROPHES).lstrip("*_#>- "), count=1)


def _of_line(line: str, *, is_begun: bool) -> Iterator[AnswerSentence]:
    marker = None if is_begun else marks.LIST_ITEM.match(line)
    first = marker.end() if marker else 0
    held: AnswerSentence | None = None
    for start, end in sentence_spans(line[first:]):
        piece, at = line[first + start : first + end], first + start
        leading = _LEADING.match(piece) if held is not None else None
        if leading and held is not None:
            held = _with(held, leading.group(), at + leading.end())
            at, piece = at + leading.end(), piece[leading.end() :]
        if not piece.strip():
            continue
        if held is not None:
            yield held
        held = one_sentence(piece, at)
    if held is not None:
        yield held


def _with(held: AnswerSentence, leading: str, end: int) -> AnswerSentence:
    is_hedged = held.is_hedged or bool(CAVEAT.search(leading))
    return replace(held, end=end, cited=_both(held.cited, cited(leading)), is_hedged=is_hedged)


def _bare(piece: str) -> str:
    return re.sub(r"\s+([.!?,;:。！？])", r"\1", " ".join(CITATION.sub(" ", CAVEAT.sub(" ", piece)).split()))


def _both(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(dict.fromkeys((*first, *second)))
