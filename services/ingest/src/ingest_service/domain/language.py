"""Which language a text is in, from its script and its commonest words; cheap enough for every query and passage."""

import re
from collections import defaultdict
from typing import Final

from ingest_service.domain import scripts

UNDETERMINED: Final = "und"
CLEAR: Final = 0.6
"""A language is clear when no other has more than this share of its words."""
RARER: Final = 1.5
"""Words of a rarer language that make it clear: the `pro` of `iPhone 15 Pro` is Czech, and alone tells nothing."""
FEWEST_WITNESSES: Final = 2
LOOKED_AT: Final = 2_000
"""Characters of a text that are looked at: a passage is never longer by much."""

_SCRIPTS: Final = {
    name: re.compile(f"[{ranges}]")
    for name, ranges in (
        ("kana", scripts.KANA),
        ("hangul", scripts.HANGUL),
        ("han", scripts.HAN),
        ("thai", scripts.THAI),
        ("lao", scripts.LAO),
        ("myanmar", scripts.MYANMAR),
        ("khmer", scripts.KHMER),
        ("arabic", scripts.ARABIC),
        ("hebrew", scripts.HEBREW),
        ("devanagari", scripts.DEVANAGARI),
        ("tamil", scripts.TAMIL),
        ("armenian", scripts.ARMENIAN),
        ("greek", scripts.GREEK),
        ("cyrillic", scripts.CYRILLIC),
        ("latin", scripts.LATIN),
    )
}
# a character of these scripts says about as much as a word of the others
_DENSE_SCRIPTS: Final = frozenset({"kana", "hangul", "han"})
_BY_SCRIPT: Final = {
    "hangul": "ko",
    "han": "zh",
    "thai": "th",
    "lao": "lo",
    "myanmar": "my",
    "khmer": "km",
    "hebrew": "he",
    "devanagari": "hi",
    "tamil": "ta",
    "armenian": "hy",
    "greek": "el",
}
_PERSIAN: Final = re.compile("[\u067e\u0686\u0698\u06af\u06cc]")
_URDU: Final = re.compile("[\u0679\u0688\u0691\u06ba\u06d2]")
_UKRAINIAN: Final = re.compile("[\u0456\u0457\u0454\u0491]", re.IGNORECASE)
_VIETNAMESE: Final = re.compile("[\u01a1\u01b0\u0111\u1ea0-\u1ef9]", re.IGNORECASE)
# what follows an apostrophe or a digit is no word of its own, nor is what stands before one: the `s` of `what's` and
# the `v` of `12V` must not count for languages that have such words
_WORD: Final = re.compile(f"(?<!['\u2019\\d{scripts.LATIN}])[{scripts.LATIN}]++(?!\\d)")

_GREEK_WORD: Final = re.compile(f"[{scripts.GREEK}]{{3}}")

# the commonest function words; a word that several languages share counts for each of them
COMMON_WORDS: Final = {
    "en": "the of and to in is a that for it was on are as with what be by at from this or an how do does can i my you "
    "your when which who where why if not have has were did we our will after many much there their",
    "es": "el la los las de del y en que un una es por con para se su al lo como más qué cuál cuándo dónde quién cómo "
    "fue son está no mi puedo tiene cuántos cuántas cuánto cuánta tengo hay entre sobre",
    "de": "der die das und ist in den von zu mit im des dem ein eine einer nicht auf für sich auch wie was wer wann wo "
    "warum welche welcher welches ich kann wird wurde war sind bei nach aus als oder durch über nur noch alle mein "
    "meine wir sie es hat haben wenn",
    "fr": "le la les de des du et est en un une que qui dans pour pas par sur au aux avec ce il elle je mon ma quel "
    "quelle quand où comment pourquoi sont été se ne puis combien nous vous",
    "it": "il lo la gli le di del della dei delle e è in un una che per non con sono da al come quando dove chi quale "
    "perché si ha nel nella posso mio mia ho quanto quanti cosa",
    "pt": "o a os as de do da dos das e em um uma que é para por com não no na se ao mais como quando onde quem qual "
    "foi são está meu minha posso tenho quanto quantos quantas você há",
    "nl": "de het een en van in is dat op te zijn met voor niet aan er om ook als bij door wat wie waar wanneer hoe "
    "waarom welke ik mijn kan wordt werd naar uit heeft hebben hoeveel",
    "ro": "și de la în a cu pe care este un o nu din pentru ce au fost sunt se mai al ale ai lui cine când unde cum "
    "cât câte câți să am că sau fi prin",
    "tr": "ve bir bu da de için ile ne en olarak çok daha gibi olan nas\u0131l kim nerede hangi neden kaç değil mi var "
    "sonra kadar taraf\u0131ndan edilen",
    "pl": "i w na z do się nie jest to że od o jak co za po czy dla przez gdzie kiedy kto który która dlaczego ile "
    "są był mój mogę ten ta te tym tego być mam nie ma jestem jaki jaka jakie",
    "cs": "a v na se je z do to že s o jak co za po pro jsem kde kdy kdo který která proč kolik jsou byl můj mohu",
    "sv": "och i att det som en på är av för med till den har inte om ett var vad hur när vem vilken jag min kan",
    "da": "og i at det som en på er af for med til den har ikke om et var hvad hvordan hvornår hvem jeg min kan",
    "no": "og i at det som en på er av for med til den har ikke om et var hva hvordan når hvem hvilken jeg min kan",
    "fi": "ja on ei se että oli ovat kuin mitä miten milloin missä kuka miksi minun voin joka myös mutta sen tai",
    "hu": "a az és hogy nem is egy van volt mi mit hogyan mikor hol ki miért milyen ez meg de el hány melyik",
    "id": "yang dan di dari untuk dengan ini itu pada adalah tidak apa bagaimana kapan siapa mengapa saya dapat oleh",
    "vi": "và của là có trong được cho với không các một những này đã khi người ở gì nào ai đâu bao nhiêu từ",
}
_LANGUAGES_OF: Final[dict[str, tuple[str, ...]]] = {
    word: tuple(language for language, words in COMMON_WORDS.items() if word in words.split())
    for word in {word for words in COMMON_WORDS.values() for word in words.split()}
}
# letters that one language writes, or a few: a short question often has such a word and none of the common ones
_LETTERS: Final = {
    "\u0131\u011f": ("tr",),
    "\u015f": ("tr", "ro"),
    "\u0219\u021b\u0163\u0103": ("ro",),
    "\u0142\u0105\u0119\u017c\u017a\u015b\u0107": ("pl",),
    "\u0159\u011b\u016f": ("cs",),
    "\u0151\u0171": ("hu",),
    "\u00df": ("de",),
    "\u00f1\u00bf": ("es",),
    "\u00e3\u00f5": ("pt",),
    "\u00f8\u00e6": ("da", "no"),
    "\u00e5": ("sv", "da", "no"),
}
_LETTER: Final = re.compile(f"[{''.join(_LETTERS)}]")
_WRITTEN_IN: Final = {letter: languages for letters, languages in _LETTERS.items() for letter in letters}
_UNDECIDED: Final = ("en", "de", "es", "fr", "it", "pt", "nl")


def detect(text: str) -> str:
    """The language's two-letter code, or `UNDETERMINED` when too little speaks for one.

    A word alone is too little: the `per` of a Dutch price list, the `Las` of Las Vegas, the `Ω` behind a number.
    """
    found = candidates(text)
    if len(found) != 1:
        return UNDETERMINED
    (language,) = found
    if language == "el" and not _GREEK_WORD.search(text):
        return UNDETERMINED
    by_script = language not in COMMON_WORDS or language == "vi"
    return language if by_script or _is_told(text[:LOOKED_AT], language) else UNDETERMINED


def _is_told(text: str, language: str) -> bool:
    """Whether different words speak for a Latin language: its commonest, or some with letters that few others write.

    A letter behind a number is a unit. Common words with a capital before another one may all be of names (`Die Hard`,
    `Las Vegas`), so that they alone tell nothing.
    """
    are_capitals = text.isupper()
    found, sure = set[str](), set[str]()
    for match in _WORD.finditer(text):
        written, word = match.group(), match.group().replace("\u0130", "\u0131").lower()
        before, after = text[max(match.start() - 2, 0) : match.start()], text[match.end() : match.end() + 2]
        is_unit = len(written) == 1 and (written.isupper() or any(map(str.isdigit, before)))
        letters = (language in _WRITTEN_IN[letter] for letter in _LETTER.findall(word))
        if any(letters) or (language in _LANGUAGES_OF.get(word, ()) and not is_unit):
            found.add(word)
            if are_capitals or not (written[0].isupper() and after[:1] == " " and after[1:].isupper()):
                sure.add(word)
    return len(found) >= FEWEST_WITNESSES and bool(sure)


def candidates(text: str) -> tuple[str, ...]:
    """The languages the text may be in, likeliest first: one when it is clear, several Latin ones for a short query."""
    text = text[:LOOKED_AT]
    script = _script(text)
    if script in _BY_SCRIPT:
        return (_BY_SCRIPT[script],)
    if script == "kana":
        return ("ja",)
    if script == "arabic":
        return ("ur",) if _URDU.search(text) else ("fa",) if _PERSIAN.search(text) else ("ar",)
    if script == "cyrillic":
        return ("uk",) if _UKRAINIAN.search(text) else ("ru",)
    return _latin(text) if script == "latin" else ()


def _script(text: str) -> str | None:
    if text.isascii():
        return "latin" if _SCRIPTS["latin"].search(text) else None
    counts = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS.items()}
    weighed = {name: count * (3 if name in _DENSE_SCRIPTS else 1) for name, count in counts.items()}
    best = max(weighed, key=weighed.__getitem__)
    if not weighed[best]:
        return None
    # Japanese mixes kana with Han; a few kana are enough to tell it from Chinese
    return "kana" if best == "han" and counts["kana"] * 10 >= counts["han"] else best


def _latin(text: str) -> tuple[str, ...]:
    if len(_VIETNAMESE.findall(text)) * 20 > len(text):
        return ("vi",)
    scores: defaultdict[str, float] = defaultdict(float)
    for word in _WORD.findall(text.lower()):
        spoken_in = _LANGUAGES_OF.get(word, ())
        for language in spoken_in:
            scores[language] += 1.0 / len(spoken_in)
    # Python makes two characters of the Turkish capital
    written: set[str] = set()
    for letter in _LETTER.findall(text.replace("\u0130", "\u0131").lower()):
        written_in = _WRITTEN_IN[letter]
        written.update(written_in)
        for language in written_in:
            scores[language] += 1.0 / len(written_in)
    if not scores:
        return _UNDECIDED
    best, *others = sorted(scores, key=scores.__getitem__, reverse=True)
    score = scores[best]
    least = 1 if best in _UNDECIDED or best in written else RARER
    if score >= least and all(scores[other] <= score * CLEAR for other in others):
        return (best,)
    return tuple(dict.fromkeys((best, *others, *_UNDECIDED)))
