// Folds the districts beyond the first, and opens them for who follows a link and for paper.
// Without this script every district is open.
"use strict";
{
  const folds = [...document.querySelectorAll(".district > details")];
  const openAll = (open) => folds.forEach((fold, at) => (fold.open = open || at === 0));

  const reveal = (hash) => {
    const target = document.getElementById(hash.slice(1));
    if (!target) return;
    const fold = target.matches(".district") ? target.firstElementChild : target.closest("details");
    if (!fold || fold.open) return;
    fold.open = true;
    target.scrollIntoView();
  };

  openAll(false);
  reveal(location.hash);
  window.addEventListener("hashchange", () => reveal(location.hash));
  // The address does not change for who follows the same link twice.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link) reveal(link.hash);
  });

  let before = [];
  window.addEventListener("beforeprint", () => {
    before = folds.map((fold) => fold.open);
    openAll(true);
  });
  window.addEventListener("afterprint", () => folds.forEach((fold, at) => (fold.open = before[at])));
}
