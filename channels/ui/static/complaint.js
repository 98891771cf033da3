/** A complaint's card and the summary to confirm. The markup lives in the page's <template> elements. */
import { moment } from "./case.js";

function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function put(node, name, text) {
  const slot = node.querySelector(`[data-slot="${name}"]`);
  if (text) slot.textContent = text;
  else slot.remove();
}

function facts(list, fields, names, words) {
  for (const name of names) {
    if (!fields[name]) continue;
    const fact = clone("case-fact");
    fact.querySelector("dt").textContent = words[name];
    fact.querySelector("dd").textContent = fields[name];
    list.append(fact);
  }
  if (!list.children.length) list.remove();
}

function step(one, words) {
  const item = clone("case-stage");
  item.dataset.status = one.status;
  put(item, "name", one.name);
  put(item, "status", words[`step_${one.status}`]);
  put(item, "when", one.at && moment(one.at));
  for (const name of ["who", "result"]) put(item, name, "");
  if (one.status === "now") item.setAttribute("aria-current", "step");
  return item;
}

export function complaintCard(fields, words) {
  const node = clone("complaint");
  node.dataset.state = fields.state;
  put(node, "name", `${fields.kind} · ${fields.category}`);
  put(node, "number", fields.spoken);
  put(node, "code", fields.query_code);
  if (!fields.query_code) node.querySelector(".code").remove();
  put(node, "headline", fields.headline);
  put(node, "urgent", fields.urgent ? words.urgent : "");
  put(node, "due", fields.due);
  put(node, "next", fields.next);
  put(node, "answer", fields.answer);
  const way = node.querySelector("ol");
  if (fields.steps.length) way.append(...fields.steps.map((one) => step(one, words)));
  else way.remove();
  const counted = { ...fields, joined: fields.joined ? String(fields.joined) : "" };
  facts(node.querySelector("dl"), counted, ["text", "place", "when", "wish", "joined"], words);
  return node;
}

export function draftCard(fields, words) {
  const node = clone("complaint-draft");
  const counted = { ...fields, attachments: fields.attachments ? String(fields.attachments) : "" };
  facts(node.querySelector("dl"), counted, ["kind", "text", "place", "when", "wish", "contact", "attachments"], words);
  return node;
}
