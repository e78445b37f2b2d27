# ruff: noqa: RUF001 - Chinese and Arabic words are meant
"""Who asks for a person is heard; who asks about people is answered."""

import pytest

from inference_service.domain.asks_for_person import asks_for_person

ASKS = """
Can I talk to a human?
I want to speak to a real person please
i'd like to chat with an agent about my order
Could you please connect me with someone from support
How can I speak with a representative?
Let me talk to somebody!
This does not help. Talk to a person, please.
Transfer me to a live agent
I need a human
human
hello, I want to talk to a person
Can I speak to the manager?
How do I talk to a person?
I would like to talk to a human now
Agent, please
No, I want to talk to a human.
Hey give me a real person
I can't discuss this with you, and I'd like to speak to an actual person.
Why am I even wasting time with a machine, let me talk to a real person
Let me speak with someone else as this leads nowhere
Ich möchte mit einem Menschen sprechen.
Kann ich bitte mit jemandem reden?
Verbinden Sie mich bitte mit einem Mitarbeiter
Ich will einen echten Menschen
Mitarbeiter bitte
Quiero hablar con una persona
¿Puedo hablar con un agente humano?
Páseme con un asesor, por favor
Je voudrais parler à un humain
Puis-je parler à quelqu'un ?
J'aimerais discuter avec un conseiller
Passez-moi un conseiller
Mettez-moi en relation avec un conseiller s'il vous plaît
转人工
人工客服
我想找人工客服
请帮我转接人工服务
我要跟真人说话
أريد التحدث إلى شخص
هل يمكنني التحدث مع موظف؟
حولني إلى موظف من فضلك
"""
DOES_NOT = """
How many people does the Ridge tent sleep?
Can I talk to someone at the desk at night?
Do I have to talk to a person to return something?
Do I have to talk to a person?
I do not want to talk to a human
I don't want to speak to an agent.
Am I speaking with a real person?
If I need help, can I talk to a person?
My agent told me to ask you about the insurance
Is the price per person?
What does a travel agent cost?
We are four people.
I want a person-sized tent
Can guests talk to a person at reception?
Last week I was talking to someone about my order. Where is it?
I was speaking with a representative about my invoice
I am already talking to an agent
What happens if I talk to an agent?
How much does it cost us to talk to an agent
What hours can we talk to someone
Which number do I call to talk to a person
Will I talk to a person
Can we chat with people from other teams in the forum?
How do I transfer this to another person?
Can I forward this to a colleague?
Can you pass this to your colleague?
I love talking to people
My son wants me to talk to someone about depression
I'd rather die than talk to a human
Which cells are these: human, animal and plant cells
Price for: adult, child, person
What is the plural of: person
Agent: Smith
Translate to German: I want to talk to a person
She said "I want to talk to a person", what now?
Mensch, wie lange dauert der Versand?
Mitarbeiter: wie viele habt ihr?
Ich wollte gestern mit einem Mitarbeiter sprechen und niemand war da
¿Cuándo puedo hablar con alguien?
Mon fils veut parler à quelqu'un
Who is the operator of the ferry?
Wie viele Menschen passen in das Zelt?
Ich möchte nicht mit einem Menschen sprechen
Ich habe mit einem Mitarbeiter gesprochen und keine Antwort bekommen.
Was kostet das pro Person?
¿Cuánto cuesta por persona?
Mi agente de viajes no contesta
Combien coûte le billet par personne ?
Je ne veux pas parler à un humain
人工客服的工作时间是几点？
我不想转人工
这个帐篷能睡几个人？
كم شخصا تسع الخيمة؟
لا أريد التحدث إلى موظف
"""


@pytest.mark.parametrize("text", ASKS.strip().splitlines())
def test_who_asks_for_a_person_is_heard(text: str) -> None:
    assert asks_for_person(text)


@pytest.mark.parametrize("text", DOES_NOT.strip().splitlines())
def test_who_asks_about_people_is_answered(text: str) -> None:
    assert not asks_for_person(text)
