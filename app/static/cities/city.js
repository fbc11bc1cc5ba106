// What makes the forms of a city nicer; without it they are complete.

/* Choosing a city while typing: a combobox with a list (ARIA Authoring Practices). */
const field = document.querySelector("input[data-places]");
if (field) choose(field);

function choose(input) {
  const status = document.getElementById("q-status");
  const list = document.createElement("ul");
  list.id = "q-list";
  list.className = "found";
  list.role = "listbox";
  list.hidden = true;
  list.setAttribute("aria-label", input.dataset.list);
  input.after(list);
  input.type = "text"; // a search field would clear itself on Escape
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
  })) input.setAttribute(name, value);

  let at = -1;
  let asked = 0;
  let timer;

  function close() {
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(next) {
    const options = [...list.children];
    at = (next + options.length) % options.length;
    options.forEach((one, number) => one.setAttribute("aria-selected", String(number === at)));
    options[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[at].id);
  }

  function take(option) {
    const query = new URLSearchParams({ q: input.value, place: option.dataset.id });
    location.assign(`${input.dataset.to}?${query}`);
  }

  function show(items) {
    list.replaceChildren(...items.map((one, number) => {
      const option = document.createElement("li");
      option.id = `q-option-${number}`;
      option.role = "option";
      option.dataset.id = one.id;
      option.setAttribute("aria-selected", "false");
      const name = document.createElement("strong");
      name.textContent = one.name;
      const says = document.createElement("span");
      says.textContent = one.says;
      option.append(name, says);
      return option;
    }));
    at = -1;
    input.removeAttribute("aria-activedescendant");
    list.hidden = !items.length;
    input.setAttribute("aria-expanded", String(items.length > 0));
    status.textContent = items.length
      ? input.dataset.many.replace("{number}", items.length)
      : input.dataset.none;
  }

  async function ask() {
    const mine = ++asked;
    const typed = input.value.trim();
    if ([...typed].length < 2) {
      status.textContent = "";
      close();
      return;
    }
    try {
      const answer = await fetch(`${input.dataset.places}?${new URLSearchParams({ q: typed })}`);
      if (answer.ok && mine === asked) show((await answer.json()).items);
    } catch {
      close(); // the button still searches
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) ask();
      else mark(event.key === "ArrowDown" ? at + 1 : at < 0 ? -1 : at - 1);
    } else if (event.key === "Enter" && at >= 0 && !list.hidden) {
      event.preventDefault();
      take(list.children[at]);
    } else if (event.key === "Escape") {
      if (list.hidden) input.value = "";
      close();
    }
  });
  input.addEventListener("blur", () => setTimeout(close, 150));
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
}

/* Needs and strengths: the bars grow beside the form. */
const growing = document.querySelector(".growing svg[data-unit]");
if (growing) grow(growing);

function grow(picture) {
  const unit = Number(picture.dataset.unit);
  const middle = Number(picture.dataset.middle);
  const told = document.querySelector("[data-live]");
  const cards = [...document.querySelectorAll("fieldset.area")];
  const template = told.dataset.says;
  told.hidden = false;
  document.querySelector(".unscripted").hidden = true;

  function level(card, kind) {
    const chosen = card.querySelector(`input[name="${kind}_${card.dataset.area}"]:checked`);
    return chosen ? Number(chosen.value) : 0;
  }

  function draw(card) {
    const row = picture.querySelector(`[data-area="${card.dataset.area}"]`);
    const need = level(card, "need");
    const strength = level(card, "strength");
    const left = row.querySelector(".bar-need");
    left.setAttribute("x", middle - need * unit);
    left.setAttribute("width", need * unit);
    row.querySelector(".bar-strength").setAttribute("width", strength * unit);
    row.querySelector(".level-need").textContent = need;
    row.querySelector(".level-strength").textContent = strength;
  }

  function count() {
    const answered = cards.filter((card) => card.querySelector("input:checked")).length;
    told.textContent = template.replace("{number}", answered).replace("{all}", cards.length);
  }

  document.addEventListener("change", (event) => {
    const card = event.target.closest("fieldset.area");
    if (!card) return;
    const none = card.querySelector("input[type=checkbox]");
    if (event.target === none) {
      for (const one of card.querySelectorAll("input[type=radio]")) one.checked = none.checked && one.value === "0";
    } else if (event.target.value !== "0") {
      none.checked = false;
    }
    draw(card);
    count();
  });
  cards.forEach(draw);
  count();
}
