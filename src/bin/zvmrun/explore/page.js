"use strict";
(() => {
  const panes = [...document.querySelectorAll("section")];
  const lines = panes.map((pane) => [...pane.querySelectorAll(".line")]);
  const paneOf = new Map();
  // Lines of code by offset, lines of source by number, offsets by line of source.
  const byOffset = new Map(), bySource = new Map(), offsets = new Map();
  const put = (map, key, value) => (map.get(key) ?? map.set(key, []).get(key)).push(value);
  lines.forEach((all, pane) => all.forEach((line, index) => {
    paneOf.set(line, [pane, index]);
    const { p, s } = line.dataset;
    if (p !== undefined) put(byOffset, p, line);
    else if (s !== undefined) put(bySource, s, line);
    if (p !== undefined && s !== undefined && panes[pane].id === "bytecode") put(offsets, s, p);
  }));

  // Every line that belongs to the same operation, or to an operation of the same line of source.
  const related = (line) => {
    const { p, s } = line.dataset;
    if (p !== undefined) return [...byOffset.get(p), ...(bySource.get(s) ?? [])];
    return s === undefined ? [] : [line, ...(offsets.get(s) ?? []).flatMap((offset) => byOffset.get(offset))];
  };

  let pinned = null, marked = [];
  const mark = (line, style) => {
    for (const old of marked) old.classList.remove("lit", "pinned");
    marked = line ? related(line) : [];
    for (const one of marked) one.classList.add(style);
  };
  const runs = (line) => {
    const figures = (byOffset.get(line.dataset.p) ?? [line]).map((one) => one.querySelector(".f")?.textContent);
    return Number((figures.find(Boolean) ?? "0").replaceAll(",", ""));
  };
  // Scrolls the other columns to what belongs to the line and ran most.
  const show = (line) => {
    const best = new Map();
    for (const one of related(line)) {
      const [pane] = paneOf.get(one);
      if (pane === paneOf.get(line)[0]) continue;
      if (!best.has(pane) || runs(one) > runs(best.get(pane))) best.set(pane, one);
    }
    for (const one of best.values()) one.scrollIntoView({ block: "center", inline: "nearest" });
  };
  const pin = (line) => {
    pinned = line && related(line).length > 0 && line !== pinned ? line : null;
    mark(pinned, "pinned");
    if (pinned) show(pinned);
  };

  // One line of the page is in the order of the tab key; arrows move it.
  let current = null;
  const focus = (line, byKey) => {
    if (!line) return;
    if (current) current.tabIndex = -1;
    current = line;
    line.tabIndex = 0;
    if (byKey) {
      line.focus({ preventScroll: true });
      line.scrollIntoView({ block: "nearest", inline: "nearest" });
      if (!pinned) mark(line, "lit");
    }
  };
  focus(lines.find((all) => all.length > 0)?.[0], false);

  const main = document.querySelector("main");
  main.addEventListener("pointerover", (event) => {
    const line = event.target.closest(".line");
    if (line && !pinned) mark(line, "lit");
  });
  main.addEventListener("pointerleave", () => { if (!pinned) mark(null); });
  main.addEventListener("click", (event) => {
    const line = event.target.closest(".line");
    // Whoever selects text means that.
    if (!line || String(getSelection()).length > 0) return;
    focus(line, false);
    pin(line);
  });
  main.addEventListener("keydown", (event) => {
    if (!current) return;
    const [pane, index] = paneOf.get(current);
    const beside = (step) => {
      const to = lines[pane + step];
      return to && (related(current).find((line) => paneOf.get(line)[0] === pane + step) ?? to[0]);
    };
    const moves = {
      ArrowDown: () => lines[pane][index + 1],
      ArrowUp: () => lines[pane][index - 1],
      PageDown: () => lines[pane][Math.min(index + 20, lines[pane].length - 1)],
      PageUp: () => lines[pane][Math.max(index - 20, 0)],
      Home: () => lines[pane][0],
      End: () => lines[pane][lines[pane].length - 1],
      ArrowRight: () => beside(1),
      ArrowLeft: () => beside(-1),
    };
    if (moves[event.key]) focus(moves[event.key](), true);
    else if (event.key === "Enter" || event.key === " ") pin(current);
    else if (event.key === "Escape") pin(null);
    else return;
    event.preventDefault();
  });
})();
