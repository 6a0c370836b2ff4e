// Buttons that copy listings.
"use strict";
{
  /** Copies a listing; its text is selected where the clipboard is closed to pages. */
  async function copy(code, button) {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
  }

  for (const block of document.querySelectorAll("figure.listing pre")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => copy(block.querySelector("code"), button));
    block.before(button);
  }
}
