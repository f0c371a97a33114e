// An edit's summary as MediaWiki words it on its own pages, without its links. Text in, text out: it is
// still untrusted, and goes in as a text node.

const MAX_CHARS = 2000; // far above any wiki's bound
const SECTION = /\/\*\s*(.*?)\s*\*\//g;
const LINK = /\[\[:?([^[\]|]*)(?:\|([^[\]]*))?\]\]/g;

/** `/* History *\/ [[Special:Contributions/X|X]] was here` -> `History: X was here`. */
export function plainComment(text) {
  return String(text).slice(0, MAX_CHARS)
    .replace(SECTION, (_, section) => (section ? `${section}: ` : ""))
    .replace(LINK, (_, target, label) => label || target)
    .replace(/ {2,}/g, " ")
    .trim();
}
