// The page: what is known of the alerts, and how it is laid out. The server pushes, nothing is reloaded.

import { KINDS } from "./card.js";
import { plainComment } from "./comment.js";
import { age, element } from "./elements.js";
import { cards, isOpen, rows } from "./entries.js";
import { AlertStream, getJson, hasToken, saveToken, TokenWanted } from "./feed.js";
import { Live } from "./live.js";
import { isAboutPosts, POST_KINDS } from "./spread.js";
import { duration, visible } from "./words.js";

const LOADED_OPEN = 200; // at first; fewer than that are all there are
const MAX_OPEN = 1000;
const MAX_SETTLED = 200;
const SHOWN_OPEN = 100;
const SHOWN_SETTLED = 30;
const STATUS_EVERY_MS = 2000;
const POSTS_EVERY_MS = 15_000; // a deleted post is gone from the page after so long at most
const LEAVING_MS = 900;
const DRAW_AFTER_MS = 40;

const byId = (id) => document.getElementById(id);
const alerts = new Map(); // alert_id -> its newest state
const nodes = new Map(); // entry id -> {version, item, settled}
let corrections = new Map(); // alert_id -> the correction that settled it
const live = new Live(draw); // what is known now of hot facts
let seq = 0;
let stream = null;
let paused = false;
let connected = false;
let status = null;
let clockAhead = 0; // seconds that the program's clock is ahead of the browser's
let isDrawing = false;

const newestFirst = (a, b) => b.seq - a.seq;

function take(changes) {
  for (const change of changes) {
    const known = alerts.get(change.alert_id);
    if (known && known.seq >= change.seq) continue;
    alerts.set(change.alert_id, change);
    if (!known && isOpen(change) && stream) announce(`${KINDS[change.kind] ?? "Alert"}: ${visible(change.title)}`);
  }
  // A post that was deleted goes from all alerts that name it, without a word about them.
  if (changes.some((change) => change.kind === "post.repeats" && !isOpen(change))) askPosts();
  seq = Math.max(seq, ...changes.map((change) => change.seq));
  for (const about of [true, false]) { // posts must not crowd out edits
    for (const [open, limit] of [[true, MAX_OPEN], [false, MAX_SETTLED]]) {
      const some = [...alerts.values()].filter((alert) => isAboutPosts(alert) === about && isOpen(alert) === open);
      if (some.length > limit) for (const old of some.sort(newestFirst).slice(limit)) alerts.delete(old.alert_id);
    }
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
  const openCards = cards(all, live);
  const settledRows = rows(all, corrections, live);
  const wanted = (entry) => entry.alerts.some(matches);
  const shownOpen = openCards.filter(wanted).filter((entry, at) => at < SHOWN_OPEN || isLinked(entry));
  const shownSettled = settledRows.filter(wanted).filter((entry, at) => at < SHOWN_SETTLED || isLinked(entry));
  lay(byId("settled"), shownSettled, true);
  lay(byId("open"), shownOpen, false);
  pointOut([...shownOpen, ...shownSettled].find(isLinked));
  live.watch([...shownOpen, ...shownSettled].filter((entry) => entry.hotIds.length > 0).map((entry) => entry.alerts[0]));
  drawJump(settledRows.filter(wanted));
  tick();

  const isAll = all.filter(isOpen).length < LOADED_OPEN;
  const count = isAll ? openCards.length : Math.max(openCards.length, status?.alerts_open ?? 0);
  const hidden = count - shownOpen.length;
  const isFiltered = byId("filter-kind").value !== "" || byId("filter-wiki").value !== "" || byId("filter-text").value !== "";
  byId("open-note").textContent = openCards.length === 0 ? "" : isFiltered ? `${shownOpen.length} of ${openCards.length}` : `${count}`;
  byId("more-open").hidden = hidden <= 0 || isFiltered;
  byId("more-open").textContent = `${hidden} older ones are not shown: narrow the filter to see them.`;
  byId("settled-empty").hidden = shownSettled.length > 0;
  drawEmpty(openCards.length, shownOpen.length);
  drawWikis(all);
  byId("count-open").textContent = count.toLocaleString();
  document.title = count > 0 ? `(${count}) Factwatch` : "Factwatch";
}

let linked = ""; // by `#alert=ID`, as pages and dashboards have it
let isPointedOut = true;

const isLinked = (entry) => linked !== "" && entry.alerts.some((alert) => alert.alert_id === linked);

async function openLinked() {
  linked = new URLSearchParams(location.hash.slice(1)).get("alert") ?? "";
  isPointedOut = linked === "";
  byId("linked-unknown").hidden = true;
  for (const item of document.querySelectorAll("li.linked")) item.classList.remove("linked");
  if (linked === "") return;
  if (!alerts.has(linked)) {
    try {
      const { changes } = await getJson(`/v1/alerts/${encodeURIComponent(linked)}`);
      alerts.set(linked, changes.at(-1)); // without a word about `seq`: the stream goes on where it is
    } catch (error) {
      byId("linked-unknown").hidden = error instanceof TokenWanted;
    }
  }
  draw();
}

function pointOut(entry) {
  const item = entry && nodes.get(entry.id)?.item;
  if (!item) return;
  item.classList.add("linked");
  if (isPointedOut) return;
  isPointedOut = true;
  item.scrollIntoView({ block: "center" });
}

/** Puts one item for each entry into `list`, in order. What is there already is left alone, so that
 * focus, selection and opened details stay. */
function lay(list, shown, settled) {
  const wanted = new Set(shown.map((entry) => entry.id));
  for (const [id, node] of nodes) {
    if (node.item.parentElement !== list || wanted.has(id)) continue;
    nodes.delete(id);
    node.item.remove();
  }
  let place = list.firstElementChild;
  for (const entry of shown) {
    const version = entry.version;
    let node = nodes.get(entry.id);
    if (node?.version !== version) {
      const item = element("li", { "data-alert": entry.alerts[0].alert_id }, entry.build());
      if (node && node.settled === settled) {
        reopen(node.item, item);
        if (place === node.item) place = node.item.nextElementSibling;
        node.item.remove();
      } else {
        if (stream) item.classList.add("arriving");
        if (node) leave(node.item);
      }
      node = { version, item, settled };
      nodes.set(entry.id, node);
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
  const posts = (alert.posts ?? []).flatMap((post) => [post.platform, post.statement]);
  return [alert.title, alert.performer, plainComment(alert.comment), ...facts, ...posts, ...alert.reasons.map((r) => r.text)].join("\n").toLowerCase();
}

function drawWikis(all) {
  const select = byId("filter-wiki");
  const known = new Set([...select.options].map((option) => option.value));
  const found = new Set([...(status?.wikis ?? []), ...all.map((alert) => alert.wiki)]);
  for (const wiki of [...found].sort()) {
    if (!known.has(wiki) && wiki !== "*") select.append(element("option", { value: wiki }, visible(wiki)));
  }
}

/** Where the lists stand one below the other, what is settled is screens away: so it is told above both. */
function drawJump(settled) {
  byId("to-settled").hidden = settled.length === 0;
  if (settled.length === 0) return;
  const last = Math.max(...settled.map((entry) => entry.alerts[0].event_time));
  byId("settled-note").replaceChildren(`${settled.length.toLocaleString()} settled, the last `, age(last));
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
  byId("count-rate").textContent = rate(status.events_per_s);
  drawPosts();
  byId("about").textContent = `Factwatch ${status.version}${status.model_version ? `, model ${status.model_version}` : ""}, running for ${duration(now() - status.started_time)}.`;
  const waiting = status.last_seq - seq;
  byId("pause").textContent = !paused ? "Pause" : waiting > 0 ? `Resume (${waiting.toLocaleString()} waiting)` : "Resume";
}

const POST_SOURCES = { jetstream: "Bluesky", mastodon: "Mastodon", ndjson: "Posts of a file" };

function drawPosts() {
  const sources = status.post_sources ?? [];
  byId("post-sources").hidden = sources.length === 0;
  byId("post-sources").replaceChildren(...sources.map(({ name, source }) => element("li", { "data-state": source.state },
    element("span", { class: "dot", "aria-hidden": "true" }),
    `${POST_SOURCES[name] ?? visible(name)}: ${(STATES[source.state] ?? source.state).toLowerCase()}`,
    source.state === "connected" || !source.detail ? "" : element("bdi", {}, ` ${visible(source.detail)}`))));
  const isWatched = status.hot_facts !== null && status.hot_facts !== undefined;
  if (isWatched && !live.isThere) {
    live.isThere = true;
    live.ask();
  }
  byId("figure-facts").hidden = byId("figure-posts").hidden = !isWatched;
  if (!isWatched) return;
  byId("count-facts").textContent = status.hot_facts.toLocaleString();
  byId("count-posts").textContent = rate(status.posts_per_s);
}

function rate(perSecond) {
  return perSecond.toLocaleString(undefined, { maximumFractionDigits: perSecond < 10 ? 1 : 0 });
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
    document.body.classList.toggle("takes-verdicts", fresh.takes_verdicts === true);
    if (paused) connected = true;
  } catch (error) {
    if (error instanceof TokenWanted) return;
    connected = false;
  }
  drawStatus();
  draw();
}

/** What alerts say of posts, as it is stored now. */
async function askPosts() {
  try {
    const { alerts: fresh } = await getJson(`/v1/alerts?kind=fact.corrected,${POST_KINDS.join(",")}&limit=${LOADED_OPEN}`);
    for (const change of fresh) {
      const known = alerts.get(change.alert_id);
      if (known?.seq === change.seq) known.posts = change.posts;
    }
    draw();
  } catch {
    // The next time.
  }
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
    // Many posts must not crowd out the edits that they are about.
    const [edits, posts] = ["edit.suspect,page.contested,fact.corrected", POST_KINDS.join(",")];
    const lists = await Promise.all([
      getJson(`/v1/alerts?status=open,updated&kind=${edits}&limit=${LOADED_OPEN}`),
      getJson(`/v1/alerts?status=resolved&kind=${edits}&limit=100`),
      getJson(`/v1/alerts?status=open,updated&kind=${posts}&limit=${LOADED_OPEN}`),
      getJson(`/v1/alerts?status=resolved&kind=${posts}&limit=50`),
    ]);
    alerts.clear();
    connected = true;
    byId("main").hidden = false;
    byId("token-form").hidden = true;
    take(lists.flatMap((list) => list.alerts));
    // What changed between the answers is in the log after the earliest one.
    seq = Math.min(...lists.map((list) => list.last_seq));
    await openLinked();
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
window.addEventListener("hashchange", openLinked);
setInterval(tick, 1000);
setInterval(() => {
  if (!byId("token-form").hidden || document.hidden) return;
  askStatus();
  live.ask();
}, STATUS_EVERY_MS);
setInterval(() => {
  const namesPosts = [...alerts.values()].some((alert) => (alert.posts ?? []).length > 0);
  if (namesPosts && byId("token-form").hidden && !document.hidden) askPosts();
}, POSTS_EVERY_MS);
load();
