// Tables that are wider than the screen can be scrolled with the keyboard.
const reachable = () => {
  for (const wrap of document.querySelectorAll(".md-typeset__scrollwrap")) {
    const wide = wrap.scrollWidth > wrap.clientWidth
    wrap.toggleAttribute("tabindex", wide)
    if (wide) {
      wrap.tabIndex = 0
      wrap.setAttribute("role", "group")
      wrap.setAttribute("aria-label", "table, wider than the screen")
    }
  }
}
addEventListener("load", reachable)
addEventListener("resize", reachable)
