/** What the page must not forget over a reload: the conversation's id and the messages not yet taken by the server. */
const KEY = "wenban.chat";

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || {};
  } catch {
    return {};
  }
}

function write(value) {
  try {
    localStorage.setItem(KEY, JSON.stringify(value));
  } catch {
    /* Private mode or a full disk: the conversation goes on, it is only not remembered. */
  }
}

/** Random id; crypto.randomUUID is missing on plain-http intranet pages, getRandomValues is not. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Memory {
  #state = read();

  get conversation() {
    return this.#state.conversation || null;
  }

  set conversation(id) {
    this.#change({ conversation: id });
  }

  /** Messages in the order they were said: {id, text, refused?}. */
  get pending() {
    return this.#state.pending || [];
  }

  add(message) {
    this.#change({ pending: [...this.pending, message] });
  }

  done(id) {
    this.#change({ pending: this.pending.filter((message) => message.id !== id) });
  }

  clear() {
    this.#state = {};
    write(this.#state);
  }

  #change(part) {
    // Another tab may have written since: merge with what is stored, not with what this tab remembers.
    this.#state = { ...read(), ...part };
    write(this.#state);
  }
}
