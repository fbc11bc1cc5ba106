// Follows a computation, and shows its result as soon as it is there. Whatever goes
// wrong, the page is loaded again: it always knows how far things are.
const box = document.getElementById("progress");
const bar = box.querySelector("progress");
const says = document.getElementById("progress-says");
const PATIENCE = 4000; // milliseconds without a connection until the page is loaded again
let lost = 0;

const again = () => {
  source.close();
  location.reload();
};
const source = new EventSource(box.dataset.events);
source.addEventListener("open", () => {
  clearTimeout(lost);
  lost = 0;
});
source.addEventListener("run", (event) => {
  const run = JSON.parse(event.data);
  if (run.state !== "queued" && run.state !== "running") {
    again();
    return;
  }
  bar.value = run.share;
  if (says.textContent !== run.says) {
    says.textContent = run.says;
  }
});
source.addEventListener("error", () => {
  // A stream that was cut is taken up again by the browser; one that is refused is not.
  if (source.readyState === EventSource.CLOSED) {
    setTimeout(again, 1000);
  } else if (!lost) {
    lost = setTimeout(again, PATIENCE);
  }
});
