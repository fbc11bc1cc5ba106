// A city's card and its mark on the map are shown together; all works without this.
const pairs = new Map();
for (const card of document.querySelectorAll("[data-city]")) {
  pairs.set(card.dataset.city, [card]);
}
for (const mark of document.querySelectorAll("[data-mark]")) {
  pairs.get(mark.dataset.mark)?.push(mark);
}
for (const both of pairs.values()) {
  if (both.length === 1) continue;
  const shine = (on) => both.forEach((one) => one.classList.toggle("marked", on));
  for (const one of both) {
    for (const event of ["pointerenter", "focusin"]) one.addEventListener(event, () => shine(true));
    for (const event of ["pointerleave", "focusout"]) one.addEventListener(event, () => shine(false));
  }
}
