# ruff: noqa: RUF001 - Chinese and Arabic words are meant
"""Whether a customer asks in words for a person instead of the machine.

They are promised that they may at any time. A clause counts that asks for it and says little else: to call somebody for
a question about people is worse than to miss a wish that can be said again, or with the button.
"""

import re
from typing import Final, NamedTuple


class _Asking(NamedTuple):
    """How a language asks: PERSON in a request stands for a person, PLEASE may follow each request."""

    person: str
    please: str
    requests: tuple[str, ...]


_ASKING: Final = (
    _Asking(
        "(?:(?:an?|another|some|any|your|one of your|the) )?(?:(?:real|live|actual|human|customer|support|service) )*"
        "(?:human(?: being)?|person|people|agent|representative|operator|advis[eo]r|employee|colleague|team member"
        "|member of (?:the |your )?(?:staff|team)|(?:someone|somebody)(?: else)?)"
        "(?: (?:about|from|regarding|so|because|as) .*)?",
        "(?: (?:please|now|here|instead|directly|right now))*",
        (
            r"(?:.*\b(?:i|we|me|us)\b.* |(?:please )?)(?:speak|talk|chat)(?:ing)? (?:to|with) PERSON",
            "(?:.* )?(?:connect|transfer|put|pass|hand|forward) (?:me|us|this) (?:through |over )?(?:to|with) PERSON",
            "(?:i|we)(?:['’]d| would)? (?:want|need|like) a (?:(?:real |live )?person|(?:real|live) (?:agent|human))",
            "(?:(?:i|we)(?:['’]d| would)? (?:want|need|like|prefer) )?(?:an? )?human(?: being| agent)?",
            "(?:.* )?(?:give|get) me (?:a human|a real person|(?:an? )?(?:live )?(?:agent|representative|operator))",
            "(?:an? )?(?:real person|person|(?:live )?agent|operator|representative)",
        ),
    ),
    _Asking(
        "(?:(?:eine[mnr]?|ihre[mr]) )?(?:(?:echten?|richtigen|menschlichen) )?(?:mensch(?:en)?|mitarbeiter(?:in)?"
        "|person|(?:kunden)?berater(?:in)?|kollegen|kollegin|agenten|jemand(?:em)?)",
        "(?: bitte)?",
        (
            r"(?:.*\b(?:ich|wir|mich|uns|bitte)\b.* )?mit PERSON (?:sprechen|reden|chatten|schreiben|verbunden werden)",
            r"(?:bitte )?(?:verbind\w*|stell\w*) (?:sie )?(?:mich|uns) (?:bitte )?(?:zu|mit) PERSON(?: durch)?",
            "(?:ich|wir) (?:will|wollen|möchten?|brauchen?) einen (?:(?:echten|richtigen) )?(?:menschen|mitarbeiter)",
            "(?:einen? )?(?:echte[nr]? )?(?:mensch(?:en)?|mitarbeiter(?:in)?)",
        ),
    ),
    _Asking(
        "(?:(?:una?|alg[uú]n|otra) )?(?:persona(?: real)?|(?:ser )?humano|agente(?: humano)?|operadora?|representante"
        "|asesora?|alguien)",
        "(?: por favor)?",
        (
            r"¿?(?:.*\b(?:quiero|quisiera|puedo|podría|necesito|gustaría|quería|deseo)\b.* )?hablar con PERSON",
            "(?:por favor )?(?:p[aá]s[ae]|con[eé]ct[ae]|comun[ií]que)me con PERSON",
            "(?:una? )?(?:persona real|humano|agente humano)",
        ),
    ),
    _Asking(
        "(?:(?:une?|votre) )?(?:vraie )?(?:(?:être )?humain|personne(?: réelle)?|conseill(?:er|ère)|agent(?: humain)?"
        "|opérat(?:eur|rice)|représentant|quelqu['’]un)",
        "(?: s['’]il (?:vous|te) pla[iî]t)?",
        (
            r"(?:.*\b(?:je|j|moi|nous|on)\b.*[ '’])?(?:parler|discuter|échanger) (?:à|avec) PERSON",
            "(?:passez|mettez|transférez)-moi (?:(?:à|(?:en (?:contact|relation) )?avec) )?PERSON",
            "(?:une? )?(?:humain|conseill(?:er|ère)|vraie personne)",
        ),
    ),
    _Asking(
        "(?:真人|人工)(?:客服|服务)?|客服人员|工作人员",
        "[吗吧]?",
        (
            "PERSON",
            "(?:请|帮我|我要|我想|可以|能不能|能)*(?:转接?到?)PERSON",
            "(?:请|我|要|想|帮我|给我|可以|能不能|能)*(?:找|接|联系)(?:一个|一位)?PERSON",
            "(?:请|我|要|想|可以|能不能|能)*(?:和|跟|与)(?:一个|一位)?PERSON(?:说话|聊聊?|谈谈?|沟通|联系)",
        ),
    ),
    _Asking(
        "(?:شخص|إنسان|انسان|موظف|ممثل|بشر)(?: (?:حقيقي|آخر))?",
        "(?: من فضلك)?",
        (
            "(?:هل )?(?:[أا]ريد|[أا]رغب في|يمكنني|[أا]ود) (?:[أا]ن )?(?:التحدث|[أا]تحدث|التواصل) (?:[إا]لى|مع) PERSON",
            "(?:حوّ?لني|حولوني) [إا]لى PERSON",
        ),
    ),
)
_REQUESTS: Final = tuple(
    re.compile(request.replace("PERSON", f"(?:{asking.person})") + asking.please)
    for asking in _ASKING
    for request in asking.requests
)
_DENIES: Final = re.compile(
    r"\b(?:not|never|without|cannot|rather than|dont|nicht|kein\w*|ohne|nunca|sin|sans|pas|jamais|لا|لم|بدون)\b"
    r"|n['’]t\b|不"
)
_ASKS_ABOUT: Final = re.compile(
    r"¿?(?:am|are|is|do|does|did|should|must|when|if|muss|müssen|soll|wann|wenn|debo|tengo|dois-je|faut-il)\b"
)
"""How a sentence begins that asks about it, as `Do I have to talk to a person?`, or speaks of what may be."""
_SENTENCE_END: Final = re.compile(r"[.!?。！？؟\n]+")
_CLAUSE_END: Final = re.compile(r"[,;:，；：،؛]")
_SPACES: Final = re.compile(r"\s+")
_LONGEST: Final = 200
"""Characters of a clause that says little else."""


def asks_for_person(text: str) -> bool:
    """Return whether a sentence of the text asks for a person, in a language that there is a notice in."""
    sentences = (_SPACES.sub(" ", part).strip(" -").lower() for part in _SENTENCE_END.split(text))
    return any(
        _is_request(clause.strip())
        for sentence in sentences
        if not _ASKS_ABOUT.match(sentence)
        for clause in _CLAUSE_END.split(sentence)
    )


def _is_request(clause: str) -> bool:
    is_short = 0 < len(clause) <= _LONGEST
    return is_short and not _DENIES.search(clause) and any(request.fullmatch(clause) for request in _REQUESTS)
