// An alert as elements. Every text of a wiki goes in by textContent, isolated for its direction.

import { plainComment } from "./comment.js";
import { age, element, link, untrusted } from "./elements.js";
import { getJson } from "./feed.js";
import { figuresOf, inWords, isAboutPosts, postsList, spreadSection } from "./spread.js";
import { judge } from "./verdict.js";
import { diffWords, duration } from "./words.js";

export const KINDS = {
  "edit.suspect": "Suspect edit",
  "page.contested": "Contested page",
  "fact.corrected": "Correction",
  "post.repeats": "Repeated in posts",
  "fact.amplified": "Spreading",
};
const SEVERITIES = { critical: "◆ Critical", warning: "▲ Warning", info: "● Info" };
const PERFORMERS = {
  registered: "registered account",
  temporary: "temporary account",
  ip: "not logged in (IP)",
  hidden: "name hidden by the wiki",
};
const CHANGES = {
  number: "Number", date: "Date", quantity: "Quantity", name: "Name", negation: "Negation",
  wording: "Wording", insertion: "Added", deletion: "Removed", property: "Statement",
};
const OBSERVED = {
  edits: "Edits in this episode", mutual_reverts: "Mutual reverts", editors: "Editors", controversy: "Controversy",
  dispute_templates: "Dispute templates", protection: "Protection", protected_by: "Protected by",
};
const SHOWN_CHANGES = 3;

/** `spreads`: of the facts of this alert, what is known of the posts that repeat them, `{alerts, live}`. */
export function openCard(alert, spreads = []) {
  const card = element("article", { class: "card", "data-severity": alert.severity, "data-kind": alert.kind });
  card.append(
    element("div", { class: "badges" },
      element("span", { class: "badge severity" }, SEVERITIES[alert.severity] ?? alert.severity),
      element("span", { class: "badge" }, KINDS[alert.kind] ?? alert.kind),
      !isAboutPosts(alert) && spreads.some(isAmplified) ? element("span", { class: "badge spreading" }, `↗ ${KINDS["fact.amplified"]}`) : null,
      untrusted(alert.wiki, { class: "wiki" }),
      age(alert.event_time)),
    element("div", { class: "head" }, element("div", {}, title(alert), isAboutPosts(alert) ? standing(spreads) : performer(alert)), risk(alert)),
  );
  if (isContested(alert)) card.append(toUse(alert));
  card.append(...changes(alert.fact_changes, repeatedBy(alert, spreads)));
  const why = reasons(alert);
  if (why !== null) card.append(why);
  card.append(element("footer", { class: "links" },
    link(alert.diff_url, "Diff"),
    link(alert.page_url, "Page"),
    alert.last_good_rev_id === null || isContested(alert) ? null : link(alert.last_good_url, `Last good revision ${alert.last_good_rev_id}`),
    history(alert),
    judge(alert)));
  return card;
}

function isAmplified({ alerts }) {
  return alerts.some((alert) => alert.kind === "fact.amplified");
}

/** Of a fact whose own alert is not here any more. */
function standing(spreads) {
  const isCorrected = spreads.some(({ alerts, live }) => figuresOf(alerts, live).isCorrected);
  return element("p", { class: "who" }, isCorrected
    ? "The wiki has restored the statement; posts go on saying what it was changed to."
    : "Posts repeat a statement that is in doubt.");
}

function isContested(alert) {
  return alert.kind === "page.contested";
}

/** Both sides of a dispute think theirs is the good one: what stood before it is neither's. */
function toUse(alert) {
  const line = element("p", { class: "to-use" });
  if (alert.last_good_rev_id === null) {
    line.append("Which revision stood before the dispute is not known: see the page's history.");
    return line;
  }
  const name = `revision ${alert.last_good_rev_id}`;
  line.append("Good to use meanwhile: ", link(alert.last_good_url, name) ?? name, ", which stood before the dispute");
  return line;
}

function title(alert) {
  return element("h3", {}, untrusted(alert.title));
}

function performer(alert) {
  const parts = element("p", { class: "who" });
  if (isContested(alert)) parts.append("last edit by ");
  if (alert.performer) parts.append(untrusted(alert.performer, { class: "name" }), " · ");
  parts.append(PERFORMERS[alert.performer_kind] ?? alert.performer_kind);
  const comment = plainComment(alert.comment);
  if (comment) parts.append(" · “", untrusted(comment, { class: "comment" }), "”");
  return parts;
}

function risk(alert) {
  if (alert.revert_risk === null) return null;
  const percent = Math.min(Math.round(alert.revert_risk * 100), 99); // never certain
  const figure = percent >= 1 ? `${percent} %` : "<1 %";
  const meter = element("meter", { min: 0, max: 1, value: alert.revert_risk, "aria-hidden": "true" });
  const box = element("div", { class: "risk" }, element("strong", {}, figure), meter, element("span", {}, "revert risk"));
  if (!alert.with_content) box.append(element("span", { class: "blind" }, "text not seen"));
  return box;
}

/** Who repeats a fact stands below what was changed: sections by fact_key, those of facts that the alert
 * has no more by "". */
function repeatedBy(alert, spreads) {
  const keys = new Set(alert.fact_changes.map((fact) => fact.fact_key));
  const found = new Map();
  for (const { alerts, live } of spreads) {
    const key = alerts[0].fact_changes[0]?.fact_key;
    const place = keys.has(key) ? key : "";
    found.set(place, [...(found.get(place) ?? []), spreadSection(alerts, live, isContested(alert))]);
  }
  return found;
}

/** The first few, and all that posts repeat; the rest is folded away. */
function changes(factChanges, sections) {
  const shown = [];
  const rest = [];
  for (const [index, fact] of factChanges.entries()) {
    const own = sections.get(fact.fact_key) ?? [];
    sections.delete(fact.fact_key); // of two changes of one fact the first has it
    (index < SHOWN_CHANGES || own.length > 0 ? shown : rest).push(change(fact), ...own);
  }
  for (const section of sections.values()) shown.push(...section);
  if (rest.length === 0) return shown;
  return [
    ...shown,
    element("details", { class: "more" }, element("summary", {}, rest.length === 1 ? "1 more change" : `${rest.length} more changes`), ...rest),
  ];
}

function change(fact) {
  const isBack = fact.before === fact.after; // in a dispute: changed, and changed back
  const { before, after } = diffWords(fact.before, fact.after);
  const heading = element("p", { class: "where" }, CHANGES[fact.change_type] ?? fact.change_type);
  if (fact.section) heading.append(" · ", untrusted(fact.section));
  if (isBack) {
    heading.append(" · changed to and fro, now as before");
    return element("div", { class: "change" }, heading, element("dl", {}, element("dt", {}, "Now"), marked(after, "ins")));
  }
  return element("div", { class: "change" }, heading,
    element("dl", {},
      element("dt", {}, "Before"), marked(before, "del"),
      element("dt", {}, "After"), marked(after, "ins")));
}

function marked(runs, tag) {
  if (runs.length === 0) return element("dd", { class: "nothing" }, tag === "del" ? "nothing stood here" : "nothing stands here now");
  const line = element("dd", { dir: "auto" });
  for (const run of runs) line.append(run.changed ? element(tag, {}, run.text) : run.text);
  return line;
}

function reasons(alert) {
  const list = element("ul", { class: "reasons" });
  for (const reason of alert.reasons) {
    const way = reason.contribution < 0 ? "lowers" : "raises";
    list.append(element("li", { class: way }, untrusted(reason.text),
      way === "lowers" ? element("span", { class: "note" }, " (speaks for it)") : ""));
  }
  if (isContested(alert) || alert.evidence.edits > 1) {
    for (const [name, label] of Object.entries(OBSERVED)) {
      const value = alert.evidence[name];
      if (value === undefined || value === 0 || (Array.isArray(value) && value.length === 0)) continue;
      const item = element("li", { class: "raises" }, `${label}: `);
      for (const [index, part] of [value].flat().entries()) item.append(index > 0 ? ", " : "", observed(part));
      list.append(item);
    }
  }
  return list.children.length === 0 ? null : element("div", { class: "why" }, element("h4", {}, "Why"), list);
}

function observed(value) {
  return typeof value === "number" ? value.toLocaleString(undefined, { maximumFractionDigits: 1 }) : untrusted(value);
}

function history(alert) {
  const list = element("ol", { class: "history" });
  const box = element("details", {}, element("summary", {}, "History"), list);
  box.addEventListener("toggle", async () => {
    if (!box.open) return;
    try {
      const { changes: all } = await getJson(`/v1/alerts/${encodeURIComponent(alert.alert_id)}`);
      list.replaceChildren(...all.map((state) => element("li", {},
        new Date(state.event_time * 1000).toLocaleString(), ` · ${state.status} · `, untrusted(state.summary))));
    } catch (error) {
      list.replaceChildren(element("li", {}, `can't be read now: ${error.message}`));
    }
  });
  return box;
}

/** `correction`: the fact.corrected alert that names this one, when it is known; `live`: what is known now
 * of the fact that it corrects. */
export function settledRow(alert, correction, live) {
  const row = element("article", { class: "row", "data-kind": alert.kind });
  row.append(
    element("div", { class: "badges" },
      element("span", { class: "badge" }, KINDS[alert.kind] ?? alert.kind),
      untrusted(alert.wiki, { class: "wiki" }),
      age(alert.event_time)),
    title(alert),
    how(alert, correction));
  row.append(...touched(correction ?? alert, live));
  const [first] = alert.fact_changes;
  if (first) {
    row.append(element("details", { class: "was" }, element("summary", {}, "What it was"), ...changes(alert.fact_changes, new Map())));
  }
  row.append(element("footer", { class: "links" },
    link(correction?.diff_url ?? alert.diff_url, correction ? "Correcting diff" : "Diff"),
    link(alert.page_url, "Page"),
    history(alert),
    judge(alert)));
  return row;
}

/** The posts that a correction bears on: whoever passed them on can follow up. */
function touched(correction, live) {
  if (correction.evidence.total_posts === undefined || correction.kind !== "fact.corrected") return [];
  const figures = figuresOf([correction], live);
  if (figures.total_posts === 0) return [];
  const line = element("p", { class: "touched" }, inWords(figures));
  if (figures.posts.length === 0) return [line];
  return [line, element("details", { class: "was" },
    element("summary", {}, figures.posts.length === 1 ? "The post it touches" : `${figures.posts.length} posts it touches`),
    ...postsList(figures.posts, figures.correctedTime, false))];
}

const ENDS = {
  quiet: "Nobody repeats it any more", expired: "No longer watched", old: "A day old", deleted: "Deleted by its author",
  edited: "Edited: repeats it no more", "crowded out": "Made room for newer ones",
};

function how(alert, correction) {
  const line = element("p", { class: "how" });
  const { outcome, open_s: openS, settled_by: settledBy } = alert.evidence;
  const after = duration(Number(openS ?? alert.event_time - alert.episode_start));
  if (isAboutPosts(alert) && Object.hasOwn(ENDS, outcome)) {
    line.append(`${ENDS[outcome]}, after ${after}`);
    return line;
  }
  const by = correction?.performer || settledBy || (alert.kind === "fact.corrected" ? alert.performer : "");
  if (outcome === "reverted" || alert.kind === "fact.corrected") {
    line.append(element("span", { class: "tick", "aria-hidden": "true" }, "✓ "), "Corrected");
    if (by) line.append(" by ", untrusted(by, { class: "name" }));
    line.append(` after ${after}`);
  } else if (outcome === "withdrawn") line.append(`Taken back by its own author after ${after}`);
  else if (outcome === "kept") line.append(`Kept: nobody reverted it in ${after}`);
  else if (outcome === "settled") line.append(`The dispute settled; it lasted ${after}`);
  else if (outcome) line.append("Ended: ", untrusted(outcome), ` after ${after}`);
  else line.append(untrusted(alert.summary));
  return line;
}
