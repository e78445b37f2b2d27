"""Words of a question and of sentences, made comparable: language, function words, stems, bigrams.

Enough to match a question with the sentences of a few passages. Finding the passages is the search's work.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Final

import snowballstemmer

FUNCTION_WORDS: Final = {
    "en": "a about after all also an and any are as at be been before being between both but by can could did do does doing "
    "each for from had has have having he her his how i if in into is it its may me might my no not of on or our own same "
    "shall she should so some such than that the their them then there these they this those to too under until us very "
    "was we were what whats when where which while who whom whose why will with would you your please tell get got much "
    "many long often far",
    "de": "ab aber alle als am an auch auf aus bei beim bin bis da dann darf das dass dein dem den der des die dies diese "
    "dieser dieses doch dort du durch ein eine einem einen einer eines er es für gibt hat habe haben hatte ich ihr ihre ihnen "
    "im in ist ja kann können man mein meine meinen mich mir mit nach nicht noch nur ob oder ohne sehr sein seine sich sie "
    "sind so über um und uns unser unter vom von vor wann war waren warum was welche welchem welchen welcher welches wenn wer "
    "wem wen werden wessen wie wieviel wieso wird wo wofür woher wohin womit wurde wurden zu zum zur viel viele lange bitte",
    "es": "a al ante aquí como cómo con cual cuál cuáles cuando cuándo cuanta cuánta cuántas cuanto cuánto cuántos de del "
    "desde donde dónde durante e el ella ellos en entre era eran es esa ese eso esta está están este esto estos fue fueron "
    "ha han hasta hay la las le les lo los me mi mis más muy ni no nos o para pero por porque puede pueden puedo que qué "
    "quien quién quiénes se sea ser si sin sobre son su sus también te tiene tienen tengo tu un una unas uno unos usted y ya",
    "fr": "à au aux avec ce ces cet cette ceci cela comme comment dans de des du elle elles en est et été être eu fait ont a "
    "as ai avez avons il ils je la le les leur leurs lui l d j m n s t c qu ma mais me mes moi mon ne nos notre nous on ou où "
    "par pas peut peux plus pour pourquoi puis qu quand que quel quelle quelles quels qui quoi sa sans se ses si son sont "
    "sous sur ta te tes ton tu un une vos votre vous y combien était étaient sera",
    "it": "a ad al alla alle ai agli anche che chi ci come con cosa cui da dal dalla dalle dei del della delle degli di dove "
    "e è ed era erano fu gli ha hanno ho i il in io la le lei li lo loro lui ma mi mia mio nel nella nelle nei non o per "
    "perché più può posso qual quale quali quando quanto quanti quanta quante questa questo se si sono sua sue sul sulla suo "
    "tra un una uno vi l d",
    "pt": "a ao aos as à às até com como da das de do dos e é ela eles em entre era eram esse esta está este eu foi foram "
    "há isso isto já lhe mais mas me meu minha muito na nas não nem no nos o os ou para pela pelas pelo pelos por porque "
    "posso pode qual quais quando quanto quantos quantas que quem se sem ser seu sua são também tem um uma você onde",
    "nl": "aan al als bij ben bent dan dat de der deze die dit door een en er gaat geen had heb hebben heeft het hij hoe "
    "hoeveel ik in is je jullie kan kunnen maar met mijn moet na naar niet nog of om onder ons ook op over te tot uit uw van "
    "veel voor waar waarom wanneer wat we welk welke werd werden wie wij wordt worden zal ze zich zij zijn zo lang",
    "ro": "a al ale ai am ar are as au ca că câți câte când care cât ce cea cel cei cele cine cu cum către de despre din după "
    "ea ei el ele era erau este eu fi fie fost i în îl îmi își la le lor lui mai mea meu mi ne nu o or pe pentru pot prin sa "
    "sau se si și sub sunt un una unde unei unui unor",
    "tr": "ama bir biri bu bunu çok da daha de diye en gibi hangi hangisi hangileri hem her için ile ise kaç kadar kim kime "
    "ki mi mı mu mü nasıl ne neden nedir neler nerede nereye o olan olarak olduğu oldu olur onun sonra tarafından var ve "
    "veya ya yok zaman şey şu idi değil",
    "vi": "ai bao bị bởi các cái của cho có cùng chỉ đã đang đâu để đến điều do được gì giờ hay hơn khi không là lại lúc "
    "mà mấy một này nào năm nếu ngày người nhiêu như những nhiều ở ra rằng rất sao sau sẽ tại thế thì theo tôi trên trong "
    "trước từ và vào vẫn vậy về vì với",
    "ru": "а без более был была были было быть в вам вас весь во вот все всех вы где да для до его ее её если есть еще же за "
    "и из или им их к как какая какие какой каком какую каких ко когда кого кому кто куда ли между меня мне можно мой мы на "
    "над не него нет но ну о об он она они от откуда по под почему при с сколько со так также такой там то тот ту ты у уже "
    "чего чем что чтобы эта эти это этот я",
    "el": "ο η το οι τα του της των τον την τους τις στο στη στην στον στα στις στους και κι είναι ήταν να θα δεν μη μην με "
    "για από σε που πού πως πώς πότε ποιος ποια ποιο ποιοι ποιες ποιους ποιον ποιου τι γιατί πόσο πόση πόσοι πόσες πόσα ένα "
    "ένας μια μία ως αν ή αλλά έχει έχουν είχε μου σου μας σας αυτό αυτή αυτός αυτά ότι κατά μετά πριν όταν",
    "ar": "في من على إلى الى عن ما ماذا متى أين اين كيف كم هل هو هي هم لماذا لم لا لن ليس مع هذا هذه ذلك تلك التي الذي الذين "
    "كان كانت يكون تكون قد أن ان إن أو او و ثم بين عند بعد قبل كل أي اي أية بعض غير حتى منذ لدى لديكم لدي لها له لهم به بها "
    "فيها فيه منها منه عليها عليه اسم يتم تم",
    "hi": "का के की को में से है हैं था थी थे और या पर ने यह वह ये वे इस उस एक कि जो क्या कब कहाँ कहां कौन किस किसने किसे किसका "
    "किसके किसकी कितना कितने कितनी कैसे क्यों कौनसा कौन-सा भी तो ही लिए साथ द्वारा तक नहीं हो होता होती होते हुआ हुई हुए कर करने "
    "किया किए की गई गया गए जाता जाती जाते रहा रही रहे अपने अपना अपनी मैं हम आप मेरे मेरा",
}
_UNSPACED_FUNCTION_WORDS: Final = {
    "zh": "为什么 什么 多少 哪些 哪个 哪里 哪种 哪一 怎么样 怎么 怎样 如何 何时 何种 谁 几 是否 可以 能否 请问 你们 我们 他们 它们 以及 "
    "的 是 了 在 和 与 有 吗 呢 被 于 其 这 那 之 我 你 您 他 她 它 多久 也 都 就 将 所 及 对 中 把 并 而 但 或",
    "ja": "どのように どのくらい なぜ どこ どの どれ いつ だれ 誰 何 いくつ いくら ですか ますか でしょうか です ます ください から まで "
    "より など は が を に の で と も へ や か",
    "th": "อะไร ที่ไหน เมื่อไหร่ เมื่อใด เท่าไหร่ เท่าใด อย่างไร ทำไม เพราะเหตุใด ใคร กี่ ใด ไหม หรือไม่ หรือ คือ ของ ใน ที่ และ เป็น ได้ "
    "ให้ กับ จาก โดย ว่า มี การ ความ ซึ่ง นี้ นั้น",
}
_STEMMERS: Final = {
    "ar": "arabic",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "hi": "hindi",
    "it": "italian",
    "nl": "dutch",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "tr": "turkish",
}

_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
)
_SCRIPTS: Final = (
    ("ja", re.compile("[\u3041-\u30ff]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("ko", re.compile("[\uac00-\ud7a3]")),
    ("th", re.compile("[\u0e01-\u0e5b]")),
    ("ar", re.compile("[\u0620-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("el", re.compile("[\u0370-\u03ff\u1f00-\u1fff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("he", re.compile("[\u05d0-\u05ea]")),
)
_MARKS: Final = "".join(chr(code) for code in range(0x300, 0x1000) if unicodedata.category(chr(code))[0] == "M")
_TOKEN: Final = re.compile(f"(?P<unspaced>[{_UNSPACED}]+)|(?:(?![{_UNSPACED}])[^\\W_]|[{re.escape(_MARKS)}])+")
_LATIN: Final = re.compile("[a-z\u00df-\u024f\u1e00-\u1eff]")
_VIETNAMESE: Final = re.compile("[ăơưđạ-ỹ]")
_POSSESSIVE: Final = re.compile("['\u2019]s\\b")
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200d\u2060\u0640\u064b-\u0652]")
"""Soft hyphens, joiners, and the Arabic vowel signs and stretching mark that some writers set and most leave out."""
_FOLDED: Final = re.compile("[\u0300-\u036f]")

_IS_FUNCTION_WORD: Final = {code: frozenset(words.split()) for code, words in FUNCTION_WORDS.items()}
_UNSPACED_CUTS: Final = {
    code: re.compile("|".join(sorted(words.split(), key=len, reverse=True)))
    for code, words in _UNSPACED_FUNCTION_WORDS.items()
}
_LATIN_LANGUAGES: Final = ("en", "de", "es", "fr", "it", "pt", "nl", "ro", "tr", "vi")


def language_of(text: str) -> str:
    """Return the two-letter code of the language a text is in, `und` when nothing speaks for one.

    By the script, and among those in Latin letters by their function words; a question of a few words is enough.
    """
    counts = {code: len(script.findall(text)) for code, script in _SCRIPTS}
    latin = len(_LATIN.findall(text.lower()))
    if counts["ja"] and counts["ja"] * 10 >= counts["zh"] and counts["ja"] + counts["zh"] > latin // 3:
        return "ja"
    code = max(counts, key=counts.__getitem__)
    weight = 3 if code in ("zh", "ko") else 1  # one of these characters says as much as three letters
    if counts[code] * weight > latin:
        return code
    return _latin_language(text.lower()) if latin else "und"


def terms(text: str, language: str) -> list[str]:
    """Return a text's terms in reading order: stems of words, bigrams of what is written without spaces."""
    found: list[str] = []
    for match in _TOKEN.finditer(_normal(text)):
        if match.lastgroup == "unspaced":
            found += _bigrams(match.group())
        else:
            found.append(_stem(match.group(), language))
    return found


def content_terms(question: str, language: str) -> tuple[str, ...]:
    """Return the distinct terms of a question without its function words, or all of them when no others are left."""
    text = _normal(question)
    if cuts := _UNSPACED_CUTS.get(language):
        text = cuts.sub(" ", text)
    dropped = _IS_FUNCTION_WORD.get(language, frozenset())
    words = [match.group() for match in _TOKEN.finditer(text)]
    content = " ".join(word for word in words if word not in dropped)
    return tuple(dict.fromkeys(terms(content or question, language)))


def _normal(text: str) -> str:
    return _POSSESSIVE.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).lower()


def _bigrams(run: str) -> list[str]:
    return [first + second for first, second in pairwise(run)] if len(run) > 1 else [run]


@lru_cache(maxsize=30_000)
def _stem(word: str, language: str) -> str:
    if name := _STEMMERS.get(language):
        word = snowballstemmer.stemmer(name).stemWord(word)
    if language == "vi" or not _LATIN.match(word):
        return word
    return _FOLDED.sub("", unicodedata.normalize("NFD", word)).replace("ß", "ss").replace("ı", "i")


def _latin_language(text: str) -> str:
    if len(_VIETNAMESE.findall(text)) * 12 > len(text):
        return "vi"
    words = re.findall(r"[^\W\d_]+", text)
    scores = {code: sum(word in _IS_FUNCTION_WORD[code] for word in words) for code in _LATIN_LANGUAGES}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] else "und"
