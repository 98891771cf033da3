/** Small helpers of every page: the elder-mode switch without a reload, print, copy of the page's address. */
const root = document.documentElement;

document.addEventListener("submit", async (event) => {
  if (!event.target.matches("[data-elder-form]")) return;
  event.preventDefault();
  const button = event.target.querySelector("button");
  const on = button.getAttribute("aria-pressed") !== "true";
  root.toggleAttribute("data-elder", on);
  button.setAttribute("aria-pressed", String(on));
  button.value = on ? "off" : "on";
  document.cookie = `wenban_elder=${on ? "1" : "0"}; path=/; max-age=31536000; SameSite=Lax`;
});

document.addEventListener("click", async (event) => {
  if (event.target.closest("[data-print]")) print();
  const share = event.target.closest("[data-share]");
  if (!share) return;
  const data = { title: document.title, url: location.href };
  try {
    if (navigator.share) await navigator.share(data);
    else await navigator.clipboard.writeText(data.url);
    share.textContent = share.dataset.done;
  } catch {
    /* The person closed the sheet, or the page is not on https: the address bar is still there. */
  }
});
