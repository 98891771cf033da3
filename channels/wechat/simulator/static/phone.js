// Keeps the screen fresh: asks for it again as soon as it is another. Without this script the page reloads itself.
const screen = document.querySelector("[data-screen]");
const toEnd = () => screen.scrollTo(0, screen.scrollHeight);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

toEnd();
for (;;) {
  try {
    const answer = await fetch(`/screen?version=${screen.dataset.version}`);
    const version = answer.headers.get("X-Version");
    if (answer.ok && version !== screen.dataset.version) {
      screen.innerHTML = await answer.text();
      screen.dataset.version = version;
      toEnd();
    }
  } catch {
    await pause(1000);
  }
}
