"""Words that vandals write, of the larger languages: insults, obscenities and chat. Our own short tables, no
dictionaries. A star stands for any ending; where words are written without spaces any place counts.

Most editions of an encyclopedia share nothing with the articles learnt from but that such words come in.
"""

from __future__ import annotations

RUDE: dict[str, str] = {
    "any": "fuck* fck fcuk* motherfuck* mothafuck* shit shitty bitch bitches cunt* asshole* dickhead*"
    " pussy penis blowjob* nigger* nigga* faggot* porno pornhub* gay gays",
    "en": "fuck* fuk fuking fukin fuker fck* fcuk* phuck* motherfuck* mothafuck* muthafuck* shit shits"
    " shitty shitter shithead* shitface* bullshit bitch* biatch* cunt* dick dicks dickhead* dickface*"
    " dickwad* cock cocks cocksuck* penis penises pussy pussies ass asses asshole* assholes asswipe*"
    " arse arses arsehole* butthole* butt butts bastard bastards slut sluts slutty whore whores fag"
    " fags faggot* fagot* nigger* nigga* gay gays gayer gayest homo homos lesbo* tit tits titties"
    " titty boob boobs boobies poop* poo poos crap crappy turd turds fart farts farted farting piss"
    " pissed cum cums cumshot* jizz* dildo* blowjob* handjob* wank* twat twats tosser* bollocks retard"
    " retards retarded moron morons idiot* stupid stupidest stupidity dumb dumber dumbest dumbass*"
    " loser losers sucks sucked suckz sux sucker suckers fatass* fatty ugly lame ballsack* nutsack*"
    " scrotum anus rape raped pedo pedos jackass* douche* skank* hoe hoes horny masturbat* porn porno"
    " sexy vagina vaginas dumbo freak noob noobs",
    "de": "scheiß* scheiss* fick* gefickt arsch* fotze* hure huren hurensohn* hurre nutte* schlampe*"
    " wichs* wixer* wixxer* schwanz schwuchtel* schwul* penis* muschi* titten pimmel* kacke* kacken"
    " pisse pissen spast* spasti* missgeburt* idiot* depp deppen vollidiot* dumm dumme dummer doof"
    " doofe doofi blöd* bastard* behindert mongo mongos trottel* hässlich* pups* furz* pupsen kotze"
    " dreck* arschloch*",
    "fr": "merde* putain* pute putes salope* salaud* connard* conard* connasse* conasse* con conne cons"
    " connerie* encul* bite bites couille* chatte chattes cul culs chier chiant* chiotte* pd pédé*"
    " pede pedes tapette* gouine* nique niquer niques niké nik ntm fdp batard* bâtard* bouffon* caca"
    " cacas pipi prout* zizi* zob sucer suceur* suceuse* salop* débile* debile* abruti* idiot* crétin*"
    " cretin* moche* pourri pourrie foutre penis porno*",
    "es": "puta putas puto putos putada* mierda* joder jodid* jodan coño* polla pollas gilipollas*"
    " cabrón* cabron* maricón* maricon* marica maricas pendej* verga vergas chinga* chingue* culo"
    " culos culero* culiao* weon weón huevón* huevon* pene penes teta tetas follar follen caca cacas"
    " pedo pedos mamón* mamon* mamada* zorra zorras idiota* estupid* estúpid* imbecil* imbécil* tonto"
    " tontos tonta tontas gay gays joto jotos pito pitos boludo* pelotudo* malparid* gonorrea"
    " hijueputa* hijodeputa* hdp ctm conchetumadre* popó feo feos fea",
    "pt": "merda* puta putas puto caralho* porra foder foda fodas fodase fodido* fuder cu cus cuzão*"
    " cuzao* buceta* boceta* viado* viadinho* bicha bichas boiola* gay gays cagar cagão* cagalhão*"
    " bosta* cocô xixi peido* peidar otário* otario* idiota* imbecil* retardado* babaca* arrombado*"
    " corno cornos vadia* vagabunda* punheta* punheteiro* chupa chupar cacete fdp pqp vsf vtnc krl"
    " feio feia porno* tesão* tesudo* burro burros",
    "it": "merda* merde cazzo cazzi cazzata* cazzone* minchia* stronz* puttan* zoccol* culo culi"
    " coglion* vaffanculo* fanculo* fottere fottut* fottiti figa fica frocio* froci ricchion* bastard*"
    " inculat* inculare* pompin* pisell* tetta tette scopare scopata* cacca* cacare cagare* cagata*"
    " scoregg* idiota* idioti stupid* cretin* scemo scema scemi deficient* ritardat* handicappat*"
    " sfigat* porcodio* diocane* bocchin* mongoloid* ebete gay schifo",
    "nl": "kut kutten klote* lul lullen neuk* geneukt hoer hoeren hoertje* tering* kanker kankerlijer*"
    " kankerhoer* tyfus* mongool* mongolen homo homos flikker* eikel eikels sukkel* debiel* idioot"
    " idioten schijt* stront poep poepen pies piemel* pik penis kont reet slet sletten trut klootzak*"
    " godverdomme* gvd verdomme kak kakken scheet scheten gay gays achterlijk* stom stomme stinkt"
    " domme lelijk lelijke tieten",
    "pl": "kurw* chuj* huj huja huje jeba* jebi* jebn* pierdol* pierdal* spierdal* wypierdal* dupa dupy"
    " dupe dupę dupek* cipa cipy cipka* pizda* pizdy kutas* fiut* cwel* pedał* gej geje debil* idiot*"
    " kretyn* głupi* gówn* gowno* srać sra srał srają szczać cycki cyce suka suki dziwk* skurwiel*"
    " skurwysyn* zajeb* wyjeb* ruchać rucha pojeb* frajer* ciota cioty kupa kupy śmierdz* smierdz*"
    " brzydk*",
    "ru": "хуй хуя хуе* хуё* хуи* хуйн* пизд* пезд* еба* ёба* ебу* ебл* ебё* ебе* ебн* ебуч* заеб*"
    " заёб* наеб* проеб* уеб* уёб* выеб* отъеб* съеб* поеб* бля бляд* блят* сука суки сучк* сучар*"
    " мудак* мудил* гандон* гондон* пидор* пидар* пидр* педик* гей геи лох лохи лошара* дебил* идиот*"
    " дурак* дура дуры тупой тупые тупая говн* дерьм* жоп* сиськ* сиськи письк* срать срал* сран*"
    " ссать ссал* перде* перд* пукн* какашк* шлюх* соси сосёт сосет сосать сосут отсос* минет* трахн*"
    " трахал* дроч* залуп* чмо чмыр* херн* нахер* нахуй* похуй* охуе* ахуе*",
    "uk": "хуй хуя хує* хуї* пизд* їба* йоба* єба* заїб* бля сука суки курв* мудак* гівн* гамно лайно"
    " срак* срати сран* дупа дупи підор* підар* педик* гей геї довбой* довбоє* йолоп* дебіл* ідіот*"
    " дурень дурн* лох лохи гандон* шльондр* хер хєр жоп* цицьк*",
    "sv": "fitta* fittor kuk kukar kuken knulla* hora horor horunge* jävla* jävel* jävlar skit bajs*"
    " bög bögar bögig* idiot* dum dumma ful fula cp mongo snopp* rumpa röv* arsle* slampa* slyna*"
    " runka* porr penis gay äcklig* fisa fjant* efterbliv* neger*",
    "no": "fitte* kuk kukk pule hore hora horunge* jævla* jævel* faen helvete dritt drit bæsj* tiss"
    " tissemann* rompe rumpe rævhøl* ræv homo homse* idiot* dum dumme dust stygg mongo neger* pupper"
    " fis fise runk* penis sexy stinker",
    "da": "fisse* kusse* pik pikke pikken kneppe* luder* lort* pis pisse røv* røvhul* bøsse bøsser homo"
    " idiot* dum dumme grim grimme klamme svans* tissemand* tis prut prutte* numse* neger* mongol*"
    " spasser* perker* kraftedeme* penis patter",
    "fi": "vittu* vitun perse perseen perkele* saatana* huora* huoran homot homoja paska* pillu* kulli*"
    " kyrpä* mulkku* runkka* runkku* kusipä* kusi pissa* kakka* pieru* tissit tyhmä* idiootti* vammai*"
    " läski* neekeri* nussi* penis* ruma rumat ämmä* lutka* hintti* hintit",
    "cs": "kurv* píč* piča* pico čurák* čůrák* curak* kokot* hovn* sračk* srát srac* prdel* prdí*"
    " kunda* kundy zmrd* mrd* mrdka* jebat* jebe* jebn* zajeb* vyjeb* debil* idiot* blbec* blbe blbý"
    " vole buzerant* buzna* buzik* cecky penis děvka* děvky kretén* kreten* smrdí*",
    "sk": "kurv* piča* piče* pica kokot* hovn* sračk* srac* prdel* jebat* jebať* jebe jebn* zjeb*"
    " vyjeb* debil* idiot* blbec* buzerant* buzna* pojeb* kunda* mrdka* mrdat* chuj* pizda* štetka*"
    " prdí* penis smrdí*",
    "hu": "fasz* geci* kurva* kurvá* picsa* picsá* pina pinát punci* segg segge* seggfej* szar szaros*"
    " szarok szarik* fos baszd* baszik* bassz* megbasz* buzi* buzik köcsög* ribanc* anyád* hülye*"
    " hülyék idióta* debil* retardált* fing fingik* pisi pisál* kaki kakál* cici csöcs* pénisz*"
    " lófasz* büdös*",
    "ro": "pula pulă pulii pule pizda pizdă pizdii pizde muie muist* fut futu fute futut* futui căcat*"
    " cacat* curva curvă curve curvei cur bulangiu* poponar* laba labă labagiu* dracu idiot* prost"
    " prosti proști prostii cretin* tâmpit* tampit* jeg* coaie coaiele țâțe suge sugi găoaz* gaoz*"
    " bășin* basin* kkt handicapat* urât urâți gay",
    "tr": "amk amına amcık* amcik* aq sik siki sikey* siker* sikim* sikiş* sikis* sikt* orospu* piç"
    " piçi götü götün götv* göt yarak* yarrak* yarrağ* taşak* ibne* kahpe* kaltak* kevaşe* gavat*"
    " pezevenk* puşt* bok boku boktan sıç* osur* salak* aptal* gerizekalı* gerizekali* ezik ezikler"
    " şerefsiz* serefsiz* dangalak* yavşak* yavsak* ananı anani bacını götveren* gay penis",
    "az": "sikim* sikdir* sikin* gijdıllaq* gijdillaq* qəhbə* qehbe* fahişə* peysər* oğraş* ogras* göt"
    " götü* götver* dalbayob* blet blyat* axmaq* səfeh* pox poxu",
    "id": "anjing* anjir babi kontol* memek* jancok* jancuk* ngentot* entot* bangsat* bajingan* goblok*"
    " tolol* bego idiot* bodoh* kampret* perek lonte* tai taik pantek* pukimak* pepek* sialan*"
    " keparat* brengsek* banci* bencong* homo gay toket* titit* peler* monyet jelek",
    "ms": "anjing babi bodoh* sial sialan pukimak* puki pantat* butoh* lancau* kote sundal* jalang*"
    " bangang* celaka* tahi berak* pondan* gay hodoh*",
    "vi": "địt đụ đéo đĩ lồn cặc buồi cứt ỉa đm đmm dkm đkm đcm vcl vkl clgt cmm loz đù",
    "tl": "putang* putangina* tangina* puta gago* gaga tanga tangang ulol* bobo bobong tarantado*"
    " kantot* titi tite pekpek* puke puki bayot* bakla bading leche* letse* ogag* inutil* jakol*"
    " burat* hindot* pokpok* kupal* pangit bastos tae",
    "ca": "merda* puta putes collons* cony conys cabró* cabron* fotre follar polla polles cul culs"
    " cagar* cagat* caca marica maricó* maricon* gilipolles* imbècil* imbecil* idiota* subnormal*"
    " tonto tonta tontos teta tetes mamada* lleig lletja",
    "gl": "merda* puta putas puto carallo* cona conas foder joder maricón* maricon* cabrón* cabron*"
    " cagar* cagada* idiota* parvo* subnormal* polla pollas teta tetas gilipollas* imbécil* tonto"
    " tonta",
    "eu": "puta putak kaka* popa ipurdi* alua zakil* titi potorr* tontoa* tonto inozo* idiota*"
    " subnormal* maritxu* marikoi* mierda* kabroi* gilipollas* putakume* puto",
    "sr": "јеб* зајеб* ујеб* пизд* пичк* курац* курца* курч* курв* гузиц* говн* срањ* усран* педер*"
    " дроља* кретен* идиот* дебил* глуп глупа глупи глупан* будал* сисе шупак* ретард* jeb* zajeb*"
    " ujeb* pizd* pičk* picka* kurac* kurca* kurč* kurv* guzic* govn* sranj* usran* peder* drolj*"
    " kreten* idiot* debil* glup glupa glupi glupan* budal* sise šupak* retard*",
    "sl": "jeb* pizda* pizde pička* kurac* kurca* kurba* kurbe drek sranje* srat srati peder* pedr* gej"
    " geji debil* idiot* kreten* butec* bedak* bedast* neumn* fuk fukat* joški prdec* smrdi* lulek*"
    " čefur*",
    "bg": "хуй хуя путк* пичка* пички курва* курви* курве* кур шибан* ебан* еба еби ебал* лайна лайно*"
    " гъз гъза гъзове* педераст* педал* педали гей гейове тъп тъпа тъпи тъпак* тъпанар* идиот* дебил*"
    " копеле* задник* говн* дрисл* пръд* цици ташак* чекидж* майнат* смърд* простак*",
    "mk": "ебам* ебе* еби* пичк* кур курац* курв* гомна* гомно срањ* серам* педер* геј идиот* дебил*"
    " глуп глупа глупи глупак* кретен* магаре газ прдеж* циц* шупак*",
    "el": "μαλάκα* μαλακα* μαλακία* μαλακια* γαμώ* γαμω γαμάω* γαμιέ* γαμημέν* γαμημεν* γαμησ* πούστη*"
    " πουστη* πουτάνα* πουτανα* πουτσ* πούτσ* μουνί* μουνι* μουνιά* αρχίδι* αρχιδι* κώλος κωλος κώλο"
    " κωλο σκατά σκατα χέσε* χεστ* κλανι* ηλίθι* ηλιθι* βλάκα* βλακα* καριόλ* καριολ* τσουλ* ξεφτίλ*"
    " ξεφτιλ* πέος γκέι",
    "lt": "gaidys gaidy gaidžiai šūd* bybi* bybys* pyzd* pizd* kurv* nachui* nahui* blet bliat* pidar*"
    " pydar* gėj* lochas* debil* idiot* durn* kvail* šikn* subin* papai pimp* bezd* myžal*",
    "lv": "dirs* sūd* mīz* pizd* pimp* pež* pipel* mauka* kuce pidar* pidr* gejs geji idiot* debil*"
    " stulb* muļķ* lohs lohi bļa nahuj* pirst* čurā*",
    "et": "perse persse munn munni munnid türa* tyra* vitt vittu* kurat kuradi* sitt sita sittu* pede"
    " pederast* homod lits litsid hoor hoora* nuss* lollakas* loll lollid idioot* debiil* tissid peer"
    " peeru* pissi* kusi* nikku* nikub* neeger* rõve* lollpea*",
    "is": "fokk* helvít* andskot* píka píku* tussa* typpi* hóra hóru* drulla skít skítur* kúk kúka"
    " prump* hommi hommar* fáviti* fávitar* hálfviti* rass rassgat* ógeð* ljótur* asnalegu* heimsk*",
    "sq": "kar kari karin karuc* qir qihe* qifsh* mut muti mutit bythë* bythe* byth pidh* piçk* kurv*"
    " budall* idiot* peder* gay legen* plehr*",
    "eo": "feko fekaĉ* fekulo* merdo* kaco kacon pugo fiki fikas idiot* stultul* putin* aĉul*",
    "af": "kak fok fokken* poes doos naai hoer hoere teef voetsek* piel piele kont drol poep stront"
    " bliksem* idioot* domkop* lelik",
    "sw": "kuma mboo matako malaya mavi mkundu msenge* shoga mjinga wajinga pumbavu* mpumbavu* tomba*"
    " kutomba* kahaba*",
    "ar": "كس كسم* كسك كسمك زب زبي زبك طيز* شرموط* قحب* منيوك* منيك نيك* نيكك انيك* خرا خره خرى غبي"
    " اغبياء زق خول خولات عرص معرص متناك* لوطي سكس تفو وسخ عاهر* كلب كلاب حمار حمير الكلب الحمار",
    "fa": "کیر کیری کیرم گوز گوزید کسکش* کصکش* کص کون کونی* کونده* جنده* جاکش* دیوث* حرامزاده* گاییدن*"
    " گاییدم* گایید* سکسی* خر احمق* عوضی* بیشعور* بیشرف* کثافت* گوه شاش* ریدم* ریدن* پدرسگ* مادرجنده*"
    " خارکسه* لاشی* اسکل*",
    "he": "זין זיין זונה* זונות שרמוט* כוסית* כוסאמק* קוקסינל* הומו הומואים מניאק* בןזונה בנזונה חרא"
    " מפגר* מפגרים אידיוט* מטומטם* מטומטמים טיפש* דפוק* דפוקים קקי פיפי פלוץ* מכוער* מסריח* לזיין*"
    " מזדיין* תזדיין* מוצץ* ציצי ציצים בולבול* גיי",
    "hi": "चूत* चूतिया* चुतिया* लंड* लण्ड* गांड* गाँड* भोसड* मादरचोद* बहनचोद* रंडी* रण्डी* हरामी*"
    " हरामज़ाद* चोद* टट्टी* कुत्ते कुत्ता गधा मूर्ख chutiya* madarchod* bhenchod* behenchod* bhosdi*"
    " gandu* gaand lund randi harami*",
    "bn": "চোদ* চুদ* মাগি* মাগী* খানকি* খানকী* বাল বালের হারামি* হারামজাদ* কুত্তা* পোঁদ* পোদ* গুদ ধোন*"
    " বাঁড়া* ভোদা* মাদারচোদ* বোকাচোদ* শালা গাধা",
    "ta": "புண்டை* சுன்னி* ஓத்த* தேவடியா* தேவிடியா* கூதி* பொறம்போக்கு* ஓல் லூசு* முட்டாள்*",
    "ko": "씨발* 시발* 씹새* 씹* 개새끼* 병신* 좆* 존나* 졸라* 지랄* 닥쳐* 꺼져* 엿먹* 미친놈* 미친년* 바보* 똥* 섹스* 쓰레기*",
    "zh": "傻逼 傻b 煞笔 沙比 操你 草你 草泥马 他妈的 你妈 你媽 妈的 王八蛋 婊子 贱人 賤人 白痴 狗屎 鸡巴 雞巴 屌 肏 去死 滚蛋 智障 脑残 腦殘 幹你 靠北 機掰 笨蛋"
    " 傻瓜 大便 屁眼 变态 變態 猪头 豬頭",
    "ja": "死ね しね 氏ね うんこ うんち ウンコ ウンチ ちんこ チンコ ちんぽ チンポ まんこ マンコ ちんちん おっぱい あほ アホ バカ きもい キモい キモイ きちがい キチガイ"
    " うざい ウザい オナニー",
    "th": "ควย เย็ด เหี้ย สัส ไอ้ อีดอก กระหรี่ กะหรี่ แม่ง ตุ๊ด มึง หน้าหี",
}
CHAT: dict[str, str] = {
    "any": "lol lolol* lmao* rofl* omg* wtf haha* hehe* hello asdf* qwert* xd xdd* yolo swag bla blabla*"
    " blah*",
    "en": "lol* lmao* lmfao* rofl* omg* wtf haha* hehe* hihi* hey heyy* hi hello yo dude dudes bro bruh"
    " yeah yea yay yup nope wassup* wazzup* sup ya yall gonna wanna gotta cuz coz plz pls thx kewl"
    " kool cool awesome awsome rocks rulz rox wuz woz pwn* n00b* 1337 l33t yolo swag blah* bla asd"
    " asdf* qwert* xd xoxo bye hai dont cant wont didnt doesnt isnt thats bff luv loves hate hates",
    "de": "hallo hi hey lol haha* hihi* hehe* geil geile geiler cool krass digga* moin bla blabla*"
    " tschüss lieb* stinkt mag",
    "fr": "salut coucou bonjour mdr* ptdr* lol* haha* hihi* hehe* ouais wesh kikoo* slt bisous bisou"
    " cool jtm jtaime jadore*",
    "es": "hola holaa* jaja* jeje* jiji* lol xd* wey güey bla* chido chidos adios adiós saludos besos"
    " kiero xq amo odio aburrid* hermos* guapo guapa",
    "pt": "oi olá ola kkk* rsrs* haha* hehe* huehue* lol blz vlw valeu vc vcs tb naum véi tchau beijo"
    " beijos bjs top adoro amo lindo linda gostos*",
    "it": "ciao* haha* ahah* hihi* hehe* lol xd* cmq nn xke xkè mitico tvb amo bello bella bellissim*",
    "nl": "hallo hoi hoii* hey haha* hihi* hehe* lol doei* cool vet gaaf leuk stinkt xd swag",
    "pl": "cześć czesc siema* hej haha* hehe* hihi* lol xd* elo joł spoko fajn* pozdro* pozdrawiam*"
    " nara buziaki kocham lubi*",
    "ru": "привет* хаха* хехе* хихи* ахах* лол кек азаза* ололо* прикол* ржака* люблю спс пжл классн*"
    " крутой круто",
    "uk": "привіт* хаха* хехе* хіхі* ахах* лол кек ололо* прикол* круто люблю",
    "sv": "hej* hejsan tja tjena haha* hihi* hehe* lol asså cool najs puss kram xd gillar hatar",
    "no": "hei* heisann haha* hihi* hehe* lol kul kult hallo hade xd digg",
    "da": "hej* haha* hihi* hehe* lol sej seje hallo xd lækker*",
    "fi": "moi* moikka haha* hehe* hihi* lol xd* jee* moro kiva ihana*",
    "cs": "ahoj* čau* cau nazdar* haha* hehe* hihi* lol xd* supr miluj* mňam*",
    "sk": "ahoj* čau* cau nazdar* haha* hehe* hihi* lol xd* ľúbim milujem*",
    "hu": "szia* sziasztok helo helló csá haha* hehe* hihi* lol xd* puszi* szeretlek*",
    "ro": "salut* haha* hehe* hihi* lol xd* mersi pup* smecher* șmecher* bre iubesc frumos",
    "tr": "selam slm merhaba mrb haha* hehe* hihi* lol xd* asdasd* ahah* naber nbr kanka* moruk* lan"
    " ulan seviyorum* canım* öptüm*",
    "id": "hai halo hallo haha* hehe* hihi* wkwk* lol xd* gan mantap* keren* aja nih dong sih kok"
    " banget anjay* ganteng* cinta",
    "vi": "hihi* haha* hehe* kkk* hello ok hjhj* yêu",
    "tl": "haha* hehe* lol pogi* hello hi jeje* mahal crush",
    "sr": "haha* hehe* hihi* lol xd* pozdrav* ćao cao brate volim хаха* хехе* хихи* лол ћао здраво"
    " волим брате",
    "bg": "хаха* хехе* хихи* лол здравей* здрасти обичам яко",
    "el": "χαχα* χεχε* χιχι* λολ αχαχα* ρε αγαπώ",
    "ar": "ههه* هاي مرحبا* احبك* بحبك* هلو لول حبيبي* حبيبتي*",
    "fa": "سلام* خخخ* ههه* مرسی* عشقم* دوستت* عزیزم*",
    "he": "היי הי חחח* ההה* לול אחי יאללה* מגניב* סבבה* אוהב אוהבת",
    "ko": "ㅋㅋ* ㅎㅎ* ㅠㅠ* ㅇㅇ 안녕* 사랑해*",
    "hi": "हाहा* हेहे* haha* hehe* hello hi bhai* pyar",
    "zh": "哈哈 呵呵 嘿嘿 我爱 我愛 你好 拜拜 大家好 我是 好帅 好帥",
    "ja": "ｗｗ やばい だよー わーい こんにちは 大好き",
    "th": "555 ฮ่าๆ สวัสดี ฉัน",
    "ca": "hola* jaja* jeje* lol adéu petons",
    "eu": "kaixo* aupa jaja* jeje* maite",
    "gl": "ola* jaja* jeje*",
}
PERSONS: dict[str, str] = {
    "en": "i im ive id ill me my mine myself you your yours youre ur u mom mum mommy dad",
    "de": "ich du mama opa oma mein meine dein deine mir mich dir dich",
    "fr": "je tu moi toi ma mon mes ta ton tes maman",
    "es": "yo tu mi mis tus mama",
    "pt": "eu você voce meu minha mãe te",
    "it": "io tu mia mio tua tuo mamma",
    "nl": "jij ik mijn jouw moeder",
    "pl": "ja ty mój moja mama",
    "ru": "я ты мой моя мама меня тебя тебе мне",
    "uk": "я ти мій моя мама мене тебе тобі мені",
    "sv": "jag du min din mamma",
    "no": "jeg du min din mamma",
    "da": "jeg du min din mor",
    "fi": "minä sinä mä sä mun sun äiti",
    "cs": "já ty můj tvoje máma mám",
    "sk": "ja ty môj tvoja mama",
    "hu": "én te anyu",
    "ro": "eu tu mea mama",
    "tr": "ben sen benim senin",
    "id": "aku kamu gue gw lu elo",
    "vi": "tao mày tôi",
    "tl": "ako ikaw ko mo",
    "sr": "ja ti ја ти",
    "bg": "аз ти мама",
    "el": "εγώ εσύ μαμά",
    "ar": "انا انت انتي",
    "fa": "من تو",
    "he": "אני אתה אמא שלי שלך",
    "ko": "나는 너는 내가 니가",
    "hi": "मैं तुम मेरा मेरी",
    "ca": "jo tu",
    "eu": "ni zu",
    "gl": "eu ti",
}
"""I and you, their mothers: nobody speaks so in an encyclopedia."""
SAMPLES: dict[str, tuple[str, ...]] = {
    "en": (
        "bold text",
        "italic text",
        "link title",
        "headline text",
        "heading text",
        "insert formula",
        "media:example",
    ),
    "de": ("fetter text", "kursiver text", "linktitel"),
    "fr": ("texte gras", "texte en gras", "texte italique", "texte en italique", "titre du lien"),
    "es": ("texto en negrita", "texto en cursiva", "título del enlace"),
    "it": ("testo grassetto", "testo in grassetto", "testo corsivo", "testo in corsivo"),
    "pt": ("texto a negrito", "texto em negrito", "texto em itálico"),
    "nl": ("vetgedrukte tekst", "cursieve tekst", "cursief gedrukte tekst"),
    "pl": ("tekst tłustą czcionką", "pogrubiony tekst", "tekst pochyłą czcionką"),
    "ru": ("полужирное начертание", "курсивное начертание", "заголовок ссылки"),
    "uk": ("жирний текст", "курсивний текст"),
    "sv": ("fet text", "kursiv text"),
    "no": ("fet tekst", "kursiv tekst"),
    "da": ("fed tekst", "kursiv tekst"),
    "fi": ("lihavoitu teksti", "kursivoitu teksti"),
    "cs": ("tučný text", "text kurzívou"),
    "hu": ("félkövér szöveg", "dőlt szöveg"),
    "ro": ("text aldin", "text cursiv"),
    "tr": ("kalın metin", "kalın yazı", "eğik metin", "italik yazı"),
    "id": ("teks tebal", "teks miring"),
    "vi": ("chữ đậm", "chữ xiên"),
    "ar": ("نص غليظ", "نص مائل"),
    "fa": ("متن پررنگ", "متن کج"),
    "he": ("טקסט מודגש", "טקסט נטוי"),
    "el": ("έντονο κείμενο", "πλάγιους χαρακτήρες"),
    "ja": ("太字文", "斜体文"),
    "zh": ("粗体文", "斜体文", "粗體文", "斜體文"),
    "ko": ("굵은 글씨", "기울인 글씨"),
    "ca": ("text en negreta", "text en cursiva"),
}
"""What the editing toolbar puts in where nothing is selected (MediaWiki's messages), lower-cased."""
ANY_SAMPLES = ("www.example.com", "www example com", "www.example.org", "example.jpg", "example.ogg")
READ_TOO = {
    "simple": "en", "be": "ru", "be_x_old": "ru", "kk": "ru", "ky": "ru", "tt": "ru", "ba": "ru", "cv": "ru", "uk": "ru",
    "hy": "ru", "ka": "ru", "az": "tr", "uz": "ru", "ast": "es", "an": "es", "oc": "fr", "br": "fr", "ca": "es", "gl": "es",
    "eu": "es", "hr": "sr", "bs": "sr", "sh": "sr", "mk": "sr", "nn": "no", "nb": "no", "lb": "de", "als": "de", "bar": "de",
    "ms": "id", "jv": "id", "su": "id", "ckb": "ar", "arz": "ar", "ary": "ar", "sk": "cs", "af": "nl", "fy": "nl", "li": "nl",
    "wuu": "zh", "zh_yue": "zh", "ceb": "tl", "scn": "it", "nap": "it", "lmo": "it", "vec": "it", "mr": "hi", "ne": "hi",
    "pa": "hi", "mai": "hi", "qu": "es", "ay": "es", "gn": "es", "cy": "en", "ga": "en", "gd": "en", "pnb": "ar",
}  # fmt: skip
"""Languages that are read with another one's tables besides their own."""
UNSPACED = frozenset(("zh", "ja", "th"))
