/** What is sent beside words: a picture as soon as it is chosen, a place as a sentence. */
import { newId } from "./memory.js";
import { notice, words } from "./render.js";
import { Refused, sendPicture } from "./wire.js";

export class Beside {
  constructor(chat) {
    this.chat = chat;
    this.box = chat.querySelector(".beside");
    const picture = this.box.querySelector("[data-picture]");
    const input = picture.querySelector("input[type=file]");
    const place = this.box.querySelector("[data-place]");
    picture.querySelector("button").hidden = true; // chosen is sent
    input.addEventListener("change", () => input.files.length && this.send(input));
    picture.addEventListener("submit", (event) => event.preventDefault());
    place.addEventListener("submit", (event) => {
      event.preventDefault();
      const field = place.querySelector("input");
      const text = field.value.trim();
      if (!text) return;
      field.value = "";
      this.box.open = false;
      this.chat.say(words.beside.place_is.replace("{place}", text));
    });
  }

  async send(input) {
    const { chat } = this;
    const [file] = input.files;
    const message = { id: newId(), file, conversation: chat.memory.conversation };
    input.value = "";
    chat.toggleAttribute("data-talking", true);
    chat.show_state(words.beside.sending, false, true);
    try {
      const kept = await sendPicture(message).catch((error) => {
        if (error instanceof Refused && error.code !== "conversation_not_found") throw error;
        return sendPicture({ ...message, conversation: error instanceof Refused ? null : message.conversation });
      });
      chat.memory.conversation = kept.conversation_id;
      this.box.open = false;
      chat.stream.open(kept.conversation_id);
      await chat.stream.catchUp();
    } catch (error) {
      chat.log.append(notice(error.message || words.beside.failed, error.remedy));
      chat.scroll();
    } finally {
      chat.idle();
    }
  }
}
