/** The desk's own few lines beside htmx: drafts, texts put into the reply, shortcuts, alerts, signs of typing. */
const reply = document.getElementById("reply");
const field = reply && reply.elements.text;
const title = document.title;
const conversation = new URLSearchParams(location.search).get("conversation") || "";
const TYPING_AGAIN = 3000; // ms between signs of typing; the server believes one for six seconds

/** The storages may be closed to pages (private mode): then things live as long as the page. */
function kept(storage, key, value) {
  try {
    if (value === undefined) return storage.getItem(key);
    if (value) storage.setItem(key, value);
    else storage.removeItem(key);
  } catch {
    /* see above */
  }
  return null;
}

// -- drafts: what was typed in a conversation is there again after a reload ------------------------------------------
const draftOf = (form, input) => `wenban.desk.${conversation}.${form.dataset.draft}.${input.name}`;
const typed = (form) => [...form.elements].filter((each) => each.matches("textarea, input.input"));

for (const form of document.querySelectorAll("form[data-draft]")) {
  for (const input of typed(form)) {
    const draft = kept(sessionStorage, draftOf(form, input));
    if (draft && (form !== reply || !input.value)) input.value = draft;
    input.addEventListener("input", () => kept(sessionStorage, draftOf(form, input), input.value));
  }
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  // A form that draws the page anew forgets its draft; htmx's own says itself whether it went through.
  if (form !== reply) form.addEventListener("submit", () => forget(form));
}

function forget(form) {
  for (const input of typed(form)) kept(sessionStorage, draftOf(form, input), "");
}

if (reply) {
  reply.addEventListener("htmx:afterRequest", (event) => {
    if (event.target !== reply || !event.detail.successful) return;
    field.value = "";
    cites();
    forget(reply);
    types(false);
    field.focus();
  });
}

// -- typing ------------------------------------------------------------------------------------------------------------
let told = 0;
function types(on) {
  if (!reply || !reply.dataset.typesTo) return;
  if (on && Date.now() - told < TYPING_AGAIN) return;
  if (!on && !told) return;
  told = on ? Date.now() : 0;
  const body = new URLSearchParams({ token: reply.elements.token.value, handoff: reply.dataset.typesTo, on: String(on) });
  fetch("/desk/typing", { method: "POST", body }).catch(() => {});
}
if (field) field.addEventListener("input", () => types(Boolean(field.value)));

// -- texts put into the reply ------------------------------------------------------------------------------------------
/** The reply is made of a guide's passage: the server then keeps its source. Emptied, it is no more. */
function cites({ code = "", asked = "" } = {}) {
  for (const [name, value] of Object.entries({ code, asked })) {
    reply.elements[name].value = value;
    kept(sessionStorage, draftOf(reply, reply.elements[name]), value);
  }
}
if (field) field.addEventListener("input", () => field.value || cites());

document.addEventListener("click", (event) => {
  const insert = event.target.closest("[data-insert]");
  if (insert && field) {
    field.value = [field.value.trim(), insert.dataset.insert].filter(Boolean).join("\n").slice(0, field.maxLength);
    kept(sessionStorage, draftOf(reply, field), field.value);
    if (insert.dataset.code) cites(insert.dataset);
    field.focus();
    // The first blank of a canned reply is what is to be written next.
    const blank = /〔[^〕]*〕/.exec(field.value);
    if (blank) field.setSelectionRange(blank.index, blank.index + blank[0].length);
  }
  const matter = event.target.closest("[data-matter]");
  const about = document.querySelector("input[name=matter]");
  if (matter && about) {
    about.value = matter.dataset.matter;
    about.focus();
  }
});

// -- shortcuts ---------------------------------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  const own = /^[1-9]$/.test(key) && document.querySelectorAll("[data-list=mine] .call a")[Number(key) - 1];
  const aims = { k: "input[name=q]", n: "[data-list=offered] [data-take], [data-list=waiting] [data-take]", r: "#heard textarea, #reply textarea", p: "#number" };
  const aim = own || (aims[key] && document.querySelector(aims[key]));
  if (!aim) return;
  event.preventDefault();
  if (own || aim.matches("[data-take]")) aim.click();
  else aim.focus();
});

// -- alerts: the title seen from another tab, and a sound; both switchable, remembered on this machine -----------------
const alerts = Object.fromEntries([...document.querySelectorAll("[data-alert]")].map((box) => [box.dataset.alert, box]));
for (const [name, box] of Object.entries(alerts)) {
  const set = kept(localStorage, `wenban.desk.alert.${name}`);
  if (set) box.checked = set === "on";
  box.addEventListener("change", () => {
    kept(localStorage, `wenban.desk.alert.${name}`, box.checked ? "on" : "off");
    if (name === "sound" && box.checked) ring();
    call();
  });
}

let audio = null;
function ring() {
  audio ||= new AudioContext();
  const [tone, volume] = [audio.createOscillator(), audio.createGain()];
  tone.frequency.value = 660;
  volume.gain.setValueAtTime(0.15, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.4);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.4);
}

/** What waits and what is unread, counted. */
function counted() {
  const sum = (selector, name) =>
    [...document.querySelectorAll(selector)].reduce((all, each) => all + Number(each.dataset[name]), 0);
  return sum("[data-waiting]", "waiting") + sum("[data-list=mine] [data-unread]", "unread");
}

let called = counted();
function call() {
  const count = counted();
  document.title = count && alerts.title && alerts.title.checked ? `（${count}）${title}` : title;
  if (count > called && alerts.sound && alerts.sound.checked) ring();
  called = count;
}

// -- what the server draws anew ----------------------------------------------------------------------------------------
function bottom() {
  const thread = document.getElementById("thread");
  if (thread) thread.scrollTop = thread.scrollHeight;
}

// How long somebody has waited goes on by itself, between one drawing and the next.
const drawnAt = new Map();
document.addEventListener("htmx:afterSwap", (event) => drawnAt.set(event.target.id, Date.now()));
const opened = Date.now();
setInterval(() => {
  for (const each of document.querySelectorAll("[data-waited]")) {
    const since = Date.now() - (drawnAt.get(each.closest("#mine, #queue").id) || opened);
    each.textContent = Math.floor(Number(each.dataset.waited) / 60 + since / 60_000);
  }
}, 10_000);

// The list that is folded stays as it was.
let unfolded = false;
document.addEventListener(
  "toggle",
  (event) => {
    if (event.target.id === "talking" && event.target.isConnected) unfolded = event.target.open;
  },
  true,
);

const state = () => document.querySelector("[data-holder]");
const said = () => document.querySelectorAll("#thread .said > li").length;
const asked = () => document.querySelectorAll("#thread .said-citizen").length;
const mine = state() ? state().dataset.mine : null;
let [lines, questions] = [said(), asked()];
document.addEventListener("htmx:afterSettle", () => {
  call();
  const talking = document.getElementById("talking");
  if (talking) talking.open = unfolded;
  if (said() !== lines) bottom();
  lines = said();
  // A new word of the citizen: the help beside it looks again, unless the operator looks for something himself.
  const query = document.querySelector("input[name=q]");
  if (asked() !== questions && query && !query.value) document.body.dispatchEvent(new Event("assist"));
  questions = asked();
  // The forms belong to whoever has the conversation: once that changed the page is drawn anew, drafts are kept.
  if (mine !== null && state() && state().dataset.mine !== mine) location.reload();
});
bottom();
call();
document.documentElement.dataset.desk = "ready"; // from here on keys are heard
