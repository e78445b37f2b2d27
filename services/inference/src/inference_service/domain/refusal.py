# ruff: noqa: RUF001 - the sentences of many languages: letters that look like Latin ones are meant
"""How the built-in answerer says that the documents do not hold the answer."""

from typing import Final

_SENTENCES: Final = {
    "en": "I could not find an answer to that in our documents.",
    "de": "Dazu habe ich in unseren Unterlagen keine Antwort gefunden.",
    "es": "No he encontrado una respuesta a eso en nuestros documentos.",
    "fr": "Je n'ai pas trouvé de réponse à cela dans nos documents.",
    "zh": "我在我们的资料中没有找到这个问题的答案。",
    "ar": "لم أجد إجابة عن هذا السؤال في مستنداتنا.",
    "it": "Non ho trovato una risposta a questa domanda nei nostri documenti.",
    "pt": "Não encontrei uma resposta a essa pergunta nos nossos documentos.",
    "nl": "Ik heb daarop geen antwoord gevonden in onze documenten.",
    "pl": "Nie znaleziono odpowiedzi na to pytanie w naszych dokumentach.",
    "ro": "Nu am găsit un răspuns la această întrebare în documentele noastre.",
    "tr": "Belgelerimizde bu soruya bir yanıt bulamadım.",
    "vi": "Tôi không tìm thấy câu trả lời cho câu hỏi này trong tài liệu của chúng tôi.",
    "ru": "В наших документах не нашлось ответа на этот вопрос.",
    "uk": "У наших документах не знайшлося відповіді на це запитання.",
    "el": "Δεν βρήκα απάντηση σε αυτή την ερώτηση στα έγγραφά μας.",
    "he": "לא מצאתי תשובה לשאלה הזו במסמכים שלנו.",
    "hi": "हमारे दस्तावेज़ों में इस सवाल का जवाब नहीं मिला।",
    "th": "ขออภัย ไม่พบคำตอบสำหรับคำถามนี้ในเอกสารของเรา",
    "ja": "申し訳ありませんが、資料の中にご質問への回答が見つかりませんでした。",
    "ko": "저희 자료에서 이 질문에 대한 답변을 찾지 못했습니다.",
}
REFUSALS: Final = frozenset(_SENTENCES.values())


def refusal(language: str) -> str:
    """Return the sentence in a language given by its two-letter code, in English where there is no other."""
    return _SENTENCES.get(language, _SENTENCES["en"])
