// What a person says of an alert's edits. The newest word counts, so it can be said again.

import { element } from "./elements.js";
import { postJson } from "./feed.js";

const VERDICTS = { damaging: "Damaging", good: "Good edit", unsure: "Not sure" };
const SAID = { damaging: "Kept as damaging.", good: "Kept as a good edit.", unsure: "Taken back: what the wiki does counts." };

export function judge(alert) {
  if (alert.kind !== "edit.suspect") return null;
  const told = element("span", { role: "status" });
  const buttons = Object.entries(VERDICTS).map(([verdict, label]) => {
    const button = element("button", { type: "button", "data-verdict": verdict }, label);
    button.addEventListener("click", () => say(alert, verdict, told, buttons));
    return button;
  });
  return element("details", { class: "judge" }, element("summary", {}, "Judge it"),
    element("p", {}, ...buttons, told));
}

async function say(alert, verdict, told, buttons) {
  for (const button of buttons) button.disabled = true;
  try {
    const verdictId = `${alert.alert_id} ${Date.now()} ${Math.random()}`; // each click is a word of its own
    await postJson(`/v1/alerts/${encodeURIComponent(alert.alert_id)}/verdict`, { verdict, verdict_id: verdictId, given_by: "page" });
    told.textContent = SAID[verdict];
  } catch (error) {
    told.textContent = `Not kept: ${error.message}`;
  }
  for (const button of buttons) button.disabled = false;
}
