// Keyboard shortcuts; they rest while somebody types, and with a modifier key, which is the browser's.

export function attachKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "c") claim();
    else if (event.key === "r") focusReply(event);
  });
}

function move(step) {
  const cases = [...document.querySelectorAll("a.case")];
  if (!cases.length) return;
  const at = cases.indexOf(document.activeElement);
  cases[Math.min(Math.max(at + step, 0), cases.length - 1)].focus();
}

function claim() {
  const own = document.getElementById("claim");
  (own ?? document.activeElement.closest("li")?.querySelector("button"))?.click();
}

function focusReply(event) {
  const box = document.getElementById("text");
  if (!box || box.closest("[hidden]")) return;
  event.preventDefault();
  box.focus();
}
