// Everything asked of the server: JSON, and the alert stream by fetch, which can send a token.

const TOKEN_KEY = "factwatch-token";
const RETRY_S = [1, 2, 4, 8, 15];

export class TokenWanted extends Error {}

export function saveToken(token) {
  sessionStorage.setItem(TOKEN_KEY, token);
}

export function hasToken() {
  return sessionStorage.getItem(TOKEN_KEY) !== null;
}

async function get(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN_KEY);
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const response = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit" });
  if (response.status === 401 || response.status === 403) throw new TokenWanted((await problem(response)).detail);
  return response;
}

async function problem(response) {
  try {
    return await response.json();
  } catch {
    return { detail: `HTTP ${response.status}` };
  }
}

export async function getJson(path) {
  const response = await get(path, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error((await problem(response)).detail);
  return response.json();
}

export async function postJson(path, body) {
  const headers = { "Content-Type": "application/json" };
  const response = await get(path, { method: "POST", body: JSON.stringify(body), headers, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error((await problem(response)).detail);
  return response.json();
}

/** Follows the log after `seq`, over cut connections, until `stop`. `onLost` hears of a log that is not
 * the one followed so far (another store), or of a token that is refused. */
export class AlertStream {
  constructor({ seq, onAlerts, onConnected, onLost }) {
    this.seq = seq;
    this.onAlerts = onAlerts;
    this.onConnected = onConnected;
    this.onLost = onLost;
    this.abort = new AbortController();
    this.follow();
  }

  stop() {
    this.abort.abort();
  }

  async follow() {
    let tries = 0;
    while (!this.abort.signal.aborted) {
      try {
        const response = await get(`/v1/alerts/stream?after=${this.seq}`, { signal: this.abort.signal });
        if (response.status === 409) {
          this.onLost(null);
          return;
        }
        if (!response.ok) throw new Error((await problem(response)).detail);
        tries = 0;
        this.onConnected(true);
        await this.read(response.body);
      } catch (error) {
        if (this.abort.signal.aborted) return;
        if (error instanceof TokenWanted) {
          this.onLost(error);
          return;
        }
      }
      this.onConnected(false);
      await new Promise((resolve) => setTimeout(resolve, 1000 * RETRY_S[Math.min(tries, RETRY_S.length - 1)]));
      tries += 1;
    }
  }

  async read(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      const alerts = events.map(dataOf).filter((data) => data !== null).map((data) => JSON.parse(data));
      if (alerts.length > 0 && !this.abort.signal.aborted) {
        this.seq = alerts.at(-1).seq;
        this.onAlerts(alerts);
      }
    }
  }
}

function dataOf(event) {
  const line = event.split("\n").find((candidate) => candidate.startsWith("data: "));
  return line === undefined ? null : line.slice("data: ".length);
}
