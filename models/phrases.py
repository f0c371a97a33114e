"""Features in words, for a person who reads why an edit alerts."""

from __future__ import annotations

import math

PHRASES: dict[str, str] = {
    "anonymous": "the editor is not logged in",
    "temporary": "the editor uses a temporary account",
    "minor": "how the edit is marked (minor)",
    "bot": "how the edit is marked (bot)",
    "new_page": "the edit makes a new page",
    "comment_empty": "there is no edit summary",
    "comment_section_only": "the edit summary names only a section",
    "comment_length": "the editor wrote {n} characters of edit summary",
    "comment_links": "the edit summary has {v} links",
    "comment_capitals": "the edit summary is in capitals",
    "size_change": "the page changes by {s} bytes",
    "size_ratio": "the page becomes {v} times as long",
    "removed_characters": "{n} characters are removed",
    "removed_words": "{n} words are removed",
    "removed_share": "{p} of the page is removed",
    "net_removed": "{n} different words are removed",
    "whole_lines_removed": "{n} whole lines are removed",
    "delete_only": "text is only removed",
    "page_same_performer": "whether the same editor made the last edit",
    "page_reverted_share": "{p} of the page's latest edits were reverted",
    "page_reverts_share": "{p} of the page's latest edits are reverts",
    "page_last_was_revert": "the edit before is a revert",
    "page_last_reverted": "the edit before was reverted",
    "page_last_reverted_same": "this editor's edit just before was reverted",
    "page_own_recent": "this editor made {v} of the page's latest edits",
    "page_own_reverted": "{v} of this editor's latest edits here were reverted",
    "page_protected": "the page's protection",
    "page_since_last": "the page's last edit was {t} before",
    "page_revert_rate": "how often edits of this page are reverted",
    "restores_back": "the text is one that stood here {v} revisions ago",
    "restores_reverted": "it restores a text that was reverted",
    "performer_edits": "{v} earlier edits of this editor are known",
    "performer_since_last": "the editor's last edit was {t} before",
    "performer_reverted": "{v} of the editor's latest edits were reverted",
    "performer_reverted_share": "{p} of the editor's latest edits were reverted",
    "network_edits": "{v} earlier edits came from this network",
    "network_reverted_share": "{p} of the edits from this network were reverted",
    "spans": "{n} places are changed",
    "hunks": "{n} passages are changed",
    "added_words": "{n} words are added",
    "added_characters": "{n} characters are added",
    "added_share": "what is added is {p} of the page",
    "insert_only": "text is only added",
    "net_added": "{n} different words are added",
    "whole_lines_added": "{n} whole lines are added",
    "line_breaks_added": "line breaks are added or removed",
    "position": "where on the page the change is ({p} down)",
    "position_characters": "where on the page the change is ({p} down)",
    "in_lead": "whether the change is in the lead section",
    "at_page_start": "whether the change is at the very top",
    "at_page_end": "whether the change is at the very end",
    "reference_change": "references change by {s}",
    "template_change": "templates change by {s}",
    "link_change": "links change by {s}",
    "external_link_change": "external links change by {s}",
    "heading_change": "heading marks change by {s}",
    "table_change": "table markup changes by {s}",
    "emphasis_change": "bold and italic marks change by {s}",
    "html_change": "tags change by {s}",
    "media_change": "media files change by {s}",
    "markup_imbalance": "{n} brackets are left without their partner",
    "numbers_added": "{n} numbers are added",
    "numbers_removed": "{n} numbers are removed",
    "number_swaps": "{n} numbers are changed",
    "number_jump": "a number becomes about {m} times as large, or as small",
    "word_swaps": "{n} words or phrases are exchanged",
    "name_swaps": "{n} names are exchanged",
    "swap_only": "values are exchanged and nothing else is changed",
    "changed_in_link": "{p} of the changes are inside links",
    "changed_in_template": "{p} of the changes are inside templates",
    "changed_in_reference": "{p} of the changes are inside references",
    "added_uppercase": "{p} of the added letters are capitals",
    "added_capitalized": "{p} of the added words are capitalized",
    "starts_lower": "whether the added text begins in lower case",
    "added_digits": "{p} of what is added are digits",
    "added_signs": "{p} of what is added are neither letters nor digits",
    "added_exclaims": "{n} exclamation or question marks are added",
    "longest_run": "the same character stands {v} times in a row",
    "longest_word": "the longest added word has {v} letters",
    "word_repetition": "{p} of the added words repeat others",
    "compression": "how repetitive the added text is",
    "keyboard_run": "letters stand in a row as on a keyboard",
    "consonant_run": "a new word has {v} consonants in a row",
    "gibberish": "{p} of the letter triples in the new words are not found on the page",
    "new_share": "{p} of the added words are new to the page",
    "new_words": "{n} added words are new to the page",
    "surprise_mean": "the added words are unusual for this page",
    "surprise_max": "an added word is unusual for this page",
    "never_seen_share": "{p} of the added words never stood on this page",
    "removed_surprise_mean": "how usual the removed words are on this page",
    "vanished_share": "{p} of the removed words vanish from the page",
    "thrown_max": "reverts took an added word out {n} times here",
    "thrown_mean": "reverts took the added words out {n} times here on average",
    "thrown_share": "reverts took {p} of the added words out here before",
    "thrown_against_life": "reverts took an added word out here more than it was left standing",
    "life_min": "an added word stood here for only {n} revisions before",
    "life_mean": "the added words stood here for {n} revisions on average",
    "life_max": "an added word stood here for as long as {n} revisions",
    "life_time_mean": "the added words stood here for {t} on average",
    "removed_age_min": "the youngest removed word had stood for {n} revisions",
    "removed_age_mean": "the removed words had stood for {n} revisions on average",
    "removed_age_max": "a removed word had stood for {n} revisions",
    "removed_time_mean": "the removed words had stood for {t} on average",
    "removed_time_min": "the youngest removed word had stood for {t}",
    "age_difference": "words that stood long give way to words that did not",
    "time_difference": "words that stood long give way to words that did not",
    "removed_thrown_share": "reverts took {p} of the removed words out before",
    "gone_since": "an added word was taken out here within the last {n} revisions",
    "moved_share": "{p} of the text is only moved",
    "quoted": "{p} of the added text is quoted",
    "glued": "whether the added text is joined to the word before it",
    "odd_capitals": "{p} of the added words have capitals inside",
    "context_compression": "the added text has little in common with the text around it",
    "category_change": "categories change by {v}",
    "domains_added": "links to {v} websites are added",
    "new_domains": "{v} of the websites linked to are new to the page",
    "old_elsewhere": "the old value still stands {n} times elsewhere on the page",
    "new_elsewhere": "the new value stands {n} times on the page already",
    "digits_changed": "{p} of a number's digits are changed",
    "same_digits": "whether the new number has as many digits as the old one",
    "year_swapped": "a year is changed",
    "year_ahead": "the new year is one to come",
    "digits_around": "how many digits stand in the changed line",
    "negations_added": "{v} negations are added",
    "negations_removed": "{v} negations are removed",
    "text_score": "the changed words are like those of edits that were reverted",
    "text_peak": "an added word is like those of edits that were reverted",
}
"""One a feature. {n}: a count kept as log1p; {s}: the same with a sign; {p}: a share; {t}: log1p of
seconds; {v}: as it is; {m}: the power of ten."""

#: Where "0 of them" reads badly.
NONE_OF_IT = {
    "comment_length": "the editor wrote no edit summary",
    "performer_edits": "the editor was not seen before",
    "network_edits": "nobody from this network was seen before",
}

#: Where "1 of them are" reads badly.
ONE_OF_IT = {
    "comment_length": "the editor wrote 1 character of edit summary",
    "comment_links": "the edit summary has 1 link",
    "removed_characters": "1 character is removed",
    "removed_words": "1 word is removed",
    "net_removed": "1 word is removed",
    "whole_lines_removed": "1 whole line is removed",
    "page_own_reverted": "1 of this editor's latest edits here was reverted",
    "restores_back": "the text is one that stood here 1 revision ago",
    "performer_edits": "1 earlier edit of this editor is known",
    "performer_reverted": "1 of the editor's latest edits was reverted",
    "network_edits": "1 earlier edit came from this network",
    "spans": "1 place is changed",
    "hunks": "1 passage is changed",
    "added_words": "1 word is added",
    "added_characters": "1 character is added",
    "net_added": "1 word is added",
    "whole_lines_added": "1 whole line is added",
    "markup_imbalance": "1 bracket is left without its partner",
    "numbers_added": "1 number is added",
    "numbers_removed": "1 number is removed",
    "number_swaps": "1 number is changed",
    "word_swaps": "1 word or phrase is exchanged",
    "name_swaps": "1 name is exchanged",
    "added_exclaims": "1 exclamation or question mark is added",
    "longest_run": "no character stands three times in a row",
    "longest_word": "the longest added word has 1 letter",
    "new_words": "1 added word is new to the page",
    "gone_since": "an added word was taken out here in the last revision",
    "new_domains": "1 of the websites linked to is new to the page",
    "domains_added": "links to 1 website are added",
    "category_change": "1 category is added",
    "old_elsewhere": "the old value still stands elsewhere on the page",
    "new_elsewhere": "the new value stands on the page once already",
    "negations_added": "1 negation is added",
    "negations_removed": "1 negation is removed",
    "thrown_max": "reverts took an added word out once here",
    "thrown_mean": "reverts took the added words out once here on average",
    "life_min": "an added word stood here for only 1 revision before",
    "life_mean": "the added words stood here for 1 revision on average",
    "life_max": "an added word stood here for as long as 1 revision",
    "removed_age_min": "the youngest removed word had stood for 1 revision",
    "removed_age_mean": "the removed words had stood for 1 revision on average",
    "removed_age_max": "a removed word had stood for 1 revision",
}
#: Counted no further.
CAPS = {"longest_run": 12.0, "longest_word": 40.0}


def phrase(name: str, value: float) -> str:
    """The feature in words."""
    if math.isnan(value):
        return PHRASES[name].format(n="?", s="?", p="?", t="?", v="?", m="?")
    if value == 0.0 and name in NONE_OF_IT:
        return NONE_OF_IT[name]
    count = round(math.expm1(min(abs(value), 40.0)))
    if name in ONE_OF_IT and (value == 1.0 if "{v}" in PHRASES[name] else count == 1):
        return ONE_OF_IT[name]
    if name == "number_jump" and 10.0**value < 1.05:
        return "a number is changed by less than 5 %"
    return PHRASES[name].format(
        n=count,
        s=f"{'+' if value >= 0 else '-'}{count}",
        p=f"{100 * value:.0f} %",
        t=_duration(math.expm1(min(max(value, 0.0), 30.0))),
        v=f"{value:.3g}" + (" or more" if value >= CAPS.get(name, math.inf) else ""),
        m=_rounded(10.0 ** min(abs(value), 12.0)),
    )


def _rounded(number: float) -> str:
    """Two digits that count: 1.3, 25, 1,000."""
    if number < 10.0:
        return f"{number:.2g}"
    return f"{round(number, 1 - math.floor(math.log10(number))):,.0f}"


def _duration(seconds: float) -> str:
    for unit, size in (
        ("years", 31_557_600.0),
        ("days", 86_400.0),
        ("hours", 3_600.0),
        ("minutes", 60.0),
    ):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
