// What every page has: its theme, and a word when something went wrong.

const strips = new Set();

function setUpTheme() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const apply = () => {
    const next = isDark() ? "light" : "dark";
    button.querySelector("span").textContent = say(next);
    button.setAttribute("aria-label", say("theme_" + next));
    theme.cache.clear();
    for (const chart of charts) chart.view.refresh();
    for (const strip of strips) strip.redraw();
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("cambist-theme", document.documentElement.dataset.theme); } catch { /* files may not store */ }
    apply();
  });
  system.addEventListener("change", apply);
  apply();
}

function broken(reason) {
  const note = document.getElementById("broken");
  note.hidden = false;
  note.textContent = say("broken", { reason: String(reason) });
  throw reason;
}
