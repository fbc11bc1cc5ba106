// A button beside each sample that copies it.

for (const figure of document.querySelectorAll("figure[data-copy]")) {
  if (!navigator.clipboard) break; // only over https, or on this machine
  const button = document.createElement("button");
  button.type = "button";
  button.className = "second copy";
  button.textContent = figure.dataset.copy;
  const label = figure.querySelector("figcaption").textContent;
  button.setAttribute("aria-label", `${figure.dataset.copy}: ${label}`);
  const told = document.createElement("span");
  told.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(figure.querySelector("code").textContent);
    told.textContent = figure.dataset.copied;
    setTimeout(() => (told.textContent = ""), 3000);
  });
  figure.querySelector("figcaption").append(" ", button, " ", told);
}
