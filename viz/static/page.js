(() => {
  "use strict";
  // What charts say to screen readers, they say on hover too; as text, never as markup.
  for (const mark of document.querySelectorAll("figure.chart [role='graphics-symbol'][aria-label]")) {
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = mark.getAttribute("aria-label");
    mark.prepend(title);
  }
  document.documentElement.dataset.ready = "yes";
})();
