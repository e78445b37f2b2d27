# ruff: noqa: RUF001 - the words of many languages: letters that look like Latin ones are meant
"""What people say around their questions: greetings, thanks, yes and no. It asks for nothing a document could hold."""

import re
from typing import Final

from inference_service.domain import marks
from inference_service.domain.claims import is_courtesy
from inference_service.domain.words import language_of, subject_terms

_SAID: Final = {
    "en": "hello hi hey hiya morning afternoon evening day good great fine nice cool perfect awesome bye goodbye ok "
    "okay okey alright yes yeah yep yup no nope nah sure right true correct really seriously exactly maybe "
    "perhaps well so then now again still here sorry pardon excuse please thank thanks thx ty cheers welcome help "
    "helps helped helpful question questions ask mean repeat explain understand wait hmm hm huh oh ah wow lol "
    "test testing bot robot human chatbot somebody anybody m re ve ll d t don s up come else",
    "de": "hallo guten gute guter tag morgen abend moin servus grüß gott tschüss wiedersehen danke dankeschön schön "
    "vielen gern gerne ja nein doch nee klar alles okay gut super toll prima genau richtig wirklich echt sicher "
    "entschuldigung entschuldige sorry hilfe helfen frage fragen verstehe stimmt ach achso geht jemand mensch roboter",
    "es": "hola buenos buenas días tardes noches gracias muchas vale sí claro bueno bien perfecto genial adiós perdón "
    "perdona disculpe disculpa favor ayuda ayudar ayudarme pregunta verdad seguro alguien",
    "fr": "bonjour bonsoir salut merci beaucoup oui non si accord bien parfait super revoir pardon désolé désolée aide "
    "aider question vraiment sûr plaît excusez quelqu",
    "it": "ciao buongiorno buonasera salve grazie mille sì va bene perfetto certo davvero scusa scusi aiuto prego",
    "pt": "olá oi bom boa dia tarde noite obrigado obrigada sim não certo perfeito ajuda desculpe verdade",
    "nl": "hallo hoi goedemorgen goedemiddag goedenavond dag bedankt dank dankjewel graag nee oké goed prima echt help",
    "pl": "cześć witam hej dzień dobry dziękuję dzięki tak nie dobrze proszę pomoc",
    "ro": "bună salut ziua mulțumesc mersi da nu bine ajutor",
    "tr": "merhaba selam günaydın iyi günler teşekkürler teşekkür ederim evet hayır tamam peki yardım sağol",
    "vi": "chào xin cảm ơn vâng dạ ok",
    "ru": "привет здравствуйте здравствуй добрый день вечер утро спасибо большое да нет хорошо ок ладно понятно точно "
    "помощь помогите пожалуйста",
    "uk": "привіт вітаю добрий день дякую так ні добре гаразд",
    "el": "γεια καλημέρα καλησπέρα ευχαριστώ ναι όχι εντάξει παρακαλώ βοήθεια",
    "ar": "مرحبا أهلا اهلا السلام عليكم صباح مساء الخير شكرا نعم لا حسنا طيب تمام مساعدة",
    "he": "שלום היי תודה כן לא בסדר",
    "hi": "नमस्ते नमस्कार धन्यवाद शुक्रिया हाँ हां नहीं ठीक अच्छा मदद",
}
_WORDS: Final = frozenset(word for words in _SAID.values() for word in words.split())
_UNSPACED: Final = re.compile(
    "你好|您好|早上好|下午好|晚上好|谢谢|多谢|感谢|好的|好吧|在吗|再见|真的|确定|明白|请问|帮忙|"
    "こんにちは|こんばんは|おはよう(?:ございます)?|ありがとう(?:ございます|ございました)?|もしもし|はい|いいえ|すみません|本当|"
    "안녕하세요|안녕|감사합니다|고마워요?|고맙습니다|알겠습니다|여보세요|"
    "สวัสดี|ขอบคุณ|ขอโทษ|โอเค|ครับ|ค่ะ|คะ"
)
_WORD: Final = re.compile(r"[^\W_]+")


def subject_of(text: str) -> tuple[str, ...]:
    """Return the content terms of what a customer wrote, without small talk: none when it names nothing."""
    plain = _UNSPACED.sub(" ", text)
    return subject_terms(_WORD.sub(_unless_said, plain), language_of(text))


def is_small_talk(text: str) -> bool:
    """Tell whether a message names nothing that could be asked about, or is a courtesy that asks nothing."""
    is_asking = any(end in text for end in marks.QUESTION_ENDS)
    return not subject_of(text) or (is_courtesy(text) and not is_asking)


def _unless_said(word: re.Match[str]) -> str:
    return " " if word.group().lower() in _WORDS else word.group()
