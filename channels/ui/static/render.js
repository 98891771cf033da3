/** Events of the log → nodes. The markup lives in the page's <template> elements, the words in its #words block. */
import { caseCard } from "./case.js";
import { complaintCard, draftCard } from "./complaint.js";
import { prose } from "./prose.js";

const words = JSON.parse(document.getElementById("words").textContent);

function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function fill(node, name, text) {
  const slot = node.querySelector(`[data-slot="${name}"]`);
  if (text) slot.textContent = text;
  else slot.remove();
  return slot;
}

/** "{name}的材料" with name → text; missing values leave nothing. */
export function say(pattern, values = {}) {
  return pattern.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

function button(id, label, value) {
  const node = clone(id);
  fill(node, "label", label);
  node.value = value;
  return node;
}

// What a button sends ("CODE 材料") and what it said: a pressed button is shown as the words that were on it.
const shown = new Map();

function remember(payload, title) {
  shown.set(payload, title);
}

/** What people see of a sent text. */
export function displayed(text) {
  return shown.get(text) || text;
}

export function citizenTurn(text, id) {
  const node = clone("citizen-turn");
  node.querySelector(".bubble").textContent = displayed(text);
  if (id) node.dataset.message = id;
  return node;
}

function choices(message) {
  const list = clone("choices");
  list.setAttribute("aria-label", message.text || words.choices);
  message.choices.forEach((choice, at) => {
    const item = document.createElement("li");
    const node = button("choice", choice.title, choice.payload);
    fill(node, "number", String(at + 1));
    item.append(node);
    list.append(item);
  });
  return list;
}

/** Choices that only ask further about the same matter: shown as numbered pills before the facets not offered. */
function isFurther(message, code) {
  const further = new Set(words.facets.map(({ word }) => `${code} ${word}`));
  return message.kind === "choices" && message.choices.every(({ payload }) => further.has(payload));
}

function facets(reply, code, offered) {
  const box = clone("facets");
  const numbered = new Set(offered.map(({ payload }) => payload));
  const asked = new Set(reply.facets);
  offered.forEach((choice, at) => {
    const node = button("facet", choice.title, choice.payload);
    fill(node, "number", String(at + 1));
    box.append(node);
  });
  for (const { name, word } of words.facets) {
    const payload = `${code} ${word}`;
    remember(payload, word);
    if (numbered.has(payload)) continue;
    const node = button("facet", word, payload);
    fill(node, "number", "");
    if (asked.has(name)) node.setAttribute("aria-current", "true");
    box.append(node);
  }
  return box;
}

/** An answer about one matter as a slip: name on top, what was asked, what else can be asked, the source at the foot. */
function slip(reply, card) {
  const node = clone("slip");
  fill(node, "name", card.title);
  fill(node, "department", card.department);
  const foot = node.querySelector("footer");
  fill(foot, "source", card.source);
  foot.querySelector("[data-guide]").href = `/matters/${encodeURIComponent(card.code)}`;
  let offered = [];
  for (const message of reply.messages) {
    if (message.card === card) {
      for (const section of card.sections) foot.before(prose(section.text));
    } else if (isFurther(message, card.code)) {
      offered = message.choices;
    } else if (message.kind === "choices") {
      if (message.text) foot.before(prose(message.text));
      foot.before(choices(message));
    }
  }
  foot.before(facets(reply, card.code, offered));
  return node;
}

function plain(messages) {
  return messages.flatMap((message) => {
    const nodes = [];
    if (message.kind === "case") return [caseCard(message.case, words.case)];
    if (message.kind === "complaint") return [complaintCard(message.complaint, words.complaint)];
    if (message.kind === "complaint_draft") return [draftCard(message.draft, words.complaint)];
    if (message.text) {
      const bubble = clone("bubble");
      bubble.append(prose(message.text));
      nodes.push(bubble);
    }
    if (message.kind === "choices") nodes.push(choices(message));
    return nodes;
  });
}

/** One reply of the assistant, whatever its outcome. */
export function botTurn(reply) {
  const node = clone("bot-turn");
  for (const { choices: given = [] } of reply.messages) given.forEach(({ payload, title }) => remember(payload, title));
  const card = reply.messages.map((message) => message.card).find(Boolean);
  if (!card) {
    node.append(...plain(reply.messages));
    return node;
  }
  // What is said beside the guide (a danger's emergency number, what is limited) keeps its place outside of the slip.
  const at = reply.messages.findIndex((message) => message.card);
  const beside = (message) => message.kind === "text" && !message.card;
  node.append(...plain(reply.messages.slice(0, at).filter(beside)), slip(reply, card));
  node.append(...plain(reply.messages.slice(at).filter(beside)));
  return node;
}

/** A person's word: who says it, then what. */
export function personTurn(payload) {
  const node = clone("person-turn");
  fill(node, "operator", payload.operator);
  const { card } = payload.messages[0] || {};
  node.append(...(card ? [slip({ messages: payload.messages, facets: [] }, card)] : plain(payload.messages)));
  return node;
}

/** A picture that the citizen sent. */
export function pictureTurn(address) {
  const node = clone("picture-turn");
  node.querySelector("img").src = address;
  return node;
}

/** Who answers from now on, or how long it takes; nothing where there are no words for the citizen. */
export function lineTurn(payload) {
  if (!payload.text) return null;
  const node = clone("line-turn");
  fill(node, "text", payload.text);
  return node;
}

/** The text of an answer with its source, as one copies it into a message to one's daughter. */
export function copyText(slipNode) {
  const parts = [".slip > header h2", ".prose", "footer .source"];
  return parts
    .flatMap((part) => [...slipNode.parentElement.querySelectorAll(part)].filter((n) => slipNode.contains(n)))
    .map((n) => n.innerText.trim())
    .concat(slipNode.querySelector("[data-guide]").href)
    .join("\n\n");
}

export function notice(text, remedy) {
  const node = clone("refusal");
  fill(node, "message", text);
  fill(node, "remedy", remedy);
  return node;
}

export { words };
