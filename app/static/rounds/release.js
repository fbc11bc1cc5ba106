// Says when a round has changed since its board was shown; what is typed stays.
const EVERY = 30_000;
const pulse = document.getElementById("pulse");

async function look() {
  if (!pulse || pulse.firstChild || document.hidden) return;
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.getElementById("pulse")?.dataset.pulse;
    if (now && now !== pulse.dataset.pulse) tell();
  } catch {
    // The network is away: look again later.
  }
}

function tell() {
  const note = document.createElement("p");
  note.className = "note";
  const link = document.createElement("a");
  link.href = location.pathname + location.search;
  link.textContent = pulse.dataset.again;
  note.append(pulse.dataset.told, " ", link);
  pulse.append(note);
}

setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);
