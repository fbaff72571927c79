// Small comforts only: every page works without this file.
"use strict";

const said = document.getElementById("said");
const say = (words) => { if (said) said.textContent = words; };

// What needs a script is hidden until the script is here, and a copy button until there is a clipboard.
const wake = (root) => root.querySelectorAll(navigator.clipboard ? "[data-copy], [data-reveal]" : "[data-reveal]")
  .forEach((el) => { el.hidden = false; });
wake(document);

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const before = copy.firstChild.data;
    try { await navigator.clipboard.writeText(copy.dataset.copy); } catch { return say("Copying was refused. Select the text instead."); }
    copy.firstChild.data = "Copied";
    say("Copied");
    setTimeout(() => { copy.firstChild.data = before; say(""); }, 2000);
  }
  const reveal = event.target.closest("[data-reveal]");
  if (reveal) {
    const input = document.getElementById(reveal.dataset.reveal);
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    reveal.firstChild.data = shown ? "Hide" : "Show";
  }
});

// A shown secret is hidden again before it is sent, so that no browser keeps it as form history.
// A form marked data-once goes out once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  form.querySelectorAll("[data-reveal]").forEach((button) => {
    document.getElementById(button.dataset.reveal).type = "password";
    button.firstChild.data = "Show";
  });
  if (form.dataset.once === "sent") event.preventDefault();
  else if ("once" in form.dataset) form.dataset.once = "sent";
});
// A page that the browser brings back from its memory may send again.
window.addEventListener("pageshow", () => document.querySelectorAll("[data-once]").forEach((form) => { form.dataset.once = ""; }));

document.querySelector(".summary")?.focus();

// What is allowed only after some seconds appears then, in the place of the sentence that said so.
document.querySelectorAll("[data-after]").forEach((el) => setTimeout(() => {
  el.hidden = false;
  document.querySelectorAll("[data-until]").forEach((sentence) => { sentence.hidden = true; });
}, Number(el.dataset.after) * 1000));

// A page that waits asks again by itself, and stops once the answer carries no data-poll (seconds).
// The header tells the portal that nobody is at work here, so that asking keeps no session alive.
const ask = async (live) => {
  const reply = await fetch(location.href, { headers: { Accept: "text/html", "X-Portal-Poll": "1" } });
  if (!reply.ok) return;
  const page = new DOMParser().parseFromString(await reply.text(), "text/html");
  const fresh = page.getElementById(live.id);
  if (!fresh) return location.reload();
  const news = fresh.dataset.keyStatus !== live.dataset.keyStatus;
  const inUse = live.contains(document.activeElement);
  // Under somebody's hands only news is worth a change of the page.
  if (fresh.textContent === live.textContent || (inUse && !news)) return;
  live.replaceWith(fresh);
  wake(fresh);
  document.title = page.title;
  if (news) say(fresh.querySelector("h1").textContent);
  if (inUse) {
    fresh.tabIndex = -1;
    fresh.focus();
  }
};
const poll = () => {
  const live = document.querySelector("[data-poll]");
  if (!live) return;
  setTimeout(async () => {
    if (!document.hidden) {
      try { await ask(live); } catch { /* offline: ask again */ }
    }
    poll();
  }, Number(live.dataset.poll) * 1000);
};
poll();
