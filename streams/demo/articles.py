"""The demo's pages as they stand before the story begins. Every place, person and number is invented;
the texts are the project's own."""

from __future__ import annotations

import json

DEMO_WIKI, DATA_WIKI = "demowiki", "wikidatawiki"
HOSTS = {DEMO_WIKI: "demo.example", DATA_WIKI: "data.example"}

VALDANE = """{{Use dmy dates|date=May 2026}}
{{Infobox scientist
| name = Mira Valdane
| birth_date = {{birth date|1931|3|14|df=y}}
| birth_place = [[Port Selwyn]]
| fields = [[Limnology]]
}}
'''Mira Valdane''' (born 14 March 1931) is a limnologist who mapped the deep currents of [[Lake \
Orrin]]. She received the [[Teska Prize]] in 1974.<ref>{{cite book |title=Teska laureates \
|year=1999 |page=41}}</ref>

== Early life ==
Valdane was born in Port Selwyn on 14 March 1931, the third child of a ferry pilot. She studied in \
Hallen from 1949 and took her doctorate there in 1957.<ref>{{cite journal |title=Obituary of a method \
|journal=Lake Letters |volume=12 |year=2003}}</ref>

== Work ==
Between 1961 and 1969 she sank 214 drift bottles and recovered 187 of them. The survey showed that the \
lower current of Lake Orrin turns twice a year.<ref>{{cite report |title=Orrin survey |year=1970}}</ref>

== Honours ==
* Teska Prize, 1974
* Honorary citizen of Port Selwyn, 1981
"""

ORRIN = """{{Use dmy dates|date=May 2026}}
'''Lake Orrin''' is a glacial lake in the north of the Dray Valley. It covers 63 square \
kilometres and is 118 metres deep at its deepest point.<ref>{{cite report |title=Orrin survey \
|year=1970}}</ref>

== Geography ==
The lake is fed by eleven streams, of which the Upper Dray carries the most water. Its only \
outflow passes the [[Dray Dam]]. The shore is 41 kilometres long.

== Wildlife ==
Char and whitefish live in the lake. The last confirmed sturgeon was caught in 1938.<ref>{{cite news \
|title=A giant landed |newspaper=Selwyn Post |date=2 July 1938}}</ref>

== History ==
A steamer crossed the lake from 1886 until 1952. Its hull lies at a depth of 74 metres and was \
found by divers in 1997.
"""

SELWYN = """{{Use dmy dates|date=May 2026}}
{{Infobox settlement
| name = Port Selwyn
| population_total = 48,210
| population_as_of = 2021
| area_km2 = 37.4
}}
'''Port Selwyn''' is a harbour town at the mouth of the Dray. At the census of 2021 it had 48,210 \
inhabitants.<ref>{{cite web |title=Census 2021 |publisher=Statistics Office |access-date=3 May \
2026}}</ref>

== History ==
The town received its charter in 1342. A fire destroyed 311 houses in 1764, and the quays were \
rebuilt in stone by 1779.<ref>{{cite book |title=Selwyn in stone |year=1988 |page=17}}</ref>

== Economy ==
The port handled 2.6 million tonnes in 2023. The cannery, opened in 1904, employed 640 people when it \
closed in 1991.

== Transport ==
The [[Kestrel Line]] has linked the town with Hallen since 1871.
"""

TESKA = """{{Use dmy dates|date=May 2026}}
The '''Teska Prize''' is an award for work on inland waters. It was founded in 1952 by the engineer \
Oskar Teska and is given every second year in Hallen.<ref>{{cite book |title=Teska laureates \
|year=1999 |page=3}}</ref>

== Statutes ==
The prize is worth 90,000 crowns. A jury of seven decides by secret ballot; nobody can receive it twice.

== Laureates ==
* 1972: Johan Eide, for the chemistry of peat water
* 1974: [[Mira Valdane]], for the currents of Lake Orrin
* 1976: Ilse Korhan, for the first flood atlas of the Dray

== Criticism ==
Until 1988 the jury met in private, and its reports were not published.<ref>{{cite news |title=Behind \
closed doors |newspaper=Hallen Courier |date=9 May 1987}}</ref>
"""

ACCIDENT = """== Accident of 1923 ==
On 17 November 1923 a mail train ran into a landslide near Upper Dray. Fourteen people died and \
31 were injured. The inquiry of 1924 blamed a blocked drain and cleared the driver.<ref>{{cite \
report |title=Inquiry into the Upper Dray accident |year=1924}}</ref>

"""

KESTREL = (
    """{{Use dmy dates|date=May 2026}}
The '''Kestrel Line''' is a railway of 84 kilometres between Hallen and [[Port Selwyn]]. It opened on \
1 June 1871 and was electrified in 1958.<ref>{{cite book |title=Rails of the Dray |year=2004 \
|page=88}}</ref>

== Route ==
The line climbs 212 metres to the Orrin summit and passes through nine tunnels, the longest of which \
measures 1,940 metres.

"""
    + ACCIDENT
    + """== Operation ==
Trains run every 30 minutes. In 2024 the line carried 3.1 million passengers.
"""
)

CONTESTED = "Engineers consider the dam safe, and no leak has been recorded since 1968."
DOUBTED = "Engineers have doubted the safety of the dam since leaks were found in 1968."
SETTLED = (
    "Leaks found in 1968 were sealed by 1971; engineers disagree on what they meant for its safety."
)

DRAY = f"""{{{{Use dmy dates|date=May 2026}}}}
The '''Dray Dam''' is a gravity dam at the outflow of [[Lake Orrin]]. It is 52 metres high and \
410 metres long and was built from 1959 to 1964.<ref>{{{{cite book |title=Dams of the north \
|year=1990 |page=120}}}}</ref>

== Construction ==
Some 1,300 people worked on the site. The concrete, 290,000 cubic metres of it, was mixed in Upper Dray.

== Safety ==
{CONTESTED}<ref>{{{{cite report |title=Second inspection of the Dray Dam |year=1972}}}}</ref>

== Power ==
Two turbines produce 36 megawatts together. They were replaced in 2009.
"""

HALLEN = """{{Use dmy dates|date=May 2026}}
The '''Hallen Bridge''' is a stone bridge of seven arches over the Dray in Hallen. It was begun \
in 1688 and opened in 1702.<ref>{{cite web |title=Bridges of Hallen |publisher=City archive \
|access-date=3 May 2026}}</ref>

== Structure ==
The bridge is 164 metres long and 9.5 metres wide. The widest arch spans 22 metres.

== History ==
The fourth arch fell in the flood of 1784 and was rebuilt within two years. Cars have been barred \
since 1993.

== See also ==
* [[Dray Dam]]
"""

AMBRA = """{{Use dmy dates|date=May 2026}}
The '''Ambra Quartet''' is a string quartet from Hallen, founded in 1979. Its recording of the \
six Fenn quartets appeared in 1986.<ref>{{cite web |title=Ambra at forty |publisher=Hallen Radio \
|access-date=3 May 2026}}</ref>

== Members ==
The first violinist, Petra Lind, has led the quartet since its foundation. The cellist joined in 2001.

== Recordings ==
The quartet has made 23 recordings. Four of them received a gold disc.

== See also ==
* [[Hallen Bridge]]
"""

CRESS = """{{Use dmy dates|date=May 2026}}
'''Orrin cress''' is a flowering plant that grows only on the shores of [[Lake Orrin]]. It was \
described in 1893 and reaches a height of 15 centimetres.<ref>{{cite web |title=Flora of the Dray \
|publisher=Hallen Herbarium |access-date=3 May 2026}}</ref>

== Description ==
The leaves have five to nine lobes. White flowers with four petals open from May to July.

== Conservation ==
Some 2,400 plants were counted in 2022. Its largest stand has been fenced since 2006.

== See also ==
* [[Lake Orrin]]
"""

HOSTILE_TITLE = "<script>alert(1)</script>"
HOSTILE = """{{Use dmy dates|date=May 2026}}
'''<nowiki><script>alert(1)</script></nowiki>''' is a phrase that testers type into forms to see \
whether a page escapes what people write. The earliest known use in a textbook dates from \
2001.<ref>{{cite book |title=Forms and their faults |year=2001 |page=64}}</ref>

== Use ==
A page that shows the phrase as text passes the test. A page that opens a small window with the number \
one in it has failed, and everything else on it can be read and changed by whoever wrote the phrase.

== Spread ==
A survey of 1,200 forms in 2009 found the fault in 216 of them. When it was repeated in 2019, 31 were \
left.<ref>{{cite report |title=Forms, ten years on |year=2019}}</ref>

== Variants ==
Some testers use pictures that can't be loaded, others a link whose address is a program.
"""

ITEM = "Q4820931"


def item_text(birth: str) -> str:
    """The item of Mira Valdane as Wikibase stores it; `birth` is an ISO date."""
    value = {
        "time": f"+{birth}T00:00:00Z",
        "timezone": 0,
        "before": 0,
        "after": 0,
        "precision": 11,
        "calendarmodel": "http://www.wikidata.org/entity/Q1985727",
    }
    return json.dumps(
        {
            "type": "item",
            "id": ITEM,
            "labels": {"en": {"language": "en", "value": "Mira Valdane"}},
            "descriptions": {"en": {"language": "en", "value": "limnologist"}},
            "aliases": {},
            "claims": {
                "P569": [
                    {
                        "mainsnak": {
                            "snaktype": "value",
                            "property": "P569",
                            "datavalue": {"value": value, "type": "time"},
                            "datatype": "time",
                        },
                        "type": "statement",
                        "id": f"{ITEM}$6F1C2E0A-0000-4000-8000-000000000569",
                        "rank": "normal",
                    }
                ]
            },
            "sitelinks": {},
        },
        ensure_ascii=False,
    )


#: (wiki, title) -> text
ARTICLES: dict[tuple[str, str], str] = {
    (DEMO_WIKI, "Mira Valdane"): VALDANE,
    (DEMO_WIKI, "Lake Orrin"): ORRIN,
    (DEMO_WIKI, "Port Selwyn"): SELWYN,
    (DEMO_WIKI, "Teska Prize"): TESKA,
    (DEMO_WIKI, "Kestrel Line"): KESTREL,
    (DEMO_WIKI, "Dray Dam"): DRAY,
    (DEMO_WIKI, "Hallen Bridge"): HALLEN,
    (DEMO_WIKI, "Ambra Quartet"): AMBRA,
    (DEMO_WIKI, "Orrin cress"): CRESS,
    (DEMO_WIKI, HOSTILE_TITLE): HOSTILE,
    (DATA_WIKI, ITEM): item_text("1931-03-14"),
}
QUIET_TITLES = ("Hallen Bridge", "Ambra Quartet", "Orrin cress")
"""Nothing happens to these but good edits."""
