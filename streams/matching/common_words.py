"""Words that tell nothing of what a text is about: our own tables, by what speakers know, no corpus.

`rarity` is a fixed property of a word, so that which facts a post finds depends on the facts and the
post alone, never on what was seen before: a replay, a restart and another worker find the same.
"""

from __future__ import annotations

from streams.stages.word_tables import MONTHS, NOT_NAMES, word_set

FUNCTION_WORDS = NOT_NAMES | word_set(
    # English
    "a about after again against all also am an and any anyone anything are around as at away back be because"
    " been being both but by came can cannot come could d did do does doing done down each else even ever every"
    " everyone everything few for from gave get gets getting give go goes going gone gonna got had has have"
    " having he hence her here hers herself him himself his how i if in into is it its itself just keep kept"
    " knew know known knows ll made make makes making many may maybe me might mine more most much must my myself"
    " never no none nor not nothing of off oh ok okay on one ones only onto or other others ought our ours out"
    " over own per put quite rather re really said same saw say saying says see seem seems seen shall she should"
    " since so some someone something still such take taken takes taking tell than that thats the their theirs"
    " them themselves then there these they thing things think this those though through thus to together told"
    " too took toward towards try trying under until unto up upon us use used uses using ve very via want wanted"
    " wants was way we well went were what whatever when where whether which while who whole whom whose why will"
    " with within without won would yes yet you your yours yourself s t m dont doesnt didnt isnt cant wont im"
    " ive youre theyre amp rt http https www com org html lol omg pls plz"
    # German
    " aber alle als also am an auch auf aus bei beim bin bis bist da damit dann das dass dem den denn der des"
    " dessen die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines er"
    " es etwas euch für gegen gibt hab habe haben hat hatte hatten hier hin ich ihm ihn ihr ihre ihrem ihren"
    " ihrer im in ist ja jede jeder jetzt kann kein keine können man mehr mein meine mich mir mit muss nach"
    " nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner sich sie sind so über um und"
    " uns unser unter vom von vor war waren was weil wenn wer werden wie wieder will wir wird wo wurde wurden"
    " zu zum zur zwei zwischen"
    # French
    " à au aux avait avec avoir c ce cela ces cet cette chez comme d dans de depuis des deux donc du elle elles"
    " en encore entre est et été étaient était être eu eux fait il ils j je jusqu l la le les leur leurs lui ma"
    " mais me même mes moi mon n ne nos notre nous on ont ou où par pas pendant peu peut plus pour pourquoi qu"
    " quand que quel quelle qui s sa sans se selon ses si son sont sous suis sur ta te tes toi ton tous tout"
    " toute toutes très tu un une vers vos votre vous y"
    # Spanish, Portuguese, Galician, Catalan
    " al algo ante antes así aunque cada casi como con contra cual cuando de del desde donde durante e el él"
    " ella ellas ellos en entre era eran es esa ese eso esta está están este esto estos fue fueron ha había han"
    " hasta hay la las le les lo los más me mi mientras muy nada ni no nos nosotros o otra otro para pero poco"
    " por porque pues qué que quien se según ser si sí sido sin sino sobre son su sus también tan tanto te"
    " tiene tienen todo todos tras tu un una uno unos y ya yo a à ao aos as até com da das dela dele depois do"
    " dos ela elas ele eles em essa esse esta estava este está eu foi foram isso isto já lhe mais mas mesmo meu"
    " minha muito na não nas nem no nos nós num numa o os ou para pela pelas pelo pelos pode por quando quem se"
    " sem ser seu sua são só também tem tinha têm um uma você és i el els amb per les va ser més"
    # Italian, Romanian
    " ad agli ai al alla alle allo anche ancora c che chi ci come con contro cui da dagli dai dal dalla dalle"
    " degli dei del della delle dello di dopo dove due è e ed era erano essere fa fino fra fu gli ha hanno ho i"
    " il in io la le lei li lo loro lui ma me mi molto ne negli nei nel nella nelle non o ogni per perché però"
    " più poi prima quale quando quella quello questa queste questi questo se sei senza si sia sono sta stata"
    " stato su sua sue sugli sul sulla suo te ti tra tutti tutto un una uno vi acest ale am ar are au care ce"
    " cel cu din după este fi fost iar la mai nu o pe pentru prin sa să și s-a sunt un și într"
    # Dutch, Afrikaans
    " aan als ben bij dan dat de deze die dit door een en er had heb hebben heeft het hier hij hoe ik in is je"
    " kan maar meer men met mijn moet na naar niet nog nu of om omdat onder ons ook op over te tegen toch toen"
    " tot u uit van veel voor waar wat we wel werd werden wie wij worden wordt zei zich zij zijn zo zonder"
    # Scandinavian, Finnish
    " af alle at av bare blev blir da de den der deres det dette du efter eller en er et ett etter få för for"
    " fra från før ha har havde hadde han hans hon hun hva hvad hvis hvor i icke ikke in inte jag jeg kan kom"
    " kun man med mellan men mer mig mot må når när nej noen nogle och og også om op opp på sig sin sina som så"
    " til till ut vad var vara vart ved vi vid vil ville være är över ei että hän hänen ja joka jos kanssa kuin"
    " kun mutta myös ne niin oli olivat on ovat se sekä sen tai tämä vain"
    # Polish, Czech, Slovak, Croatian, Serbian, Slovene
    " aby ale ani będzie bez bo był była było były być ci co czy dla do gdy go i ich ja jak jako je jego jej jest"
    " jeszcze już kiedy która które który ma mnie może na nad nie niż o od on ona oni oraz po pod przed przez"
    " przy są się tak także tam te tego tej ten to tu tylko tym w we więc wszystko z za ze że až bude by byl"
    " byla bylo byly být což jeho její jen jeho jsem jsou k kde když která které který mezi nebo než pro proto"
    " při s se si také tento tuto u v však ve za že ako aj alebo bol bola boli pre pri sa som sú ili je kao"
    " koja koje koji nije od ova ovo sam samo su što šta te u uz za bi bil in ki ter tudi"
    # Hungarian, Turkish, Indonesian, Malay, Vietnamese, Tagalog, Swahili
    " a az csak de egy el és ez ezt hogy ha is jó kell ki lesz meg mert mi mint nagy nem ő össze pedig van volt"
    " ve bir bu da daha de değil diye en gibi göre her hem için ile ise kadar ki mi mı ne o olan olarak oldu"
    " olduğu sonra şu tarafından ve veya var ya yok ada adalah akan aku anda atau bahwa banyak bisa dalam dan"
    " dari dengan di dia hanya ini itu jika juga kami karena ke kita lebih mereka oleh pada saat saya sebagai"
    " sebuah seperti sudah telah tidak untuk yang ialah tak bị các cái cho có của cũng chỉ do để đã đang đến"
    " được hay họ khi không là lại làm mà mình một này năm nhiều như những nhưng nó ông ở ra rất sẽ sau tại"
    " theo thì tôi trong trên từ và vào về vì với ang ng mga sa na at ay ni si ito hindi kung para may wa kwa ni"
    " katika hii hiyo kama lakini"
    # Russian, Ukrainian, Bulgarian, Serbian, Greek
    " а без более будет бы был была были было быть в вам вас весь во вот все всё всего всех вы где да даже для"
    " до его ее её если есть еще ещё же за здесь и из или им их к как какой когда которая которое которые"
    " который кто ли между меня мне много может можно мой мы на над надо нас не него нее нет ни них но ну о об"
    " однако он она они оно от очень по под после потом потому при про с сам свои свой своих себя сейчас так"
    " такой также там тем то тогда того тоже только том тот три тут ты у уже чего чем через что чтобы эта эти"
    " это этого этой этом этот я або адже але була були було бути від він вона вони для до його її із коли між"
    " на не ні про та так також те ти то у цей це ці чи що щоб як який яка які беше със като което които който"
    " ли обаче още са се си след съм те че ще је су се од није као и ὁ ο η το οι τα του της των τον την τους"
    " τις και κι να θα δε δεν μη με σε από για που πως ως ή αλλά είναι ήταν στο στη στην στον στα στις ένα μια"
    " ένας αυτό αυτή"
    # Arabic, Persian, Urdu, Hebrew
    " في من على إلى الى عن مع هذا هذه ذلك التي الذي الذين ما لا لم لن هو هي هم كان كانت قد أن ان إن أو او ثم"
    " كما كل بعد قبل بين حتى عند غير و يا أنا نحن انت لقد ليس به له لها فيها منه بن است از این آن با بر برای"
    " به بود تا خود در را شد شده که می ها های هم و یا یک کرد نیز اما اگر آنها باید پس اور ایک اس سے پر کا کی"
    " کے کو میں نے ہے ہیں تھا تھی بھی یہ وہ جو نہیں את של על זה זו הוא היא הם אני אתה לא כן גם או כי אם עם"
    " מה מי יש אין היה היתה היו כל רק עוד אבל אל בין לפני אחרי"
    # Hindi, Marathi, Bengali, Tamil
    " का की के को में से है हैं था थी थे और या पर यह वह ये वे इस उस एक नहीं भी तो ही कि जो ने हो कर करने लिए"
    " साथ गया बाद तक अपने आहे आणि व ते हा ही এবং এই ও একটি করে করা তার থেকে না হয় যে কে মধ্যে জন্য একজন"
    " ஒரு என்று மற்றும் இது அது இந்த அந்த என்ன"
    # Korean, Japanese and Chinese pairs
    " 이 그 저 것 수 등 및 그리고 하지만 있다 없다 이다 한다 했다 있는 하는 대한 위해"
    " 我们 你们 他们 她们 这个 那个 这些 那些 一个 一些 没有 不是 就是 可以 因为 所以 但是 如果 什么 怎么 自己 已经 还是 或者 以及"
    " 我們 你們 他們 這個 這些 一個 沒有 因為 什麼 怎麼 已經 還是 了一 的一 是一 的人 的是 也是 都是 在这 在一"
)  # fmt: skip

COMMON_WORDS = word_set(
    "able above according account across act acting action actions active actually add added address afraid age"
    " agency ago agree agreed ahead air alive allow allowed almost alone along already although always america"
    " american among amount announced another answer apparently appear appeared appears area areas arm army"
    " article ask asked asking asks attack attention author available average award awards aware baby bad bank"
    " base based became become becomes bed beautiful before began begin beginning behind believe believed below"
    " best better between beyond big biggest bill birth bit black blood blue body book books born boy boys break"
    " breaking bring british broke broken brother brought build building buildings built business buy call called"
    " calling calls car care career carry case cases cause caused cell center central century certain chance"
    " change changed changes character chief child children china choice choose church cities city claim claimed"
    " claims class clear clearly close closed club cold college color community companies company complete"
    " completely concern condition conditions confirm confirmed consider considered contact continue continued"
    " control cost costs council countries country county couple course court cover create created crime cut"
    " daily dark data date daughter day days dead deal death deaths decade decided decision deep details develop"
    " developed development die died dies difference different difficult director discovered district doctor"
    " doctors dog dollars door double dr drive drop due during earlier early earth east easy eat economic economy"
    " education effect effort eight either election email emergency end ended energy english enough entire"
    " especially established evening event events eventually evidence exactly example except expect expected"
    " experience explain eye eyes face facebook fact facts fail fall false family famous far fast father fear"
    " featured february federal feel fight figure film final finally find finds fine fire first five floor follow"
    " followed following follows food foot force forces foreign form formed former forward found four free french"
    " friend friends front full fully fun further future game games general german girl girls given global god"
    " gold good government governor great green ground group groups grow growth guess gun guy guys half hand"
    " hands happen happened happening happens happy hard having head health hear heard heart heavy height held"
    " help high higher highest highly historical history hit hold home hope hospital hot hour hours house however"
    " huge human hundred hundreds hurt husband idea image images important include included includes including"
    " increase increased incident indeed independent individual industry information initially inside instead"
    " interest international internet involved island issue issued issues item january job join joined june"
    " keeping kid kids kill killed killing kind king knowledge labor lack lady land language large largely larger"
    " largest last late later latest law laws lead leader leaders leading leads league learn least leave leaving"
    " led left legal less let letter level life light like likely limited line list listen little live lived"
    " lives living local located location london long longer look looked looking looks lord lose loss lost lot"
    " lots love loved low lower main major male man manager march mark market married mass matter mean meaning"
    " means media medical meet meeting member members men message met middle military million millions mind"
    " minister minute minutes miss missing model modern moment money month months morning mother move moved"
    " movement movie mr mrs ms murder music name named names nation national nations natural nature near nearly"
    " need needed needs network new news newspaper next nice night nine north northern note now number numbers"
    " offer office officer officers official officials often old once open opened operation opinion order orders"
    " original originally outside owned page paid paper parents park part particular parts party pass passed"
    " past pay peace people percent perhaps period person personal phone photo photos picture pictures piece"
    " place placed places plan plane plans play played player players playing please plus point points police"
    " policy political popular population position possible post posted posts potential power powerful present"
    " president press pressure pretty previous previously price prime prison private probably problem problems"
    " process produced product production program project property protect prove public published push question"
    " questions quick quickly quote race radio raised rate read reading ready real reality reason reasons receive"
    " received recent recently record records red refused region related release released religious remain"
    " remains remember report reported reportedly reporter reporting reports republic research respect response"
    " responsible rest result results return returned revealed right rights rise river road role room rule rules"
    " run running russian safe sale save school schools science scientists scene sea season seat second secret"
    " secretary section security seek sell send senior sense sent serious seriously serve served service services"
    " set seven several sex sexual share shared shares short shot show showed showing shown shows shut sick side"
    " sign signed significant similar simple simply single sister site sitting situation six size small social"
    " society soldiers son song soon sorry sort source sources south southern space speak speaking special speech"
    " spent staff stage stand standing star start started starting state stated statement states station stay"
    " step stop stopped store stories story street strong student students study stuff subject success sun"
    " support supported supposed sure surface system table talk talking tax team television ten term terms test"
    " thank thanks thats third thought thousand thousands threat three time times title today tomorrow tonight"
    " top total touch tough town trade training treatment trial tried trip true truth turn turned tv tweet"
    " twitter two type union united university unless update updated usa usually value version victim victims"
    " video view village violence visit voice vote votes wait waiting walk wall war warning watch watched"
    " watching water wear website week weekend weeks welcome west western whatever white wife win wind winner"
    " winning wish woman women wonder word words work worked worker workers working works world worldwide worse"
    " worst worth write writer writing written wrong wrote yeah year years yesterday york young youtube zero"
    # the same in other large languages
    " jahr jahre jahren heute menschen leute neue neuen zeit leben land stadt deutschland deutsche deutschen"
    " welt tag uhr teil gut große ersten seit année années ans aujourd hui france français pays vie ville monde"
    " jour temps homme femme premier première nouveau grande grand país años año hoy vida mundo ciudad gobierno"
    " gente parte día tiempo mejor nuevo nueva primera primer anos ano hoje mundo cidade brasil governo pessoas"
    " anni anno oggi mondo città italia italiano vita parte primo prima jaar mensen nederland vandaag stad nieuwe"
    " år människor folk rok roku lat lata dzień ludzi polska polski świat rokem dnes lidí yıl yılında bugün"
    " türkiye tahun orang indonesia hari năm người việt nam год года году лет сегодня человек люди людей россии"
    " россия время день жизнь страны мир города город рік року років україна україни люди عام سنة اليوم الناس"
    " سال روز مردم ایران שנה שנים היום ישראל साल लोग भारत आज 중국 한국 일본 미국 년 월 일 사람 오늘"
    " 中国 中國 日本 美国 美國 今天 国家 國家 政府 世界 时间 時間 问题 問題 人民 工作 发展 今日 年月 年に 月日 昨日"
    " した して いる ある こと する から まで ない です ます れた った って この その ため よう という"
) | frozenset(MONTHS)  # fmt: skip


def rarity(word: str) -> int:
    """How much it tells that two texts share this word: 0 nothing, 1 a little, 2 much."""
    if word in FUNCTION_WORDS:
        return 0
    if word in COMMON_WORDS:
        return 1
    if word.isascii():
        if word[0].isdigit():
            return 1 if len(word) <= 2 else 2
        return 2 if len(word) > 2 else 1 if len(word) == 2 else 0
    if "\u3040" <= word[0] <= "\u309f" and "\u3040" <= word[-1] <= "\u309f":
        return 0  # Hiragana alone: endings and particles
    return 2 if len(word) > 1 else 0
