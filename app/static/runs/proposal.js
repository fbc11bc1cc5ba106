// What a proposal does beyond links: cities light up with their lines, and arrow keys
// move in the table of scores.
const picture = document.querySelector("svg.columns");
if (picture) {
  const parts = [...picture.querySelectorAll("[data-mentor], [data-learner]")];
  const tied = [...picture.querySelectorAll(".tie, .faint path")];
  const near = (one) => {
    const { mentor, learner } = one.dataset;
    if (mentor && learner) {
      return pairOf(mentor, learner);
    }
    const lines = tied.filter((line) =>
      mentor ? line.dataset.mentor === mentor : line.dataset.learner === learner,
    );
    return parts.filter(
      (part) =>
        part === one ||
        lines.includes(part) ||
        lines.some((line) =>
          mentor
            ? isCity(part, "learner", line.dataset.learner)
            : isCity(part, "mentor", line.dataset.mentor),
        ),
    );
  };
  const isCity = (part, side, id) =>
    part.classList.contains("city") && part.dataset[side] === id;
  const pairOf = (mentor, learner) =>
    parts.filter(
      (part) =>
        (part.dataset.mentor === mentor && part.dataset.learner === learner) ||
        isCity(part, "mentor", mentor) ||
        isCity(part, "learner", learner),
    );
  const light = (event) => {
    const one = event.target.closest?.(".tie, .city");
    parts.forEach((part) => part.classList.remove("lit"));
    picture.classList.toggle("lighting", Boolean(one));
    if (one) {
      near(one).forEach((part) => part.classList.add("lit"));
    }
  };
  for (const kind of ["pointerover", "focusin"]) {
    picture.addEventListener(kind, light);
  }
  for (const kind of ["pointerleave", "focusout"]) {
    picture.addEventListener(kind, () => picture.classList.remove("lighting"));
  }
}

const table = document.querySelector("table.heat");
if (table) {
  // One stop of the Tab key for the whole table; inside, the arrow keys.
  const cells = [...table.rows].map((row) =>
    [...row.cells].map((cell) => cell.querySelector("a")),
  );
  const links = cells.flat().filter(Boolean);
  let here = table.querySelector(".is a") ?? links[0];
  links.forEach((link) => (link.tabIndex = -1));
  if (here) {
    here.tabIndex = 0;
  }
  document.querySelector(".arrows").hidden = false;
  const steps = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const placeOf = (link) => {
    const row = cells.findIndex((one) => one.includes(link));
    return [row, cells[row].indexOf(link)];
  };
  const next = (key) => {
    let [row, column] = placeOf(here);
    if (key === "Home" || key === "End") {
      const line = cells[row].filter(Boolean);
      return key === "Home" ? line[0] : line.at(-1);
    }
    const [down, right] = steps[key];
    do {
      row += down;
      column += right;
      if (cells[row]?.[column]) {
        return cells[row][column];
      }
    } while (cells[row] && column >= 0 && column < cells[row].length);
    return here;
  };
  table.addEventListener("focusin", (event) => {
    const link = event.target.closest("a");
    if (link) {
      here.tabIndex = -1;
      here = link;
      here.tabIndex = 0;
    }
  });
  table.addEventListener("keydown", (event) => {
    if (!(event.key in steps) && event.key !== "Home" && event.key !== "End") {
      return;
    }
    event.preventDefault();
    next(event.key).focus();
  });
}
