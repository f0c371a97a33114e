// How far the facts on the page have spread by now, asked for by page title: alerts tell it at steps only.

import { getJson } from "./feed.js";

const MAX_TITLES = 20; // at once: of all that a page shows, each within 15 s
const MAX_KNOWN = 300;

export class Live {
  constructor(onChange) {
    this.onChange = onChange;
    this.facts = new Map(); // hot_id -> {hot, spread}
    this.wanted = [];
    this.turn = 0;
    this.isThere = false; // until the program says that it holds posts against facts
    this.isAsking = false;
  }

  fact(hotId) {
    return this.facts.get(hotId);
  }

  /** The alerts on the page whose facts are repeated. Those that are new to it are asked for at once. */
  watch(alerts) {
    const titles = new Map(alerts.map((alert) => [JSON.stringify([alert.wiki, alert.title]), alert]));
    const known = new Set(this.wanted.map((alert) => JSON.stringify([alert.wiki, alert.title])));
    this.wanted = [...titles.values()];
    if ([...titles.keys()].some((key) => !known.has(key))) this.ask();
  }

  async ask() {
    if (!this.isThere || this.isAsking || this.wanted.length === 0) return;
    this.isAsking = true;
    const some = this.wanted.slice(this.turn, this.turn + MAX_TITLES);
    this.turn = this.turn + MAX_TITLES < this.wanted.length ? this.turn + MAX_TITLES : 0;
    try {
      for (const { wiki, title } of some) await this.askAbout(wiki, title);
      this.onChange();
    } catch {
      // The next time; until then what the alerts said.
    } finally {
      this.isAsking = false;
    }
  }

  async askAbout(wiki, title) {
    const query = new URLSearchParams({ wiki, title, repeated: 1 });
    const { facts } = await getJson(`/v1/facts?${query}`);
    for (const [hotId, fact] of this.facts) if (fact.hot.wiki === wiki && fact.hot.title === title) this.facts.delete(hotId);
    for (const fact of facts) this.facts.set(fact.hot.hot_id, fact);
    while (this.facts.size > MAX_KNOWN) this.facts.delete(this.facts.keys().next().value);
  }
}
