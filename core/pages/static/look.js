/** The look that a person has chosen on this machine. No module: it has to be there before the first paint. */
{
  const KEY = "stadtbot-look";
  const LOOKS = ["auto", "light", "dark", "contrast"];
  const root = document.documentElement;

  const chosen = () => {
    try {
      return localStorage.getItem(KEY) ?? "auto";
    } catch {
      return "auto";
    }
  };

  /** @param {string} look */
  const apply = (look) => {
    root.dataset.look = LOOKS.includes(look) ? look : "auto";
  };

  apply(chosen());
  addEventListener("storage", (event) => event.key === KEY && apply(event.newValue ?? "auto"));
  addEventListener("DOMContentLoaded", () => {
    const select = document.getElementById("look");
    if (!(select instanceof HTMLSelectElement)) return;
    select.value = root.dataset.look ?? "auto";
    select.closest("label")?.removeAttribute("hidden");
    select.addEventListener("change", () => {
      apply(select.value);
      try {
        localStorage.setItem(KEY, select.value);
      } catch {
        // The choice holds for this page, then.
      }
    });
  });
}
