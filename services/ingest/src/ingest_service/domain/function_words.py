# ruff: noqa: RUF001  letters of many scripts: some look like Latin ones
"""Words of a question that name no subject. Among a shop's forty passages `how long` is rarer than `shipping`."""

from functools import lru_cache
from typing import Final

from ingest_service.domain.language import COMMON_WORDS

_BESIDE_COMMON: Final = {
    "en": "a about any anything are been before both but could each get got had has he her here him his into "
    "its it's just know let like long many may me might more much must need no off often one only or our "
    "out please same shall she should so some something such take takes tell than them then these they "
    "thing things those too under until up us use very want were whom whose will would yet far",
    "de": "ab aber alle alles also am andere bis bitte da dann darf dass dein dem den denn deren dies diese "
    "dieser doch dort du eines einem einen er etwas für geht gibt habe hatte ihr im ja jede kein keine "
    "können könnte man mich mir muss möchte ob ohne schon sehr sein seine sich sollte um uns unser unter "
    "viel viele vom vor wem wen wenig wieso wieviel will wo wofür womit wurden zum zur lange lang dauert",
    "es": "ante aquí cada cual esa ese eso esta este esto hasta hacer hace ha han las les le me mis muy "
    "necesito ni nos o pero porque puede pueden puedo quiero se ser si sin sobre son sus también tiene "
    "tienen todo tu un unos usted ya tiempo tarda",
    "fr": "aux avez avons ce ces cette ceci cela elle elles ils la leur leurs lui mais même mes moi ne nos "
    "notre ou peut peux plus pourquoi quelles quels qui quoi sa sans ses si sous ta te tes ton toute tout "
    "tu veux votre vos y temps faut dois",
    "it": "a alla alle anche ai agli che ci dalla dalle degli devo ed era fu gli hanno i io la lei lo loro ma "
    "mi mie nelle nei o perché più può quali quale quanta quante quanti questa questo se si sua sue sul "
    "sulla tra tempo voglio",
    "pt": "ao aos até das dos ela eles entre era essa esse esta este eu há isso isto já lhe mas me muito nas "
    "nem no nos ou para pela pelo porque pode podem preciso quais quantas seu sem ser sua também tem ter "
    "uma umas uns quero tempo",
    "nl": "al alle ben bent dan deze die dit doet door dus een geen had heb hebben hij hun je jullie kunnen "
    "maar me mag moet nog nu of onder ons over te toch tot uw veel voor waren wel wil zal ze zich zij zo "
    "zou lang duurt",
    "ru": "а без бы был была были было быть в вам вас ваш ваша ваше ваши вы где да для до его ее её ему если "
    "есть еще ещё же за и из или им их к как какая какие каким какими какой какую когда кого кому кто ли "
    "меня мне могу можем может можно мой моя моё мои моего мою моей мы на над надо нам нас наш не него "
    "нее неё нет ни них но ну нужно о об он она они оно от по под почему при про с сколько со так также "
    "там то того тоже только тот ту у уже чего чем через что чтобы это эта эти этот этой этого я",
    "uk": "а або але без би був була були було в вам ви де для до його її за і з із й к коли котрий ли мене "
    "мені ми мій можна можу на над наш не ні о об он по під при про скільки та так також те то у хто це "
    "цей чи чому що щоб як яка який які я",
    "ar": "في من على إلى عن مع هل ما ماذا متى أين كيف لماذا كم أي أية هو هي هم أنا نحن أنت هذا هذه ذلك تلك التي "
    "الذي الذين كان كانت يكون تكون قد لا لم لن أن إن أو و ثم بعد قبل كل بين عند لدى يمكن يمكنني هناك ومن "
    "وما وفي",
    "fa": "از به در با برای که این آن را و یا هم تا چه چرا کجا کی چگونه چند آیا من ما شما او است هست بود می شود کند",
    "hi": "का के की को से में पर है हैं था थे थी हो होगा होगी होते होता और या यह वह ये वे जो कि क्या कब कहाँ "
    "कैसे क्यों कितना कितने कितनी कौन कौन सा से मैं मुझे मेरा मेरे मेरी हम हमें आप आपका आपके तो भी ही ने "
    "एक लिए तक कर करें करना करूँ कोई कुछ अपना अपने अपनी सकता सकते सकती हूँ नहीं न बाद साथ यदि अगर",
    "el": "ο η το οι τα του της των τον την και να θα σε από με για που πως πώς πότε πού ποιος ποια ποιο τι "
    "είναι ήταν στο στη στην στον στα δεν μην μου μας σας αν ή όχι ένα μια πόσο πόσα πόσοι γιατί μπορώ",
}


@lru_cache(maxsize=64)
def function_words(language: str) -> frozenset[str]:
    """Those of a language, in lower case; none where words are written together."""
    return frozenset(f"{COMMON_WORDS.get(language, '')} {_BESIDE_COMMON.get(language, '')}".split())
