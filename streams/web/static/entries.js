// What the page lists: alerts put together by what they are about. An entry has an id that stays, a version
// that changes with what is to be seen, the alerts it tells of, and builds its element.

import { openCard, settledRow } from "./card.js";
import { isAboutPosts, spreadsOf, versionOf } from "./spread.js";

export const isOpen = (alert) => alert.status !== "resolved";

/** What is open: alerts about edits, each with the posts that repeat its facts; then posts about facts
 * whose own alert is not open any more. Newest first. */
export function cards(all, live) {
  const edits = all.filter((alert) => isOpen(alert) && !isAboutPosts(alert));
  const ids = new Set(edits.map((alert) => alert.alert_id));
  const spreads = spreadsOf(all.filter((alert) => isOpen(alert) && isAboutPosts(alert)));
  const parentOf = (spread) => spread.lead.related.find((id) => ids.has(id));
  const found = edits.map((alert) => {
    const own = spreads.filter((spread) => parentOf(spread) === alert.alert_id);
    return entry(live, alert.alert_id, [alert, ...own.flatMap((spread) => spread.alerts)], own);
  });
  for (const spread of spreads) {
    if (parentOf(spread) === undefined) found.push(entry(live, `spread ${spread.hotId}`, spread.alerts, [spread], spread.lead));
  }
  return found.sort((a, b) => b.seq - a.seq);
}

function entry(live, id, about, spreads, lead = about[0]) {
  const known = spreads.map((spread) => ({ alerts: spread.alerts, live: live.fact(spread.hotId) }));
  return {
    id,
    alerts: [lead, ...about.filter((alert) => alert !== lead)],
    hotIds: spreads.map((spread) => spread.hotId),
    seq: Math.max(lead.seq, ...about.filter((alert) => alert.kind === "fact.amplified").map((alert) => alert.seq)), // spreading: up again
    version: [lead.seq, ...known.map((spread) => versionOf(spread.alerts, spread.live))].join("/"),
    build: () => openCard(lead, known),
  };
}

/** What is settled. A correction is told on the row of what it corrected, when that is here, as is the
 * end of the posts about it. `corrections`: by the alert_id of what they corrected. */
export function rows(all, corrections, live) {
  const ids = new Set(all.map((alert) => alert.alert_id));
  const over = all.filter((alert) => !isOpen(alert) && !(alert.related ?? []).some((id) => ids.has(id)));
  const about = spreadsOf(over.filter(isAboutPosts));
  const stillOpen = new Set(all.filter((alert) => isOpen(alert) && isAboutPosts(alert)).map((alert) => alert.evidence.hot_id));
  const leads = new Set(about.filter((spread) => !stillOpen.has(spread.hotId)).map((spread) => spread.lead));
  return over.filter((alert) => !isAboutPosts(alert) || leads.has(alert)).map((alert) => {
    const correction = corrections.get(alert.alert_id);
    const told = correction ?? alert;
    const hotId = told.kind === "fact.corrected" ? told.evidence.hot_id : undefined;
    const fact = hotId === undefined ? undefined : live.fact(hotId);
    return {
      id: alert.alert_id,
      alerts: correction ? [alert, correction] : [alert],
      hotIds: hotId === undefined ? [] : [hotId],
      seq: alert.seq,
      version: `${alert.seq}/${correction?.seq ?? 0}/${hotId === undefined ? "" : versionOf([told], fact)}`,
      build: () => settledRow(alert, correction, fact),
    };
  });
}
