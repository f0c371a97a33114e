from __future__ import annotations

from streams.stages.diff import text_delta
from streams.stages.disputes import DisputeChange, dispute_change, dispute_templates


def test_names_are_folded_and_redirects_followed() -> None:
    text = "{{NPOV|date=May 2026}} {{ Disputed_section }} {{Template:hoax}}\n{{Cn}} {{Neutralität}}"
    assert dispute_templates(text) == {"pov", "disputed", "hoax", "citation needed"}
    assert dispute_templates(["{{Infobox x", "| a = {{dubious|b}}"]) == {"dubious"}
    assert dispute_templates("彼は{{要出典|date=2026}}") == {"citation needed"}
    assert dispute_templates("POV disputed {{povs}}") == frozenset()


def test_put_up_taken_down_and_moved() -> None:
    change = dispute_change(text_delta("{{POV}}\nA.{{cn}}{{fact}}", "{{hoax}}\nA.{{cn}}"))
    assert change == DisputeChange(frozenset({"hoax"}), frozenset({"pov", "citation needed"}), -1)
    more = dispute_change(text_delta("A.{{cn}}", "A.{{cn}}{{fact}}"))
    assert more == DisputeChange(frozenset({"citation needed"}), frozenset(), 1)
    assert dispute_change(text_delta("{{POV}}\nA.\nB.", "A.\nB.\n{{pov}}")) == DisputeChange()


def test_hostile_text_is_read_in_linear_time() -> None:
    assert dispute_templates("{{" * 100_000 + "pov}}") == {"pov"}
    assert dispute_templates("{{ " + " " * 300_000) == frozenset()
