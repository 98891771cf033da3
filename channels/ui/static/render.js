/** Events of the log → nodes. The markup lives in the page's <template> elements, the words in its #words block. */
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

export function citizenTurn(text, id) {
  const node = clone("citizen-turn");
  node.querySelector(".bubble").textContent = text;
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
    node.dataset.shown = choice.title;
    item.append(node);
    list.append(item);
  });
  return list;
}

function sourceLine(sources) {
  const lines = sources.map((source) =>
    [
      say(words.source, source),
      source.legal_basis && say(words.basis, source),
    ].filter(Boolean).join(" · "));
  return [...new Set(lines)].join("；");
}

function facets(reply, name) {
  const box = clone("facets");
  const asked = new Set(reply.facets);
  for (const [facet, { label, ask }] of Object.entries(words.facets)) {
    const node = button("facet", label, say(ask, { name }));
    node.dataset.facet = facet;
    node.dataset.shown = say(words.facet_asked, { name, label });
    if (asked.has(facet)) node.setAttribute("aria-current", "true");
    box.append(node);
  }
  return box;
}

/** An answer about one matter as a slip: name on top, what was asked, what else can be asked, the source at the foot. */
function slip(reply) {
  const node = clone("slip");
  const source = reply.sources.find((each) => each.code === reply.matter) || reply.sources[0] || {};
  const name = source.name || (reply.candidates[0] || {}).name || reply.matter;
  fill(node, "name", name);
  fill(node, "department", source.department);
  const foot = node.querySelector("footer");
  fill(foot, "source", sourceLine(reply.sources));
  foot.querySelector("[data-guide]").href = `/matters/${encodeURIComponent(reply.matter)}`;
  for (const message of reply.messages) {
    if (message.text) foot.before(prose(message.text));
    if (message.kind === "choices") foot.before(choices(message));
  }
  foot.before(facets(reply, name));
  return node;
}

function plain(messages) {
  return messages.flatMap((message) => {
    const nodes = [];
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
  if (reply.limited) node.append(clone("limited"));
  if (reply.outcome === "answered" && reply.matter) node.append(slip(reply));
  else node.append(...plain(reply.messages));
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
