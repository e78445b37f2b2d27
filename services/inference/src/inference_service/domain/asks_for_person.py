# ruff: noqa: RUF001 - Chinese and Arabic words are meant
"""Whether a customer asks in words for a person instead of the machine.

They are promised that they may at any time. A clause counts that asks for it and says little else: to call somebody for
a question about people is worse than to miss a wish that can be said again, or with the button.
"""

import re
from typing import Final, NamedTuple


class _Asking(NamedTuple):
    """How a language asks, as regular expressions of a clause in lower case; PERSON stands for `person`.

    Attributes:
        opening: what may stand before everything else.
        wish: what may stand before `meet`; nothing else may.
        please: what may stand behind everything else.
        commands: other ways to ask.
        alone: a whole sentence that names a person and nothing else.
    """

    opening: str
    wish: str
    meet: str
    person: str
    please: str
    commands: tuple[str, ...]
    alone: str


_ENGLISH: Final = _Asking(
    opening="(?:(?:and|so|but|then|well|ok|okay|hi|hello|hey|please|no|yes|sorry|now|really|actually|just) )*",
    wish="(?:i|we)(?:['’]d| would| really| just| still| only)* (?:(?:want|need|like|love|prefer|wish) to|rather) "
    "|(?:can|could|may|might) (?:i|we) (?:(?:please|just|maybe) )*|how (?:can|could|do) (?:i|we) |let (?:me|us) ",
    meet="(?:speak|talk|chat) (?:to|with) PERSON",
    person="(?:(?:an?|another|some|any|your|one of your|the) )?"
    "(?:(?:real|live|actual|human|customer|support|service) )*"
    "(?:human(?: being)?|person|agent|representative|operator|advis[eo]r|employee|colleague|team member|manager"
    "|supervisor|member of (?:the |your )?(?:staff|team)|(?:someone|somebody)(?: else)?)"
    "(?: (?:about|from|regarding|so|because|as) .*)?",
    please="(?: (?:please|now|here|instead|directly|right now))*",
    commands=(
        "(?:(?:can|could|will|would) you )?(?:please )?(?:connect|transfer|put|pass) (?:me|us) .*(?:to|with) PERSON",
        "(?:i|we)(?:['’]d| would)? (?:want|need|like) a (?:(?:real |live )?person|(?:real|live) (?:agent|human))",
        "(?:i|we)(?:['’]d| would)? (?:want|need|like|prefer) (?:an? )?human(?: being| agent)?",
        "(?:give|get) me (?:a human|a real person|(?:an? )?(?:live )?(?:agent|representative|operator))",
    ),
    alone="(?:an? )?(?:real person|person|human(?: being| agent)?|(?:live )?agent|operator|representative)",
)
_GERMAN: Final = _Asking(
    opening="(?:(?:und|also|aber|dann|ok|okay|hallo|hi|bitte|nein|ja|nun|jetzt) )*",
    wish="(?:ich (?:möchte|will|würde|muss)|(?:wie )?(?:kann|könnte|darf) ich|lass(?:en sie)? mich) "
    "(?:(?:gerne?|bitte|jetzt|lieber|endlich|nur|doch|mal|auch|hier) )*",
    meet="mit PERSON (?:sprechen|reden|chatten|schreiben|verbunden werden)",
    person="(?:(?:eine[mnr]?|ihre[mr]) )?(?:(?:echten?|richtigen|menschlichen) )?(?:mensch(?:en)?|mitarbeiter(?:in)?"
    "|person|(?:kunden)?berater(?:in)?|kollegen|kollegin|agenten|jemand(?:em)?)",
    please="(?: bitte)?",
    commands=(
        r"(?:verbind\w*|stell\w*) (?:sie )?(?:mich|uns) (?:bitte )?(?:zu|mit) PERSON(?: durch)?",
        "(?:ich|wir) (?:will|wollen|möchten?|brauchen?) einen (?:(?:echten|richtigen) )?(?:menschen|mitarbeiter)",
    ),
    alone="(?:einen? )?(?:echte[nr]? )?(?:mensch(?:en)?|mitarbeiter(?:in)?)",
)
_SPANISH: Final = _Asking(
    opening="¿?(?:(?:y|pero|entonces|hola|no|sí|bueno|ahora|por favor) )*",
    wish="(?:yo )?(?:quiero|quisiera|necesito|deseo|quería|prefiero|preferiría|me gustaría) "
    "|(?:cómo )?(?:puedo|podría) ",
    meet="hablar con PERSON",
    person="(?:(?:una?|alg[uú]n|otra) )?(?:persona(?: real)?|(?:ser )?humano|agente(?: humano)?|operadora?"
    "|representante|asesora?|alguien)",
    please="(?: por favor)?",
    commands=("(?:p[aá]s[ae]|con[eé]ct[ae]|comun[ií]que)me con PERSON",),
    alone="(?:una? )?(?:persona real|humano|agente humano)",
)
_FRENCH: Final = _Asking(
    opening="(?:(?:et|mais|alors|bonjour|non|oui|bon|maintenant) )*",
    wish="(?:je (?:veux|voudrais|souhaite|souhaiterais|préfère|désire)|j['’]aimerais|(?:comment )?(?:puis|pourrais)-je"
    "|est-ce que je peux|laissez-moi) ",
    meet="(?:parler|discuter|échanger) (?:à|avec) PERSON",
    person="(?:(?:une?|votre) )?(?:vraie )?(?:(?:être )?humain|personne(?: réelle)?|conseill(?:er|ère)"
    "|agent(?: humain)?|opérat(?:eur|rice)|représentant|quelqu['’]un)",
    please="(?: s['’]il (?:vous|te) pla[iî]t)?",
    commands=("(?:passez|mettez|transférez)-moi (?:(?:à|(?:en (?:contact|relation) )?avec) )?PERSON",),
    alone="(?:une? )?(?:humain|conseill(?:er|ère)|vraie personne)",
)
_CHINESE: Final = _Asking(
    opening="",
    wish="(?:请|我|要|想|可以|能不能|能)*",
    meet="(?:和|跟|与)(?:一个|一位)?PERSON(?:说话|聊聊?|谈谈?|沟通|联系)",
    person="(?:真人|人工)(?:客服|服务)?|客服人员|工作人员",
    please="[吗吧]?",
    commands=(
        "(?:请|帮我|我要|我想|可以|能不能|能)*(?:转接?到?)PERSON",
        "(?:请|我|要|想|帮我|给我|可以|能不能|能)*(?:找|接|联系)(?:一个|一位)?PERSON",
    ),
    alone="PERSON",
)
_ARABIC: Final = _Asking(
    opening="(?:هل )?",
    wish="(?:[أا]ريد|[أا]رغب في|يمكنني|[أا]ود) (?:[أا]ن )?",
    meet="(?:التحدث|[أا]تحدث|التواصل) (?:[إا]لى|مع) PERSON",
    person="(?:شخص|إنسان|انسان|موظف|ممثل|بشر)(?: (?:حقيقي|آخر))?",
    please="(?: من فضلك)?",
    commands=("(?:حوّ?لني|حولوني) [إا]لى PERSON",),
    alone="[إا]نسان حقيقي",
)
_ASKING: Final = (_ENGLISH, _GERMAN, _SPANISH, _FRENCH, _CHINESE, _ARABIC)


def _read(asking: _Asking, said: str) -> re.Pattern[str]:
    named = said.replace("PERSON", f"(?:{asking.person})")
    return re.compile(f"{asking.opening}(?:{named}){asking.please}")


_REQUESTS: Final = tuple(
    _read(asking, said) for asking in _ASKING for said in (f"(?:{asking.wish})?(?:{asking.meet})", *asking.commands)
)
_ALONE: Final = tuple(_read(asking, asking.alone) for asking in _ASKING)
_DENIES: Final = re.compile(
    r"\b(?:not|never|without|cannot|rather than|dont|nicht|kein\w*|ohne|nunca|sin|sans|pas|jamais|لا|لم|بدون)\b"
    r"|n['’]t\b|不"
)
_ASKS_ABOUT: Final = re.compile(
    r"¿?(?:am|are|is|do|does|did|should|must|when|if|muss|müssen|soll|wann|wenn|debo|tengo|dois-je|faut-il)\b"
)
"""How a sentence begins that asks about it, as `Do I have to talk to a person?`, or speaks of what may be."""
_QUOTES: Final = re.compile(r"[\"“”„«»「」]|\b(?:translat|übersetz|traduc|tradui)|翻译")
"""A sentence that holds another's words, or wants them put into other ones."""
_SENTENCE_END: Final = re.compile(r"[.!?。！？؟\n]+")
_CLAUSE_END: Final = re.compile(r"[,;:，；：،؛]")
_SPACES: Final = re.compile(r"\s+")
_LONGEST: Final = 200
"""Characters of a clause that says little else."""


def asks_for_person(text: str) -> bool:
    """Return whether a sentence of the text asks for a person, in a language that there is a notice in."""
    return any(_is_wish(_SPACES.sub(" ", part).strip(" -").lower()) for part in _SENTENCE_END.split(text))


def _is_wish(sentence: str) -> bool:
    if _ASKS_ABOUT.match(sentence) or _QUOTES.search(sentence):
        return False
    named = sentence.replace(",", "").replace("，", "").replace("،", "")
    if len(named) <= _LONGEST and any(alone.fullmatch(named) for alone in _ALONE):
        return True
    return any(_is_request(clause.strip()) for clause in _CLAUSE_END.split(sentence))


def _is_request(clause: str) -> bool:
    is_short = 0 < len(clause) <= _LONGEST
    return is_short and not _DENIES.search(clause) and any(request.fullmatch(clause) for request in _REQUESTS)
