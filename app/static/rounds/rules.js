// The rules desk: moving a slider redraws what the rules bring. Without this, the button
// "Preview" does the same.

const PAUSE = 150;
const form = document.querySelector("#rules");
const box = document.querySelector("#preview");
const told = document.querySelector("#told");
const stale = document.querySelector("#stale");
let timer;
let running;

async function ask(signal) {
  const answer = await fetch(form.dataset.preview, {
    method: "POST",
    body: new FormData(form),
    headers: { Accept: "text/html" },
    signal,
  });
  // 422: what is wrong with the rules is told in place of the preview.
  return answer.ok || answer.status === 422 ? answer.text() : null;
}

function busy() {
  stale.hidden = false;
  told.textContent = stale.textContent;
}

async function preview() {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  box.setAttribute("aria-busy", "true");
  try {
    const part = await ask(mine.signal);
    if (running !== mine) return;
    if (part === null) return busy();
    box.innerHTML = part;
    stale.hidden = true;
    told.textContent = box.querySelector("[data-summary], .alert")?.textContent ?? "";
  } catch (error) {
    if (error.name !== "AbortError") busy();
  } finally {
    if (running === mine) box.removeAttribute("aria-busy");
  }
}

form.addEventListener("input", (event) => {
  const number = event.target.parentElement.querySelector("output");
  if (number) number.textContent = event.target.value;
  if (event.target.name === "label") return;
  clearTimeout(timer);
  timer = setTimeout(preview, PAUSE);
});
if (box.querySelector("[data-empty]")) preview();
