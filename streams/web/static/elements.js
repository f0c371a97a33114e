// How elements are made: every text from outside goes in by textContent, isolated for its direction.

import { visible } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

export function untrusted(text, attributes = {}) {
  return element("bdi", attributes, visible(text));
}

/** Only https and http (a private wiki) lead anywhere; any other address is shown, not linked. */
export function link(url, label, attributes = {}) {
  if (!leadsTo(url, ["https:", "http:"])) return url ? element("span", { class: "no-link" }, label, " (", untrusted(url), ")") : null;
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer", ...attributes }, label);
}

export function leadsTo(url, protocols) {
  try {
    return protocols.includes(new URL(url).protocol);
  } catch {
    return false; // not an address at all
  }
}

export function age(seconds, prefix = "") {
  const when = new Date(seconds * 1000);
  const isTime = !Number.isNaN(when.getTime());
  return element("time", {
    "data-at": seconds,
    "data-prefix": prefix,
    ...(isTime ? { datetime: when.toISOString(), title: when.toLocaleString() } : {}),
  });
}
