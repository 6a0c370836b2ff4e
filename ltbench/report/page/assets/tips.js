// Explanations and values beside what a reader points at or moves to with the keyboard.
{
  const REACH = 18; // pixels between the pointer and the nearest mark of a figure
  const GAP = 8;
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.querySelector("main").append(tip);
  let anchor = null; // the button or the mark of a figure that the tip is beside
  let owner = null; // the element that has the focus, which the tip describes

  /** Shows the text of an anchor beside it, and describes an element by it. */
  function show(target, element) {
    hide();
    [anchor, owner] = [target, element];
    tip.textContent = anchor.dataset.tip;
    tip.hidden = false;
    anchor.classList.add("pointed");
    owner.setAttribute("aria-describedby", tip.id);
    place();
  }

  /** Puts the tip beside its anchor, within the window. */
  function place() {
    const box = anchor.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const room = document.documentElement.clientWidth - width - GAP;
    const left = box.left + box.width / 2 - width / 2;
    const above = box.top - height - GAP;
    tip.style.left = `${Math.max(GAP, Math.min(left, room))}px`;
    tip.style.top = `${above > GAP ? above : box.bottom + GAP}px`;
  }

  function hide() {
    tip.hidden = true;
    owner?.removeAttribute("aria-describedby");
    anchor?.classList.remove("pointed");
    anchor = owner = null;
  }

  /** Returns the button whose explanation the tip shows, or null. */
  const buttonOf = (target) => target.closest?.("button[data-tip]");
  const explain = (button) => button && show(button, button);

  for (const term of document.querySelectorAll("button.term")) {
    const word = document.getElementById(term.getAttribute("popovertarget"));
    term.dataset.tip = word.textContent.slice(word.firstElementChild.textContent.length).trim();
    term.removeAttribute("popovertarget"); // the tip is beside the word, a popover is not
    term.addEventListener("click", () => explain(term));
  }
  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse") explain(buttonOf(event.target));
  });
  document.addEventListener("pointerout", (event) => {
    if (buttonOf(event.target) && event.target.closest("button") !== document.activeElement) hide();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) explain(buttonOf(event.target));
  });
  document.addEventListener("focusout", hide);
  document.addEventListener("scroll", () => anchor && place(), { capture: true, passive: true });
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());

  /** Makes the values of a figure's marks readable by pointer and by keyboard. */
  function enhance(drawing) {
    const all = [...drawing.querySelectorAll("[data-tip]")];
    if (all.length === 0) return;
    for (const mark of all) mark.querySelector(":scope > title")?.remove(); // one tip, not two
    drawing.tabIndex = 0;
    let at = -1;

    /** Returns the marks of the form of the figure that is shown, wide or narrow. */
    const shown = () => all.filter((mark) => mark.getClientRects().length > 0);

    /** Shows the value of a mark. */
    const point = (mark) => mark !== anchor && show(mark, drawing);

    /** Returns the mark below or near a point of the screen, or null. */
    function nearest(x, y) {
      let found = null;
      let least = REACH;
      for (const mark of shown()) {
        const { left, right, top, bottom } = mark.getBoundingClientRect();
        const distance = Math.hypot(
          Math.max(left - x, 0, x - right),
          Math.max(top - y, 0, y - bottom),
        );
        const size = Math.max(right - left, bottom - top) / 1000; // of several, the smallest
        if (distance + size < least) [found, least] = [mark, distance + size];
      }
      return found;
    }

    function pointAt(event) {
      const mark = nearest(event.clientX, event.clientY);
      if (mark) point(mark);
      else if (anchor) hide();
    }
    drawing.addEventListener("pointermove", pointAt);
    drawing.addEventListener("pointerdown", pointAt);
    drawing.addEventListener("pointerleave", hide);
    drawing.addEventListener("keydown", (event) => {
      const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
      const marks = shown();
      const ends = { Home: 0, End: marks.length - 1 };
      if (!(event.key in steps) && !(event.key in ends)) return;
      event.preventDefault();
      at = ends[event.key] ?? (at + steps[event.key] + marks.length) % marks.length;
      if (at < 0) at = 0;
      point(marks[at]);
    });
  }

  for (const drawing of document.querySelectorAll(".drawing")) enhance(drawing);
}
