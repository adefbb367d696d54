/** Lets the page's tiles and its question field open the chat with a question. */

/** @typedef {HTMLElement & {ask(question: string): Promise<void>}} Chat */

/** @param {string} question */
async function ask(question) {
  await customElements.whenDefined("stadtbot-chat");
  const chat = /** @type {Chat | null} */ (document.querySelector("stadtbot-chat"));
  await chat?.ask(question);
}

for (const button of document.querySelectorAll("button[data-question]")) {
  button.addEventListener("click", () => ask(button.getAttribute("data-question") ?? ""));
}

document.querySelector("form[data-ask]")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ (document.getElementById("frage"));
  const question = field.value.trim();
  if (!question) return field.focus();
  field.value = "";
  ask(question);
});
