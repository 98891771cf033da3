/** Talking to the gateway: one POST a message, one event stream a conversation. The log of events is the truth. */
const CHAT = "/api/v1/chat";
const events = (id, after) => `/api/v1/conversations/${encodeURIComponent(id)}/events${after ? `?after=${after}` : ""}`;

/** A refusal that sending the same again will not change; carries what the server said to people. */
export class Refused extends Error {
  constructor(body, status) {
    super(body.message || "");
    this.remedy = body.remedy || "";
    this.code = body.error || String(status);
  }
}

/** Trouble that passes: no network, a restart, too many requests. `wait` is in seconds where the server named it. */
export class Later extends Error {
  constructor(message, wait = 0) {
    super(message);
    this.wait = wait;
  }
}

/** Send one message. The same id may be sent again and again: the server acts on it once. */
export async function send({ id, text, conversation }) {
  let response;
  try {
    response = await fetch(CHAT, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ text, client_message_id: id, ...(conversation && { conversation_id: conversation }) }),
    });
  } catch {
    throw new Later(""); // no network: the page has its own words for that
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  if (response.status === 429 || response.status === 408 || response.status >= 500) {
    throw new Later(body.message || "", Number(response.headers.get("Retry-After")) || 0);
  }
  throw new Refused(body, response.status);
}

/** Send a picture; the same id may be sent again and again. */
export async function sendPicture({ id, file, conversation }) {
  const form = new FormData();
  form.append("picture", file);
  form.append("client_message_id", id);
  if (conversation) form.append("conversation_id", conversation);
  let response;
  try {
    response = await fetch("/api/v1/attachments", { method: "POST", body: form, headers: { Accept: "application/json" } });
  } catch {
    throw new Later("");
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body;
  throw response.status >= 500 ? new Later(body.message || "") : new Refused(body, response.status);
}

/** Where a picture of a conversation is. */
export const pictureAt = (conversation, id) =>
  `/api/v1/conversations/${encodeURIComponent(conversation)}/attachments/${encodeURIComponent(id)}`;


/** Tells how far the log arrived and was read, or that somebody types. Lost ones do no harm. */
export function mark(conversation, marks) {
  const body = JSON.stringify(marks);
  const headers = { "Content-Type": "application/json" };
  fetch(`/api/v1/conversations/${encodeURIComponent(conversation)}/marks`, { method: "POST", headers, body }).catch(() => {});
}

/** Follows one conversation's log. Calls `onEvent` once for each event, in order; reopens itself with patience. */
export class Stream {
  #source = null;
  #timer = 0;
  #failures = 0;
  last = 0;

  constructor({ onEvent, onGone, onMarks }) {
    this.onEvent = onEvent;
    this.onMarks = onMarks;
    this.onGone = onGone;
  }

  open(conversation) {
    if (this.conversation === conversation && this.#source && this.#source.readyState !== EventSource.CLOSED) return;
    this.close();
    this.conversation = conversation;
    const source = new EventSource(events(conversation, this.last));
    source.onopen = () => (this.#failures = 0);
    source.addEventListener("message", (message) => this.#take(JSON.parse(message.data)));
    source.addEventListener("marks", (message) => this.onMarks(JSON.parse(message.data)));
    source.addEventListener("end", () => this.#again());
    source.onerror = () => {
      // While CONNECTING the browser reconnects by itself with Last-Event-ID; CLOSED is ours to mend.
      if (source.readyState === EventSource.CLOSED) this.#again();
    };
    this.#source = source;
  }

  /** Bring the log of an earlier visit in one go, then follow it. */
  async resume(conversation) {
    this.close();
    this.conversation = conversation;
    try {
      await this.catchUp();
    } finally {
      if (this.conversation === conversation) this.open(conversation);
    }
  }

  /** Fetch what the stream has not brought (a proxy that holds streams back, a tab that slept). */
  async catchUp() {
    const conversation = this.conversation;
    if (!conversation) return;
    for (let more = true; more; ) {
      const response = await fetch(events(conversation, this.last || "0") + "&wait=0", {
        headers: { Accept: "application/json" },
      });
      if (response.status === 404) return this.onGone();
      if (!response.ok || conversation !== this.conversation) return;
      const found = (await response.json()).events;
      for (const event of found) this.#take(event);
      more = found.length > 0;
    }
  }

  close() {
    clearTimeout(this.#timer);
    if (this.#source) this.#source.close();
    this.#source = null;
  }

  forget() {
    this.close();
    this.conversation = null;
    this.last = 0;
  }

  #take(event) {
    if (event.number <= this.last) return;
    this.last = event.number;
    this.onEvent(event);
  }

  #again() {
    const conversation = this.conversation;
    this.close();
    this.#failures += 1;
    const wait = Math.min(30, 2 ** this.#failures) * 1000;
    this.#timer = setTimeout(() => {
      this.catchUp().catch(() => {});
      if (conversation === this.conversation) this.open(conversation);
    }, wait);
  }
}
