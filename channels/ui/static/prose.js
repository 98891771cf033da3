/** Plain text of an answer → paragraphs, lists and links. Only text nodes and known elements: never innerHTML. */
const LINK = /(https?:\/\/[^\s，。；、）)」》<>"]+|\/matters\/[A-Za-z0-9_-]+)|(0\d{2,3}-\d{7,8}|1[3-9]\d{9}|12345|12348|12333|12366|11[09]|12[02])(?![\d.-])/g;
const PART_OF_A_NUMBER = /[\d.-]$/; // said in code, not as a lookbehind: older iPhones refuse the whole file for one
const ITEM = /^\s*(?:[-•·*]\s*|(\d{1,2})[.、．)）]\s*)(.+)$/;

/** Text with its links: web addresses open in a new tab, telephone numbers can be dialled. */
export function inline(text) {
  const out = document.createDocumentFragment();
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    if (match[2] && PART_OF_A_NUMBER.test(text.slice(0, match.index))) continue;
    out.append(text.slice(at, match.index));
    const a = document.createElement("a");
    a.textContent = match[0];
    if (match[2]) a.href = `tel:${match[2].replace("-", "")}`;
    else {
      a.href = match[1];
      if (!match[1].startsWith("/")) {
        a.target = "_blank";
        a.rel = "noopener noreferrer";
      }
    }
    out.append(a);
    at = match.index + match[0].length;
  }
  out.append(text.slice(at));
  return out;
}

/** Blocks of an answer: lines that begin with a dash or a number become lists, the rest paragraphs. */
export function prose(text) {
  const box = document.createElement("div");
  box.className = "prose";
  let list = null;
  for (const line of text.split("\n")) {
    const item = ITEM.exec(line);
    if (item) {
      const kind = item[1] ? "OL" : "UL";
      if (!list || list.tagName !== kind) {
        list = document.createElement(kind);
        if (item[1]) list.start = Number(item[1]);
        box.append(list);
      }
      const li = document.createElement("li");
      li.append(inline(item[2]));
      list.append(li);
      continue;
    }
    if (!line.trim()) {
      list = null;
      continue;
    }
    list = null;
    const p = document.createElement("p");
    p.append(inline(line.trim()));
    if (/[：:]$/.test(line.trim())) p.className = "label";
    box.append(p);
  }
  return box;
}
