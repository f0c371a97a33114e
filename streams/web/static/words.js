// Text as a person should see it: the words that changed, and no character that hides others.

const segmenter = "Segmenter" in Intl ? new Intl.Segmenter(undefined, { granularity: "word" }) : null;
const MAX_CHARS = 4000;
const MAX_CELLS = 250_000; // of the alignment table: a few milliseconds
const LONG_RUN = 60; // unchanged tokens in a row that are shown whole
const KEPT = 24; // of a longer run: so many beside a change

/** Controls that break lines, or turn the order of what follows, as visible signs. */
export function visible(text) {
  return String(text)
    .replace(/\r\n?|[\n\u2028\u2029\u0085]/g, "↵")
    .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g, (char) =>
      char === "\t" ? " " : `[U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);
}

function tokens(text) {
  const shown = visible(text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text);
  return segmenter ? Array.from(segmenter.segment(shown), (s) => s.segment) : shown.match(/\s+|\S+/g) ?? [];
}

/** Runs of `{text, changed}` of both texts. Words are aligned by their longest common subsequence. */
export function diffWords(before, after) {
  const a = tokens(before);
  const b = tokens(after);
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const keptA = new Array(a.length).fill(true);
  const keptB = new Array(b.length).fill(true);
  align(a, b, start, a.length - end, b.length - end, keptA, keptB);
  return { before: runs(a, keptA), after: runs(b, keptB) };
}

function align(a, b, start, endA, endB, keptA, keptB) {
  keptA.fill(false, start, endA);
  keptB.fill(false, start, endB);
  const height = endA - start;
  const width = endB - start;
  if (height === 0 || width === 0 || height * width > MAX_CELLS) return;
  const table = new Uint16Array((height + 1) * (width + 1)); // longest from (i, j) to the end
  for (let i = height - 1; i >= 0; i -= 1) {
    for (let j = width - 1; j >= 0; j -= 1) {
      table[i * (width + 1) + j] = a[start + i] === b[start + j]
        ? table[(i + 1) * (width + 1) + j + 1] + 1
        : Math.max(table[(i + 1) * (width + 1) + j], table[i * (width + 1) + j + 1]);
    }
  }
  for (let i = 0, j = 0; i < height && j < width;) {
    if (a[start + i] === b[start + j]) {
      keptA[start + i] = true;
      keptB[start + j] = true;
      i += 1;
      j += 1;
    } else if (table[(i + 1) * (width + 1) + j] >= table[i * (width + 1) + j + 1]) i += 1;
    else j += 1;
  }
}

function runs(words, kept) {
  const found = [];
  for (let i = 0; i < words.length; i += 1) {
    const last = found.at(-1);
    if (last && last.changed === !kept[i]) last.words.push(words[i]);
    else found.push({ changed: !kept[i], words: [words[i]] });
  }
  // A blank or a comma between two changed words is no rest for the eye.
  const joined = [];
  for (const [index, run] of found.entries()) {
    const last = joined.at(-1);
    const isBridge = !run.changed && last?.changed && index + 1 < found.length && !/[\p{L}\p{N}]/u.test(run.words.join(""));
    if (last && (isBridge || last.changed === run.changed)) last.words.push(...run.words);
    else joined.push({ changed: run.changed, words: [...run.words] });
  }
  return joined.map((run, index) => ({
    changed: run.changed,
    text: run.changed ? run.words.join("") : shortened(run.words, index > 0, index + 1 < joined.length),
  }));
}

function shortened(words, afterChange, beforeChange) {
  if (words.length <= LONG_RUN) return words.join("");
  const head = afterChange || !beforeChange ? words.slice(0, KEPT).join("") : "";
  const tail = beforeChange ? words.slice(-KEPT).join("") : "";
  return `${head} … ${tail}`;
}

const UNITS = [[86_400, "d"], [3_600, "h"], [60, "min"]];

/** Whole units: "4 min", "2 h", "3 d". */
export function duration(seconds) {
  for (const [size, name] of UNITS) {
    if (seconds >= size) return `${Math.floor(seconds / size)} ${name}`;
  }
  return `${Math.max(Math.floor(seconds), 0)} s`;
}
