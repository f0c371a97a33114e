// The page: what is known of the alerts, and how it is laid out. The server pushes, nothing is reloaded.

import { element, KINDS, openCard, settledRow } from "./card.js";
import { plainComment } from "./comment.js";
import { AlertStream, getJson, hasToken, saveToken, TokenWanted } from "./feed.js";
import { duration, visible } from "./words.js";

const LOADED_OPEN = 200; // at first; fewer than that are all there are
const MAX_OPEN = 1000;
const MAX_SETTLED = 200;
const SHOWN_OPEN = 100;
const SHOWN_SETTLED = 30;
const STATUS_EVERY_MS = 2000;
const LEAVING_MS = 900;
const DRAW_AFTER_MS = 40;

const byId = (id) => document.getElementById(id);
const alerts = new Map(); // alert_id -> its newest state
const nodes = new Map(); // alert_id -> {seq, item, settled}
let corrections = new Map(); // alert_id -> the correction that settled it
let seq = 0;
let stream = null;
let paused = false;
let connected = false;
let status = null;
let clockAhead = 0; // seconds that the program's clock is ahead of the browser's
let isDrawing = false;

const isOpen = (alert) => alert.status !== "resolved";
const newestFirst = (a, b) => b.seq - a.seq;

function take(changes) {
  for (const change of changes) {
    const known = alerts.get(change.alert_id);
    if (known && known.seq >= change.seq) continue;
    alerts.set(change.alert_id, change);
    if (!known && isOpen(change) && stream) announce(`${KINDS[change.kind] ?? "Alert"}: ${visible(change.title)}`);
  }
  seq = Math.max(seq, ...changes.map((change) => change.seq));
  for (const [keep, limit] of [[isOpen, MAX_OPEN], [(alert) => !isOpen(alert), MAX_SETTLED]]) {
    const some = [...alerts.values()].filter(keep);
    if (some.length > limit) for (const old of some.sort(newestFirst).slice(limit)) alerts.delete(old.alert_id);
  }
  draw();
}

let announcedAt = 0;
function announce(text) {
  if (Date.now() - announcedAt < 5000) return; // a screen reader can't follow a flood
  announcedAt = Date.now();
  byId("announce").textContent = text;
}

function draw() {
  if (isDrawing) return;
  isDrawing = true;
  // No animation frame: a tab in the background has none, and its title still tells the count.
  setTimeout(() => {
    isDrawing = false;
    drawNow();
  }, DRAW_AFTER_MS);
}

function drawNow() {
  corrections = new Map();
  const all = [...alerts.values()].sort(newestFirst);
  for (const alert of all) {
    if (alert.kind === "fact.corrected") for (const id of alert.related) corrections.set(id, alert);
  }
  const matches = filter();
  const open = all.filter(isOpen);
  // A correction is told on the row of what it corrected, when that is here.
  const settled = all.filter((alert) => !isOpen(alert) && !(alert.related ?? []).some((id) => alerts.has(id)));
  const shownOpen = open.filter(matches).slice(0, SHOWN_OPEN);
  const shownSettled = settled.filter(matches).slice(0, SHOWN_SETTLED);
  lay(byId("settled"), shownSettled, true);
  lay(byId("open"), shownOpen, false);
  tick();

  const count = open.length < LOADED_OPEN ? open.length : Math.max(open.length, status?.alerts_open ?? 0);
  const hidden = count - shownOpen.length;
  const isFiltered = byId("filter-kind").value !== "" || byId("filter-wiki").value !== "" || byId("filter-text").value !== "";
  byId("open-note").textContent = open.length === 0 ? "" : isFiltered ? `${shownOpen.length} of ${open.length}` : `${count}`;
  byId("more-open").hidden = hidden <= 0 || isFiltered;
  byId("more-open").textContent = `${hidden} older ones are not shown: narrow the filter to see them.`;
  byId("settled-empty").hidden = shownSettled.length > 0;
  drawEmpty(open.length, shownOpen.length);
  drawWikis(all);
  byId("count-open").textContent = count.toLocaleString();
  document.title = count > 0 ? `(${count}) Factwatch` : "Factwatch";
}

/** Puts one item for each alert into `list`, in order. What is there already is left alone, so that
 * focus, selection and opened details stay. */
function lay(list, shown, settled) {
  const wanted = new Set(shown.map((alert) => alert.alert_id));
  for (const [id, node] of nodes) {
    if (node.item.parentElement !== list || wanted.has(id)) continue;
    nodes.delete(id);
    node.item.remove();
  }
  let place = list.firstElementChild;
  for (const alert of shown) {
    const correctionSeq = corrections.get(alert.alert_id)?.seq ?? 0;
    const version = `${alert.seq}/${correctionSeq}`;
    let node = nodes.get(alert.alert_id);
    if (node?.version !== version) {
      const item = element("li", { "data-alert": alert.alert_id },
        settled ? settledRow(alert, corrections.get(alert.alert_id)) : openCard(alert));
      if (node && node.settled === settled) {
        reopen(node.item, item);
        if (place === node.item) place = node.item.nextElementSibling;
        node.item.remove();
      } else {
        if (stream) item.classList.add("arriving");
        if (node) leave(node.item);
      }
      node = { version, item, settled };
      nodes.set(alert.alert_id, node);
    }
    while (place?.classList.contains("leaving")) place = place.nextElementSibling;
    if (place === node.item) place = place.nextElementSibling;
    else list.insertBefore(node.item, place);
  }
}

function reopen(old, fresh) {
  const opened = [...old.querySelectorAll("details")].map((box) => box.open);
  fresh.querySelectorAll("details").forEach((box, index) => {
    box.open = opened[index] ?? false;
  });
}

/** A settled alert fades where it stood. */
function leave(item) {
  item.classList.add("leaving");
  item.inert = true;
  setTimeout(() => item.remove(), LEAVING_MS);
}

function filter() {
  const kind = byId("filter-kind").value;
  const wiki = byId("filter-wiki").value;
  const text = byId("filter-text").value.trim().toLowerCase();
  return (alert) => (!kind || alert.kind === kind) && (!wiki || alert.wiki === wiki) && (!text || searchable(alert).includes(text));
}

function searchable(alert) {
  const facts = alert.fact_changes.flatMap((fact) => [fact.section, fact.before, fact.after]);
  return [alert.title, alert.performer, plainComment(alert.comment), ...facts, ...alert.reasons.map((r) => r.text)].join("\n").toLowerCase();
}

function drawWikis(all) {
  const select = byId("filter-wiki");
  const known = new Set([...select.options].map((option) => option.value));
  const found = new Set([...(status?.wikis ?? []), ...all.map((alert) => alert.wiki)]);
  for (const wiki of [...found].sort()) {
    if (!known.has(wiki) && wiki !== "*") select.append(element("option", { value: wiki }, visible(wiki)));
  }
}

function drawEmpty(openCount, shownCount) {
  byId("empty").hidden = shownCount > 0 || status === null;
  if (shownCount > 0 || status === null) return;
  byId("clear-filter").hidden = openCount === 0;
  const { state } = sourceState();
  const watched = status.wikis.includes("*") ? "every wiki" : status.wikis.join(", ");
  if (openCount > 0) {
    byId("empty-title").textContent = "No open alert matches the filter";
    byId("empty-text").textContent = `${openCount} open in all.`;
  } else if (state === "connected" || state === "ended") {
    byId("empty-title").textContent = state === "ended" ? "Read to the end: nothing is open" : "All quiet: nothing is open";
    byId("empty-text").textContent = `Factwatch is watching ${watched || "what the source gives"}. `
      + "Edits that look like vandalism and pages that editors fight over appear here by themselves, mostly seconds after the edit. Nothing needs doing.";
  } else {
    byId("empty-title").textContent = "Nothing is open, but nothing is coming in either";
    byId("empty-text").textContent = `Factwatch means to watch ${watched || "its source"}; see the state of the source above.`;
  }
}

const STATES = {
  waiting: "Loading", connecting: "Connecting", connected: "Connected", retrying: "Retrying", stale: "Silent",
  ended: "Read to the end", closed: "Stopped", unreachable: "Can’t reach Factwatch",
};

function sourceState() {
  if (status === null) return { state: connected ? "waiting" : "unreachable", detail: "" };
  if (!connected) return { state: "unreachable", detail: "trying again" };
  const { source, stale_after_s: staleAfter } = status;
  const silence = source.last_item_time === null ? null : now() - source.last_item_time;
  if (source.state === "connected" && staleAfter !== null && silence !== null && silence > staleAfter) {
    return { state: "stale", detail: `nothing came for ${duration(silence)}` };
  }
  let detail = source.detail;
  if (source.state === "connected" && silence !== null) detail = `last sign of life ${duration(silence)} ago`;
  if (source.position !== null && source.state !== "ended") detail = `${Math.floor(source.position * 100)} % read`;
  return { state: source.state, detail };
}

function drawStatus() {
  const { state, detail } = sourceState();
  byId("source").dataset.state = state;
  byId("source-state").textContent = STATES[state] ?? state;
  byId("source-detail").textContent = visible(detail);
  const trouble = byId("trouble");
  const isDown = state === "retrying" && status.source_name === "eventstreams";
  if (trouble.hidden === isDown) {
    trouble.hidden = !isDown;
    trouble.replaceChildren(...(isDown ? ["No events are coming in. To see Factwatch at work without a network, run ", element("code", {}, "make demo"), "."] : []));
  }
  if (status === null) return;
  const seen = Object.values(status.events).reduce((sum, count) => sum + count, 0);
  byId("count-events").textContent = seen.toLocaleString();
  byId("count-rate").textContent = status.events_per_s.toLocaleString(undefined, { maximumFractionDigits: status.events_per_s < 10 ? 1 : 0 });
  byId("about").textContent = `Factwatch ${status.version}${status.model_version ? `, model ${status.model_version}` : ""}, running for ${duration(now() - status.started_time)}.`;
  const waiting = status.last_seq - seq;
  byId("pause").textContent = !paused ? "Pause" : waiting > 0 ? `Resume (${waiting.toLocaleString()} waiting)` : "Resume";
}

const now = () => Date.now() / 1000 + clockAhead;

function tick() {
  const time = now();
  for (const node of document.querySelectorAll("time[data-at]")) {
    const text = `${node.dataset.prefix}${duration(time - Number(node.dataset.at))} ago`;
    if (node.textContent !== text) node.textContent = text;
  }
}

async function askStatus() {
  try {
    const fresh = await getJson("/v1/status");
    clockAhead = fresh.now - Date.now() / 1000;
    status = fresh;
    if (paused) connected = true;
  } catch (error) {
    if (error instanceof TokenWanted) return;
    connected = false;
  }
  drawStatus();
  draw();
}

function follow() {
  stream?.stop();
  stream = new AlertStream({
    seq,
    onAlerts: take,
    onConnected(isConnected) {
      connected = isConnected;
      drawStatus();
    },
    onLost(error) {
      if (error instanceof TokenWanted) askToken(error);
      else load();
    },
  });
}

/** The lists as they stand, then the stream from there on. */
async function load() {
  stream?.stop();
  stream = null;
  try {
    const [open, settled] = await Promise.all([
      getJson(`/v1/alerts?status=open,updated&limit=${LOADED_OPEN}`),
      getJson("/v1/alerts?status=resolved&limit=100"),
    ]);
    alerts.clear();
    connected = true;
    byId("main").hidden = false;
    byId("token-form").hidden = true;
    take([...open.alerts, ...settled.alerts]);
    // What changed between the two answers is in the log after the earlier one.
    seq = Math.min(open.last_seq, settled.last_seq);
    await askStatus();
    if (!paused) follow();
  } catch (error) {
    if (error instanceof TokenWanted) askToken(error);
    else {
      connected = false;
      drawStatus();
      setTimeout(load, 2000);
    }
  }
}

function askToken(error) {
  stream?.stop();
  byId("main").hidden = true;
  byId("token-form").hidden = false;
  byId("token-refused").hidden = !hasToken();
  byId("token-refused").textContent = hasToken() ? `Not accepted. ${error.message}` : "";
  byId("source-state").textContent = "Token wanted";
  byId("token").focus();
}

byId("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  saveToken(byId("token").value.trim());
  byId("token").value = "";
  load();
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("filters").addEventListener("input", draw);
byId("clear-filter").addEventListener("click", () => {
  byId("filters").reset();
  draw();
});
byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  if (paused) stream?.stop();
  else follow();
  drawStatus();
});
setInterval(tick, 1000);
setInterval(() => {
  if (byId("token-form").hidden && !document.hidden) askStatus();
}, STATUS_EVERY_MS);
load();
