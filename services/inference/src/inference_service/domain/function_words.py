# ruff: noqa: RUF001 - the words of many languages: letters that look like Latin ones are meant
"""Function words: articles, pronouns, auxiliaries, question words. They tell a language, not a subject."""

from typing import Final

FUNCTION_WORDS: Final = {
    "en": "a about after all also an and any are as at be been before being between both but by can could did do "
    "does doing each for from had has have having he her his how i if in into is it its may me might my no "
    "not of on or our own same shall she should so some such than that the their them then there these they "
    "this those to too under until us very was we were what whats when where which while who whom whose why "
    "will with would you your please tell get got much many long often far something anything everything "
    "someone anyone thing things one ones see take takes",
    "de": "ab aber alle als am an auch auf aus bei beim bin bis da dann darf das dass dein dem den der des die dies "
    "diese dieser dieses doch dort du durch ein eine einem einen einer eines er es für gibt hat habe haben "
    "hatte ich ihr ihre ihnen im in ist ja kann können man mein meine meinen mich mir mit nach nicht noch nur "
    "ob oder ohne sehr sein seine sich sie sind so über um und uns unser unter vom von vor wann war waren "
    "warum was welche welchem welchen welcher welches wenn wer wem wen werden wessen wie wieviel wieso wird "
    "wo wofür woher wohin womit wurde wurden zu zum zur viel viele lange bitte wir habt hast hatten muss musst "
    "müssen müsst musste sollen soll sollte sollten könnt könnte könnten dürfen dürft will wollen wollt möchte "
    "möchten würde würden tun tut mache machen macht kein keine keinen denn also etwas alles jemand euch euer eure "
    "dich dir hoch",
    "es": "a al ante aquí como cómo con cual cuál cuáles cuando cuándo cuanta cuánta cuántas cuanto cuánto cuántos "
    "de del desde donde dónde durante e el ella ellos en entre era eran es esa ese eso esta está están este "
    "esto estos fue fueron ha han hasta hay la las le les lo los me mi mis más muy ni no nos o para pero por "
    "porque puede pueden puedo que qué quien quién quiénes se sea ser si sin sobre son su sus también te "
    "tiene tienen tengo tu un una unas uno unos usted y ya debo debe deben debemos hacer hago hace puedes podemos "
    "quiero quiere necesito nuestro vuestro algo",
    "fr": "à au aux avec ce ces cet cette ceci cela comme comment dans de des du elle elles en est et été être eu "
    "fait ont a as ai avez avons il ils je la le les leur leurs lui l d j m n s t c qu ma mais me mes moi mon "
    "ne nos notre nous on ou où par pas peut peux plus pour pourquoi puis quand que quel quelle quelles quels "
    "qui quoi sa sans se ses si son sont sous sur ta te tes ton tu un une vos votre vous y combien était "
    "étaient sera dois doit doivent devons devez faut faire fais faites veux veut voudrais peuvent pouvez pouvons "
    "suis êtes sommes",
    "it": "a ad al alla alle ai agli anche che chi ci come con cosa cui da dal dalla dalle dei del della delle "
    "degli di dove e è ed era erano fu gli ha hanno ho i il in io la le lei li lo loro lui ma mi mia mio nel "
    "nella nelle nei non o per perché più può posso qual quale quali quando quanto quanti quanta quante "
    "questa questo se si sono sua sue sul sulla suo tra un una uno vi l d devo deve devono dobbiamo fare faccio "
    "voglio vorrei possono possiamo avete abbiamo siete",
    "pt": "a ao aos as à às até com como da das de do dos e é ela eles em entre era eram esse esta está este eu foi "
    "foram há isso isto já lhe mais mas me meu minha muito na nas não nem no nos o os ou para pela pelas pelo "
    "pelos por porque posso pode qual quais quando quanto quantos quantas que quem se sem ser seu sua são "
    "também tem um uma você onde devo deve devem fazer faço quero preciso podem podemos têm temos",
    "nl": "aan al als bij ben bent dan dat de der deze die dit door een en er gaat geen had heb hebben heeft het "
    "hij hoe hoeveel ik in is je jullie kan kunnen maar met mijn moet na naar niet nog of om onder ons ook op "
    "over te tot uit uw van veel voor waar waarom wanneer wat we welk welke werd werden wie wij wordt worden "
    "zal ze zich zij zijn zo lang moeten mag mogen doen doe wil willen hebt onze",
    "ro": "a al ale ai am ar are as au ca că câți câte când care cât ce cea cel cei cele cine cu cum către de "
    "despre din după ea ei el ele era erau este eu fi fie fost i în îl îmi își la le lor lui mai mea meu mi "
    "ne nu o or pe pentru pot prin sa sau se si și sub sunt un una unde unei unui unor",
    "tr": "ama bir biri bu bunu çok da daha de diye en gibi hangi hangisi hangileri hem her için ile ise kaç kadar "
    "kim kime ki mi mı mu mü nasıl ne neden nedir neler nerede nereye o olan olarak olduğu oldu olur onun "
    "sonra tarafından var ve veya ya yok zaman şey şu idi değil",
    "vi": "ai bao bị bởi các cái của cho có cùng chỉ đã đang đâu để đến điều do được gì giờ hay hơn khi không là "
    "lại lúc mà mấy một này nào năm nếu ngày người nhiêu như những nhiều ở ra rằng rất sao sau sẽ tại thế thì "
    "theo tôi trên trong trước từ và vào vẫn vậy về vì với",
    "pl": "aby albo ale bardzo być był była było były będzie bez co czy czyli czym dla dlaczego do gdy gdzie i ich "
    "ile im ja jak jaka jaki jakie jako jest jestem jeśli jeżeli już kiedy kim kogo kto które którego której który "
    "która lub ma macie mają mam mi mnie można mogę może możecie mój moja moje mu na nad nam nas nasz nie nim "
    "o od one oraz po pod przed przez przy są się skąd ta tak także tam te tego tej to tu tych tylko tym u w "
    "wam was we wasz więc z za ze że żeby",
    "ru": "а без более был была были было быть в вам вас весь во вот все всех вы где да для до его ее её если есть "
    "еще же за и из или им их к как какая какие какой каком какую каких ко когда кого кому кто куда ли между "
    "меня мне можно мой мы на над не него нет но ну о об он она они от откуда по под почему при с сколько со "
    "так также такой там то тот ту ты у уже чего чем что чтобы эта эти это этот я",
    "el": "ο η το οι τα του της των τον την τους τις στο στη στην στον στα στις στους και κι είναι ήταν να θα δεν "
    "μη μην με για από σε που πού πως πώς πότε ποιος ποια ποιο ποιοι ποιες ποιους ποιον ποιου τι γιατί πόσο "
    "πόση πόσοι πόσες πόσα ένα ένας μια μία ως αν ή αλλά έχει έχουν είχε μου σου μας σας αυτό αυτή αυτός αυτά "
    "ότι κατά μετά πριν όταν",
    "ar": "في من على إلى الى عن ما ماذا متى أين اين كيف كم هل هو هي هم لماذا لم لا لن ليس مع هذا هذه ذلك تلك التي "
    "الذي الذين كان كانت يكون تكون قد أن ان إن أو او و ثم بين عند بعد قبل كل أي اي أية بعض غير حتى منذ لدى "
    "لديكم لدي لها له لهم به بها فيها فيه منها منه عليها عليه اسم يتم تم",
    "hi": "का के की को में से है हैं था थी थे और या पर ने यह वह ये वे इस उस एक कि जो क्या कब कहाँ कहां कौन किस "
    "किसने किसे किसका किसके किसकी कितना कितने कितनी कैसे क्यों कौनसा कौन-सा भी तो ही लिए साथ द्वारा तक नहीं "
    "हो होता होती होते हुआ हुई हुए कर करने किया किए गई गया गए जाता जाती जाते रहा रही रहे अपने अपना अपनी मैं "
    "हम आप मेरे मेरा",
}
"""By two-letter language code, separated by spaces."""

UNSPACED_FUNCTION_WORDS: Final = {
    "zh": "为什么 什么 多少 哪些 哪个 哪里 哪种 哪一 怎么样 怎么 怎样 如何 何时 何种 谁 "
    "几 是否 可以 能否 请问 你们 我们 他们 它们 以及 的 是 了 在 和 与 有 吗 呢 "
    "被 于 其 这 那 之 我 你 您 他 她 它 多久 也 都 就 将 所 及 对 中 把 并 "
    "而 但 或",
    "ja": "どのように どのくらい なぜ どこ どの どれ いつ だれ 誰 何 いくつ いくら ですか "
    "ますか でしょうか です ます ください から まで より など は が を に の で と "
    "も へ や か",
    "th": "อะไร ที่ไหน เมื่อไหร่ เมื่อใด เท่าไหร่ เท่าใด อย่างไร ทำไม เพราะเหตุใด ใคร กี่ ใด ไหม หรือไม่ หรือ คือ "
    "ของ ใน ที่ และ เป็น ได้ ให้ กับ จาก โดย ว่า มี การ ความ ซึ่ง นี้ นั้น",
}
"""The same for languages written without spaces, where they are cut out of the running text."""
