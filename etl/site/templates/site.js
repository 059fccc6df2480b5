"use strict";
// Search, copying, printing: all that the pages do by themselves. Nothing is fetched.
(() => {
  const field = document.getElementById("find");
  const list = document.getElementById("found");
  const root = document.body.dataset.root;
  const most = 12;
  const fold = (text) => text.normalize("NFKC").toLowerCase();
  let entries = null;

  const score = (entry, word) => {
    const name = entry.name;
    if (name === word) return 0;
    if (name.startsWith(word)) return 1;
    if (name.includes(word)) return 2;
    return entry.words.includes(word) ? 3 : -1;
  };
  const search = (text) => {
    entries ??= window.INDEX.map((one) => ({ one, name: fold(one[0]), words: fold(one.join(" ")) }));
    const words = fold(text).split(/\s+/).filter(Boolean);
    if (!words.length) return null;
    return entries
      .map((entry) => [words.map((word) => score(entry, word)), entry.one])
      .filter(([scores]) => scores.every((each) => each >= 0))
      .sort((a, b) => Math.min(...a[0]) - Math.min(...b[0]) || a[1][2].includes("#") - b[1][2].includes("#"))
      .slice(0, most)
      .map(([, one]) => one);
  };
  const show = (found) => {
    list.replaceChildren();
    list.hidden = found === null;
    for (const [name, place, page, about] of found ?? []) {
      const link = document.createElement("a");
      const note = document.createElement("small");
      link.href = root + page;
      link.textContent = name;
      note.textContent = [place, about].filter(Boolean).join(" · ");
      link.append(note);
      list.append(Object.assign(document.createElement("li"), {}));
      list.lastChild.append(link);
    }
    if (found && !found.length) {
      list.append(Object.assign(document.createElement("li"), { className: "none", textContent: field.dataset.none }));
    }
  };
  field.addEventListener("input", () => show(search(field.value)));
  field.addEventListener("keydown", (event) => {
    const first = list.querySelector("a");
    if (event.key === "Escape") { field.value = ""; show(null); }
    if (event.key === "Enter" && first) first.click();
    if (event.key === "ArrowDown" && first) { event.preventDefault(); first.focus(); }
  });
  list.addEventListener("keydown", (event) => {
    const item = document.activeElement.closest("li");
    const next = event.key === "ArrowDown" ? item?.nextSibling : event.key === "ArrowUp" ? item?.previousSibling : null;
    if (event.key === "Escape") { field.focus(); show(null); }
    if (next) { event.preventDefault(); next.firstChild.focus(); }
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".find")) show(null);
    if (event.target.matches(".print")) window.print();
    if (event.target.matches(".copy")) copy(event.target);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !event.target.closest("input")) { event.preventDefault(); field.focus(); }
  });
  const copy = (button) => {
    const code = button.parentElement.querySelector("code");
    const chosen = document.createRange();
    chosen.selectNodeContents(code);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(chosen);
    document.execCommand("copy");
    selection.removeAllRanges();
    const before = button.textContent;
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = before; }, 1500);
  };
  const open = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  const opened = [];
  window.addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:not([open])")) { one.open = true; opened.push(one); }
  });
  window.addEventListener("afterprint", () => { for (const one of opened.splice(0)) one.open = false; });
  window.addEventListener("hashchange", open);
  open();
})();
