/** <wenban-chat>: the conversation. Without this script the same form posts and the server draws the page. */
import { Memory, newId } from "./memory.js";
import { Beside } from "./beside.js";
import {
  botTurn,
  citizenTurn,
  copyText,
  displayed,
  lineTurn,
  notice,
  personTurn,
  pictureTurn,
  say,
  words,
} from "./render.js";
import { Later, Refused, Stream, mark, pictureAt, send } from "./wire.js";

const SLOW = 3000; // ms until the page says that it is still looking
const VERY_SLOW = 9000; // ms until it names another way
const TYPING_AGAIN = 3000; // ms between signs of typing; one is believed for six seconds
const TYPING_BELIEVED = 6500;
const RETRIES = [1, 2, 4, 8, 15, 30]; // seconds between attempts, the last one again and again

class WenbanChat extends HTMLElement {
  connectedCallback() {
    this.log = this.querySelector("[role=log]");
    this.state = this.querySelector("[data-state]");
    this.form = this.querySelector("form");
    this.input = this.form.querySelector("textarea");
    this.offline = this.querySelector("[data-offline]");
    this.memory = new Memory();
    this.attempts = 0;
    this.beside = new Beside(this);
    this.stream = new Stream({
      onEvent: (event) => this.show(event),
      onGone: () => this.restart(),
      onMarks: ({ person_types: types }) => this.personTypes(types),
    });
    this.listen();
    this.resume();
  }

  /** Draw what this device remembers: the conversation's log, then what is still waiting to be sent. */
  resume() {
    this.log.replaceChildren();
    const known = this.dataset.conversation || this.memory.conversation;
    if (known) {
      this.memory.conversation = known;
      this.log.setAttribute("aria-live", "off"); // what was said before the reload is not read out again
      this.stream
        .resume(known)
        .catch(() => {})
        .finally(() => this.log.setAttribute("aria-live", "polite"));
    }
    for (const { id, text } of this.memory.pending) this.addCitizen(text, id);
    this.toggleAttribute("data-talking", Boolean(known || this.memory.pending.length));
    const asked = new URLSearchParams(location.search).get("ask");
    if (asked) {
      this.input.value = asked.slice(0, this.input.maxLength);
      history.replaceState(null, "", location.pathname);
      this.input.focus();
    }
    this.offline.hidden = navigator.onLine;
    this.flush();
  }

  listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (event.submitter && event.submitter.name === "quick") return;
      this.take(this.input.value);
    });
    // Starters, choices, facets and the way to a person are all submit buttons named "quick".
    this.closest("body").addEventListener("click", (event) => {
      const quick = event.target.closest("button[name=quick]");
      if (quick) {
        event.preventDefault();
        this.choose(quick);
      }
      if (event.target.closest("[data-copy]")) this.copy(event.target.closest("[data-copy]"));
      if (event.target.closest("[data-restart]")) this.restart(true);
      if (event.target.closest("[data-retry]")) this.flush(true);
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
        event.preventDefault();
        this.take(this.input.value);
      }
    });
    // A digit chooses while the focus is among numbered choices (never elsewhere: it is text then).
    this.log.addEventListener("keydown", (event) => {
      const list = event.target.closest(".choices");
      const picked = list && /^[1-9]$/.test(event.key) && list.querySelectorAll("button")[Number(event.key) - 1];
      if (picked) picked.click();
    });
    this.input.addEventListener("input", () => this.types());
    for (const name of ["online", "offline"]) addEventListener(name, () => this.network());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      this.network();
      this.read();
    });
  }

  choose(button) {
    const group = button.closest(".choices");
    if (group) for (const each of group.querySelectorAll("button")) each.setAttribute("aria-pressed", String(each === button));
    this.say(button.value);
    // The pressed button may be gone with the first screen; the log then takes the focus. Not the field: on a phone
    // that would push the keyboard over the answer.
    if (!button.offsetParent) this.log.focus({ preventScroll: true });
  }

  take(raw) {
    const text = raw.trim();
    if (!text) {
      this.input.focus();
      return;
    }
    this.input.value = "";
    this.say(text);
  }

  say(text) {
    const message = { id: newId(), text };
    this.memory.add(message);
    this.toggleAttribute("data-talking", true);
    this.addCitizen(text, message.id);
    this.scroll();
    this.flush(true);
  }

  addCitizen(text, id) {
    if (this.log.querySelector(`[data-message="${CSS.escape(id)}"]`)) return;
    const node = citizenTurn(text, id);
    node.classList.add("waiting");
    this.log.append(node);
  }

  /** Send what waits, in order, one at a time; the id makes a message count once however often it is sent. */
  async flush(now = false) {
    if (now) clearTimeout(this.timer);
    if (this.sending) return;
    this.sending = true;
    try {
      while (this.memory.pending.length) await this.sendOne(this.memory.pending[0]);
      this.attempts = 0;
    } catch (error) {
      if (!(error instanceof Later)) throw error;
      const wait = error.wait || RETRIES[Math.min(this.attempts, RETRIES.length - 1)];
      this.attempts += 1;
      this.timer = setTimeout(() => this.flush(), wait * 1000);
      this.show_state(say(error.message ? words.later_because : words.later, { message: error.message, wait }), true);
    } finally {
      this.sending = false;
    }
  }

  async sendOne(message) {
    this.busy();
    try {
      const reply = await send({ ...message, conversation: this.memory.conversation });
      this.memory.conversation = reply.conversation_id;
      this.memory.done(message.id);
      this.stream.open(reply.conversation_id);
      await this.stream.catchUp();
      this.idle();
    } catch (error) {
      this.idle();
      if (!(error instanceof Refused)) throw error instanceof Later ? error : new Later(String(error));
      if (error.code === "conversation_not_found" && this.memory.conversation) {
        this.restart(); // gone on the server: the message begins a new one
        return;
      }
      this.memory.done(message.id);
      this.refuse(message, error);
    }
  }

  refuse(message, error) {
    const node = this.log.querySelector(`[data-message="${CSS.escape(message.id)}"]`);
    if (node) {
      node.classList.remove("waiting");
      node.after(notice(error.message || words.refused, error.remedy));
    }
    if (!this.input.value && message.text.length <= this.input.maxLength) this.input.value = message.text;
    this.scroll();
  }

  /** One event of the log, called once for each, in order. */
  show({ kind, payload, number }) {
    this.toggleAttribute("data-talking", true);
    if (kind === "holder") this.held = payload.holder === "person";
    if (kind === "person") {
      this.spoken = number;
      this.read();
    }
    if (kind === "citizen") {
      const mine = payload.client_message_id;
      const known = mine && this.log.querySelector(`[data-message="${CSS.escape(mine)}"]`);
      if (known) {
        known.classList.remove("waiting");
        // Drawn before the log was: only now is it known what the pressed button said.
        known.querySelector(".bubble").textContent = displayed(payload.text);
        this.settle(known);
      } else this.insert(citizenTurn(payload.text, mine));
      return;
    }
    if (kind === "attachment") {
      this.insert(pictureTurn(pictureAt(this.memory.conversation, payload.attachment)));
      this.scroll();
      return;
    }
    const drawn = { bot: botTurn, person: personTurn, holder: lineTurn, notice: lineTurn }[kind];
    const node = drawn && drawn(payload);
    if (!node) return;
    if (kind === "bot" || kind === "person") this.idle();
    node.classList.add("fresh");
    this.insert(node);
    this.scroll(node);
  }

  /** Tells that a person's words arrived, and that they are in view; only a person's, and each only once. */
  read() {
    if (!this.spoken || !this.stream.conversation) return;
    const seen = document.hidden ? 0 : this.spoken;
    if (seen <= (this.seen || 0) && this.spoken <= (this.delivered || 0)) return;
    this.seen = Math.max(this.seen || 0, seen);
    this.delivered = this.spoken;
    mark(this.stream.conversation, { delivered: this.spoken, seen });
  }

  /** While a person has the conversation he sees that something is being typed. */
  types() {
    if (!this.held || !this.stream.conversation) return;
    const typing = Boolean(this.input.value);
    if (typing && Date.now() - (this.typed || 0) < TYPING_AGAIN) return;
    this.typed = typing ? Date.now() : 0;
    mark(this.stream.conversation, { typing });
  }

  personTypes(types) {
    clearTimeout(this.typesTimer);
    if (types) {
      this.show_state(words.person_types, false, true);
      this.typesTimer = setTimeout(() => this.idle(), TYPING_BELIEVED);
    } else if (!this.sending) this.idle();
  }

  /** What the log tells goes above what still waits. */
  insert(node) {
    const waiting = this.log.querySelector(".turn.waiting");
    if (waiting) waiting.before(node);
    else this.log.append(node);
  }

  settle(node) {
    const waiting = [...this.log.querySelectorAll(".turn.waiting")].find((each) => each.compareDocumentPosition(node) & 4);
    if (waiting) waiting.before(node);
  }

  busy() {
    this.show_state(words.typing, false, true);
    clearTimeout(this.slow);
    clearTimeout(this.slower);
    this.slow = setTimeout(() => this.show_state(words.slow, false, true), SLOW);
    this.slower = setTimeout(() => this.show_state(words.very_slow, false, true), VERY_SLOW);
  }

  idle() {
    clearTimeout(this.slow);
    clearTimeout(this.slower);
    this.state.replaceChildren();
  }

  show_state(text, retry, dots) {
    const node = document.getElementById("state").content.cloneNode(true);
    node.querySelector("[data-slot=text]").textContent = text;
    if (!retry) node.querySelector("[data-retry]").remove();
    if (!dots) node.querySelector(".dots").remove();
    this.state.replaceChildren(node);
  }

  network() {
    this.offline.hidden = navigator.onLine;
    if (!navigator.onLine) return;
    if (this.stream.conversation) {
      this.stream.open(this.stream.conversation);
      this.stream.catchUp().catch(() => {});
    }
    if (this.memory.pending.length) this.flush(true);
  }

  /** Bring an answer's beginning into view: a long slip is read from its top. */
  scroll(node = this.log.lastElementChild) {
    if (!node) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    requestAnimationFrame(() => {
      const tall = node.getBoundingClientRect().height > innerHeight * 0.6;
      const before = node.previousElementSibling;
      const target = tall && before && before.offsetHeight < innerHeight * 0.25 ? before : node;
      target.scrollIntoView({ block: tall ? "start" : "end", behavior: still ? "auto" : "smooth" });
    });
  }

  async copy(button) {
    const text = copyText(button.closest(".slip"));
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Plain-http intranet pages have no clipboard object; the old way still works.
      const area = Object.assign(document.createElement("textarea"), { value: text, className: "visually-hidden" });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const label = button.textContent;
    button.textContent = words.copied;
    setTimeout(() => (button.textContent = label), 2000);
  }

  restart(asked = false) {
    this.stream.forget();
    const pending = asked ? [] : this.memory.pending;
    this.memory.clear();
    this.removeAttribute("data-conversation");
    this.log.replaceChildren();
    this.idle();
    this.toggleAttribute("data-talking", pending.length > 0);
    for (const message of pending) {
      this.memory.add(message);
      this.addCitizen(message.text, message.id);
    }
    if (asked) this.input.focus();
    else this.flush(true);
  }
}

customElements.define("wenban-chat", WenbanChat);
