/** A case as a tracking card. The markup lives in the page's <template> elements; every part also says itself in words. */
const MOST_DAYS = 40;

/** "2026-11-16T10:00:00+08:00" → "11月16日 10:00": the time is Chinese already, whatever the browser's zone. */
export function moment(iso) {
  const [, month, day, time] = /^\d+-(\d+)-(\d+)T(\d+:\d+)/.exec(iso) || [];
  return month ? `${Number(month)}月${Number(day)}日${time === "00:00" ? "" : ` ${time}`}` : "";
}

function clone(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

function put(node, name, text) {
  const slot = node.querySelector(`[data-slot="${name}"]`);
  if (text) slot.textContent = text;
  else slot.remove();
}

/** One cell a day of the limit: used, left, or beyond it. Decoration: the sentence beside it says the same. */
function days(clock) {
  const row = document.createElement("div");
  row.className = "days";
  row.setAttribute("aria-hidden", "true");
  const total = Math.max(clock.limit || 0, clock.used);
  if (!["工作日", "自然日"].includes(clock.unit) || !clock.limit || total > MOST_DAYS) return null;
  for (let day = 1; day <= total; day += 1) {
    const cell = document.createElement("i");
    cell.className = day > clock.limit ? "over" : day <= clock.used ? "used" : "left";
    row.append(cell);
  }
  return row;
}

function stage(one, words) {
  const item = clone("case-stage");
  item.dataset.status = one.status;
  put(item, "name", one.stage);
  put(item, "status", words[one.status]);
  put(item, "who", [one.unit, one.person].filter(Boolean).join(" · "));
  put(item, "when", [one.start && moment(one.start), one.end && moment(one.end)].filter(Boolean).join(" – "));
  put(item, "result", one.result);
  if (one.status === "now") item.setAttribute("aria-current", "step");
  return item;
}

export function caseCard(fields, words) {
  const node = clone("case");
  node.dataset.state = fields.state;
  node.toggleAttribute("data-overdue", fields.overdue);
  put(node, "number", fields.number);
  put(node, "name", fields.matter_name);
  put(node, "department", fields.department);
  put(node, "headline", fields.headline);
  put(node, "overdue", fields.overdue ? words.overdue : "");
  put(node, "owes", fields.owes ? fields.owes.text : "");
  put(node, "clock", fields.clock.text);
  const bar = fields.accepted_at ? days(fields.clock) : null;
  const place = node.querySelector("[data-days]");
  if (bar) place.replaceWith(bar);
  else place.remove();
  node.querySelector("ol").append(...fields.stages.map((one) => stage(one, words)));
  const facts = node.querySelector("dl");
  for (const name of ["applicant", "delivery", "tracking"]) {
    if (!fields[name]) continue;
    const fact = clone("case-fact");
    fact.querySelector("dt").textContent = words[name];
    fact.querySelector("dd").textContent = fields[name];
    facts.append(fact);
  }
  if (!facts.children.length) facts.remove();
  return node;
}
