// Tables wider than the page can be scrolled by keyboard too.
addEventListener("load", () => {
  for (const each of document.querySelectorAll(".md-typeset__scrollwrap")) {
    if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
  }
});
