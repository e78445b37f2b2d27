# ruff: noqa: RUF001  letters of many scripts: some look like Latin ones
"""Texts of a shop in many languages, with the encodings in which people keep such texts."""

TEXTS = {
    "en": (
        ("cp1252",),
        (
            "You may send back any tent within 30 days – it’s free. Visit our café in Zürich, or ask for a "
            "résumé of the terms. We take back what you do not like, and the money goes to the card that you "
            "paid with."
        ),
    ),
    "de": (
        ("cp1252", "iso8859-1"),
        (
            "Rückgabe innerhalb von 30 Tagen. Schicken Sie das Zelt ungebraucht zurück, größere Stücke holen "
            "wir ab. Das Geld überweisen wir auf die Karte, mit der Sie bezahlt haben. Für Österreich und "
            "die Schweiz gelten dieselben Fristen."
        ),
    ),
    "fr": (
        ("cp1252", "iso8859-1"),
        (
            "Vous pouvez renvoyer la tente dans les trente jours après la livraison. Les frais sont à votre "
            "charge, sauf si l'article a été livré abîmé. Où déposer le colis ? À l'agence la plus proche, "
            "même le samedi."
        ),
    ),
    "es": (
        ("cp1252", "iso8859-1"),
        (
            "¿Cómo devuelvo un artículo? Puede devolverlo en un plazo de treinta días. El señor García "
            "abrirá mañana a las nueve. El envío está incluido y también la devolución."
        ),
    ),
    "pt": (
        ("cp1252", "iso8859-1"),
        (
            "Não há custos de devolução. Pode devolver a tenda até trinta dias após a entrega, e nós "
            "devolvemos o dinheiro. As condições estão na página da loja; leia também as exceções."
        ),
    ),
    "sv": (
        ("cp1252",),
        (
            "Du kan lämna tillbaka tältet inom trettio dagar. Pengarna går tillbaka till kortet. Är något "
            "trasigt, så hör av dig till oss på måndag, så ordnar vi det åt dig."
        ),
    ),
    "da": (
        ("cp1252",),
        (
            "Du kan sende teltet tilbage inden for tredive dage. Pengene går tilbage på kortet. Er der noget "
            "i stykker, så skriv til os på mandag, så løser vi det. Ærlige købere får også rabat."
        ),
    ),
    "is": (
        ("cp1252",),
        (
            "Þú getur skilað tjaldinu innan þrjátíu daga. Peningarnir fara aftur á kortið þitt. Ef eitthvað "
            "er bilað, þá hefur þú samband við okkur á mánudaginn og við lögum það."
        ),
    ),
    "cs": (
        ("cp1250", "iso8859-2"),
        (
            "Zboží můžete vrátit do třiceti dnů od doručení. Peníze vám pošleme zpět na účet. Poškozené věci "
            "vyměníme zdarma, stačí přiložit účtenku. Dotazy vyřizujeme každý všední den."
        ),
    ),
    "pl": (
        ("cp1250", "iso8859-2"),
        (
            "Towar można zwrócić w ciągu trzydziestu dni od dostawy. Pieniądze wrócą na kartę, którą państwo "
            "zapłacili. Uszkodzone rzeczy wymieniamy bezpłatnie, wystarczy dołączyć paragon. Proszę dzwonić "
            "jeszcze dziś."
        ),
    ),
    "hu": (
        ("cp1250", "iso8859-2"),
        (
            "Az árut harminc napon belül vissza lehet küldeni. A pénzt visszautaljuk a kártyára. A sérült "
            "terméket díjmentesen kicseréljük, csak a számla szükséges hozzá. Kérdéseire hétfőtől péntekig "
            "válaszolunk, őszintén és gyűjtve."
        ),
    ),
    "ro": (
        ("cp1250", "iso8859-2"),
        (
            "Puteţi returna cortul în treizeci de zile de la livrare. Banii se întorc pe cardul cu care aţi "
            "plătit. Dacă produsul este stricat, îl schimbăm fără costuri şi vă trimitem altul în aceeaşi "
            "săptămână."
        ),
    ),
    "hr": (
        ("cp1250",),
        (
            "Šator možete vratiti u roku od trideset dana. Novac vraćamo na karticu kojom ste platili. "
            "Oštećene stvari mijenjamo besplatno, samo priložite račun. Naći ćete nas i u Zagrebu, a češće "
            "još u Rijeci."
        ),
    ),
    "tr": (
        ("cp1254",),
        (
            "Çadırı otuz gün içinde geri gönderebilirsiniz. Para, ödeme yaptığınız karta iade edilir. Ürün "
            "bozuksa ücretsiz değiştiriyoruz; faturayı eklemeniz yeterli. İstanbul mağazamız pazar günü de "
            "açıktır."
        ),
    ),
    "lt": (
        ("cp1257",),
        (
            "Palapinę galite grąžinti per trisdešimt dienų. Pinigus grąžinsime į kortelę, kuria mokėjote. "
            "Sugedusį daiktą pakeisime nemokamai, užtenka pridėti čekį. Klauskite mūsų kiekvieną darbo "
            "dieną."
        ),
    ),
    "ru": (
        ("cp1251", "koi8-r", "cp866", "iso8859-5"),
        (
            "Возврат товара возможен в течение тридцати дней. Сохраните чек и упаковку. Деньги мы вернём на "
            "карту, которой вы платили. Сломанные вещи меняем бесплатно, звоните нам в любой рабочий день."
        ),
    ),
    "uk": (
        ("cp1251", "koi8-u"),
        (
            "Повернути товар можна протягом тридцяти днів. Збережіть чек і упаковку. Гроші ми повернемо на "
            "картку, якою ви платили. Зламані речі міняємо безкоштовно, телефонуйте нам у будь-який день."
        ),
    ),
    "bg": (
        ("cp1251",),
        (
            "Можете да върнете палатката в срок от тридесет дни. Парите връщаме по картата, с която сте "
            "платили. Счупените вещи сменяме безплатно, стига да приложите касовата бележка."
        ),
    ),
    "el": (
        ("cp1253", "iso8859-7"),
        (
            "Μπορείτε να επιστρέψετε τη σκηνή μέσα σε τριάντα ημέρες. Τα χρήματα επιστρέφουν στην κάρτα σας. "
            "Ό,τι είναι χαλασμένο το αλλάζουμε δωρεάν, αρκεί να έχετε την απόδειξη."
        ),
    ),
    "he": (
        ("cp1255",),
        (
            "אפשר להחזיר את האוהל בתוך שלושים יום. הכסף יוחזר לכרטיס שבו שילמתם. דברים פגומים אנו מחליפים "
            "ללא תשלום, רק צרפו את הקבלה. אנחנו עונים בכל יום עבודה."
        ),
    ),
    "ar": (
        ("cp1256",),
        (
            "يمكنك إرجاع الخيمة خلال ثلاثين يوما من التسليم. نعيد المال إلى البطاقة التي دفعت بها. نستبدل "
            "الأشياء التالفة مجانا، ويكفي أن ترفق الإيصال. نجيب عن الأسئلة كل يوم عمل."
        ),
    ),
    "ja": (
        ("shift_jis", "euc_jp"),
        (
            "商品は三十日以内にお返しください。送料はお客様のご負担となります。壊れたものは無料で交換いたしま"
            "すので、領収書を添えてください。ご質問は平日にお電話でどうぞ。テントとストーブも返品できます。"
        ),
    ),
    "zh": (
        ("gb18030",),
        (
            "您可以在收到帐篷后的三十天内退货。我们会把钱退到您付款的卡上。损坏的东西我们免费更换，只要附上收"
            "据就可以了。如果有问题，请在工作日给我们打电话，我们会尽快回答。"
        ),
    ),
    "tw": (
        ("big5",),
        (
            "您可以在收到帳篷後的三十天內退貨。我們會把錢退到您付款的卡上。損壞的東西我們免費更換，只要附上收"
            "據就可以了。如果有問題，請在工作日給我們打電話，我們會儘快回答。"
        ),
    ),
    "ko": (
        ("euc_kr",),
        (
            "텐트는 받으신 날부터 삼십 일 안에 반품하실 수 있습니다. 돈은 결제하신 카드로 돌려 "
            "드립니다. 고장 난 물건은 무료로 바꾸어 드리니 영수증을 함께 보내 주세요. 질문은 "
            "평일에 전화로 해 주시기 바랍니다."
        ),
    ),
    "th": (
        ("cp874",),
        (
            "ลูกค้าสามารถคืนเต็นท์ได้ภายในสามสิบวันหลังจากได้รับสินค้า เราจะคืนเงินเข้าบัตรที่ใช้ชำระ "
            "สินค้าที่ชำรุดเราเปลี่ยนให้ฟรี เพียงแนบใบเสร็จมาด้วย หากมีคำถามโทรหาเราได้ทุกวันทำการ"
        ),
    ),
}


def cases():
    """Language, encoding and text of each pair."""
    return [(language, encoding, text) for language, (encodings, text) in TEXTS.items() for encoding in encodings]
