// Who repeats a fact: alerts about posts, by the fact they are about, and how that is shown.

import { age, element, leadsTo, svg, untrusted } from "./elements.js";
import { duration } from "./words.js";

export const POST_KINDS = ["post.repeats", "fact.amplified"];
const GRADES = {
  "repeats-vandalised": "repeats the vandalised statement",
  "repeats-contested": "repeats one side of the dispute",
  "states-good": "states what stood before",
  suggested: "may be about it",
};
const PLATFORMS = { bluesky: "Bluesky", mastodon: "Mastodon" };
const SHOWN_POSTS = 3;
const MAX_POSTS = 50;
const WIDTH = 240;
const HEIGHT = 36;

export const isAboutPosts = (alert) => POST_KINDS.includes(alert.kind);

/** Of the alerts about posts, newest first: one for each fact, with all of its alerts. */
export function spreadsOf(alerts) {
  const found = new Map();
  for (const alert of alerts) {
    const hotId = String(alert.evidence.hot_id ?? alert.alert_id);
    if (!found.has(hotId)) found.set(hotId, { hotId, alerts: [], lead: alert });
    const spread = found.get(hotId);
    spread.alerts.push(alert);
    if (alert.kind === "fact.amplified" && (spread.lead.kind !== alert.kind || spread.lead.status === "resolved")) spread.lead = alert;
  }
  return [...found.values()];
}

/** What is known of a spread: as counted now (`live`, of /v1/facts) or as last told by an alert. */
export function figuresOf(alerts, live) {
  if (live?.spread) {
    const { spread, hot } = live;
    return { ...spread, isCorrected: hot.corrected_time !== null, correctedTime: hot.corrected_time, posts: spread.named };
  }
  const told = alerts.filter((alert) => alert.evidence.total_posts !== undefined).sort((a, b) => b.seq - a.seq);
  const { evidence } = told.find((alert) => alert.evidence.total_authors !== undefined) ?? told[0] ?? { evidence: {} };
  const posts = new Map();
  for (const alert of alerts) for (const post of alert.posts ?? []) posts.set(`${post.platform} ${post.post_id}`, post);
  return {
    total_posts: Math.max(evidence.total_posts ?? 0, posts.size),
    total_authors: evidence.total_authors ?? null,
    total_reach: evidence.total_reach ?? 0,
    posts_before: evidence.posts_before ?? null,
    posts_after: evidence.posts_after ?? null,
    estimated: Boolean(evidence.estimated),
    reposts: evidence.reposts ?? 0,
    course: null,
    isCorrected: evidence.posts_after !== undefined,
    correctedTime: null,
    posts: [...posts.values()].sort((a, b) => (b.reach ?? 0) - (a.reach ?? 0) || a.event_time - b.event_time),
  };
}

/** "Repeated 14 times by 11 authors (9 after the revert)" */
export function inWords(figures) {
  const times = figures.total_posts === 1 ? "once" : `${figures.total_posts.toLocaleString()} times`;
  let text = `Repeated ${times}`;
  if (figures.total_authors !== null) {
    const about = figures.estimated ? "about " : "";
    text += ` by ${about}${figures.total_authors.toLocaleString()} author${figures.total_authors === 1 ? "" : "s"}`;
  }
  if (figures.isCorrected) text += ` (${figures.posts_after.toLocaleString()} after the revert)`;
  return text;
}

/** What a card shows changes when this does. */
export function versionOf(alerts, live) {
  const figures = figuresOf(alerts, live);
  const names = figures.posts.map((post) => `${post.platform} ${post.post_id} ${post.statement}`).join("\n");
  return `${figures.total_posts} ${figures.posts_after} ${figures.correctedTime} ${names}`;
}

export function spreadSection(alerts, live, isContested) {
  const figures = figuresOf(alerts, live);
  const more = [];
  if (figures.total_reach > 0) more.push(`up to ${figures.total_reach.toLocaleString()} followers`);
  if (figures.reposts > 0) more.push(`${figures.reposts.toLocaleString()} of them reposts`);
  const section = element("section", { class: "spread", "aria-label": "Posts that repeat it" },
    element("div", { class: "spread-head" },
      element("div", {},
        element("h4", {}, inWords(figures)),
        more.length > 0 ? element("p", { class: "note" }, more.join(" · ")) : null),
      chart(figures)));
  section.append(...postsList(figures.posts, figures.correctedTime, isContested));
  return section;
}

function chart(figures) {
  const { course } = figures;
  if (!course) return figures.isCorrected && figures.total_posts > 0 ? shares(figures) : null;
  const highest = Math.max(1, ...course.posts);
  const step = WIDTH / course.posts.length;
  const bars = course.posts.flatMap((count, index) => {
    const after = (course.after[index] / highest) * HEIGHT;
    const before = ((count - course.after[index]) / highest) * HEIGHT;
    const x = (index * step + 1).toFixed(1);
    const width = (step - 2).toFixed(1);
    return [
      before > 0 ? svg("rect", { class: "before", x, y: (HEIGHT - before).toFixed(1), width, height: before.toFixed(1) }) : null,
      after > 0 ? svg("rect", { class: "after", x, y: (HEIGHT - before - after).toFixed(1), width, height: after.toFixed(1) }) : null,
    ];
  });
  const span = course.step_s * course.posts.length;
  const at = figures.isCorrected ? (figures.correctedTime - course.start) / span : -1;
  const mark = at >= 0 && at <= 1
    ? svg("line", { class: "revert", x1: (at * WIDTH).toFixed(1), x2: (at * WIDTH).toFixed(1), y1: 0, y2: HEIGHT })
    : null;
  const label = figures.isCorrected
    ? `${figures.posts_before} posts before the revert, ${figures.posts_after} after it`
    : `${figures.total_posts} posts within ${duration(span)}`;
  return element("figure", { class: "course" },
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, preserveAspectRatio: "none" },
      svg("line", { class: "ground", x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }), ...bars, mark),
    caption(figures, `within ${duration(span)}`));
}

/** Without the times of the posts: how many came before the revert, and how many after. */
function shares(figures) {
  const before = (WIDTH * figures.posts_before) / figures.total_posts;
  return element("figure", { class: "course shares" },
    svg("svg", { viewBox: `0 0 ${WIDTH} 8`, "aria-hidden": "true", preserveAspectRatio: "none" },
      svg("rect", { class: "before", x: 0, y: 0, width: before.toFixed(1), height: 8 }),
      svg("rect", { class: "after", x: before.toFixed(1), y: 0, width: (WIDTH - before).toFixed(1), height: 8 })),
    caption(figures, ""));
}

function caption(figures, span) {
  if (!figures.isCorrected) return element("figcaption", {}, span);
  return element("figcaption", {},
    element("span", { class: "key before" }), `${figures.posts_before.toLocaleString()} before the revert`,
    element("span", { class: "key after" }), `${figures.posts_after.toLocaleString()} after`);
}

export function postsList(posts, correctedTime, isContested) {
  if (posts.length === 0) return [];
  const items = posts.slice(0, MAX_POSTS).map((post) => postItem(post, correctedTime, isContested));
  const list = element("ul", { class: "posts" }, ...items.slice(0, SHOWN_POSTS));
  const rest = items.slice(SHOWN_POSTS);
  if (rest.length === 0) return [list];
  return [list, element("details", { class: "more" },
    element("summary", {}, rest.length === 1 ? "1 more post" : `${rest.length} more posts`),
    element("ul", { class: "posts" }, ...rest))];
}

function postItem(post, correctedTime, isContested) {
  const isAfter = correctedTime !== null && post.event_time >= correctedTime;
  const about = element("p", { class: "about-post" },
    PLATFORMS[post.platform] ?? untrusted(post.platform), " · ", age(post.event_time));
  if (post.reach !== null && post.reach !== undefined) about.append(` · ${post.reach.toLocaleString()} follower${post.reach === 1 ? "" : "s"}`);
  if (isAfter) about.append(" · ", element("span", { class: "late" }, "after the revert"));
  about.append(" · ", postLink(post.url));
  const percent = Math.min(Math.round(post.probability * 100), 99); // never certain
  const why = element("p", { class: "why-post" }, `${GRADES[post.grade] ?? post.grade}, ${percent} % sure`);
  for (const reason of (post.reasons ?? []).slice(0, isContested ? 1 : 2)) why.append(" · ", untrusted(reason));
  const said = element("blockquote", { dir: "auto" }, untrusted(post.statement || "(its words are not kept)"));
  return element("li", { "data-platform": post.platform }, said, about, why);
}

/** A stranger's page: over https only, told nothing of us, and no recommendation. */
function postLink(url) {
  if (!leadsTo(url, ["https:"])) return url ? element("span", { class: "no-link" }, "no safe link (", untrusted(url), ")") : element("span", { class: "no-link" }, "no link");
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow", referrerpolicy: "no-referrer" }, "See the post");
}
