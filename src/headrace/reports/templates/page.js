"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const data = (root, selector) => JSON.parse(root.querySelector(selector).textContent);

  // In a cell of a notebook: light or dark as the text around says, and as high as the page, within bounds.
  const frame = window.frameElement?.classList.contains("headrace-report") ? window.frameElement : null;
  const MAX_FRAME_PIXELS = 720;
  const takeColors = () => {
    const [red, green, blue] = getComputedStyle(frame.parentElement).color.match(/[\d.]+/g).map(Number);
    const theme = 0.3 * red + 0.6 * green + 0.1 * blue > 127 ? "dark" : "light";
    if (document.documentElement.dataset.theme === theme) return;
    document.documentElement.dataset.theme = theme;
    redraw();
  };
  const follow = () => {
    takeColors();
    const outer = frame.ownerDocument;
    // The attribute that names a theme may change before its colours do.
    const changes = new MutationObserver(() => { takeColors(); setTimeout(takeColors, 500); });
    for (const part of [outer.documentElement, outer.body]) changes.observe(part, { attributes: true });
    let height = 0;
    new ResizeObserver(() => {
      const wanted = Math.min(document.body.scrollHeight + 2, MAX_FRAME_PIXELS);
      if (wanted > height) { height = wanted; frame.style.height = `${wanted}px`; }
    }).observe(document.body);
  };

  // Charts are drawn when they come into view: a page of hundreds opens at once.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Map();
  const redraw = () => [...drawn.keys()].forEach(draw);
  const tip = document.createElement("div");
  tip.className = "tip"; tip.hidden = true; document.body.append(tip);
  const show = (handler, event, item, value) => {
    if (value === null || value === undefined || value === "") { tip.hidden = true; return; }
    const lines = typeof value === "object" ? Object.entries(value).filter(([, v]) => v !== "null" && v !== "undefined").map(([k, v]) => `${k}: ${v}`) : [String(value)];
    tip.textContent = lines.join("\n"); tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 12, innerWidth - box.width - 8))}px`;
    tip.style.top = `${event.clientY + 14 + box.height > innerHeight ? event.clientY - box.height - 8 : event.clientY + 14}px`;
  };
  const config = () => {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const ink = color("--ink"), dim = color("--dim"), line = color("--line");
    return {
      background: null, font: "system-ui, sans-serif",
      view: { stroke: null },
      axis: { labelColor: dim, titleColor: dim, gridColor: line, domainColor: line, tickColor: line, titleFontWeight: 500, titlePadding: 8, labelFontSize: 11 },
      legend: { labelColor: ink, titleColor: dim, labelLimit: 320, symbolStrokeWidth: 3 },
      text: { color: ink }, rule: { color: dim }, line: { color: color("--c0") }, point: { color: color("--c0") },
      circle: { color: color("--c0") }, bar: { color: color("--c0") },
      range: { category: ["--c0", "--c1", "--c2", "--c3", "--bad", "--warning", "--dim", "--link"].map(color) },
    };
  };
  const draw = (box) => {
    if (!window.vegaEmbed || !box.clientWidth) return;
    drawn.get(box)?.finalize?.();
    drawn.set(box, {});
    const style = getComputedStyle(document.documentElement);
    const resolve = (key, value) => typeof value === "string" && value.startsWith("var(--") ? style.getPropertyValue(value.slice(4, -1)).trim() : value;
    const spec = JSON.parse(JSON.stringify(data(box.parentElement, "script"), resolve));
    Object.assign(spec, { description: box.dataset.label ??= box.getAttribute("aria-label"), width: box.clientWidth - 8, autosize: { type: "fit-x", contains: "padding" }, padding: 4 });
    // `ast`: expressions are interpreted, for the page's own policy forbids to make code of text.
    const options = { mode: "vega-lite", renderer: "svg", actions: false, defaultStyle: false, tooltip: show, hover: true, ast: true, config: config() };
    vegaEmbed(box, spec, options).then((result) => drawn.set(box, result)).catch((error) => { box.textContent = `This chart cannot be drawn: ${error.message}`; });
  };
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
  }, { rootMargin: "300px" });
  if (frame) follow();
  // What is in view at once is drawn without waiting for the observer, which needs a frame on the screen.
  all(".vega").forEach((box) => box.clientWidth && box.getBoundingClientRect().top < innerHeight + 300 ? draw(box) : seen.observe(box));
  dark.addEventListener("change", redraw);
  let timer, width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; clearTimeout(timer); timer = setTimeout(redraw, 150); } });
  addEventListener("beforeprint", () => all(".vega").forEach((box) => { if (!drawn.has(box)) draw(box); }));

  // Tables sort by a click on a heading; numbers as numbers.
  const key = (row, at) => {
    const text = row.cells[at].textContent.trim();
    const number = parseFloat(text.replace(/,/g, "").replace("−", "-").replace(/^[<>]/, ""));
    return row.cells[at].classList.contains("n") || /^[−-]?[\d.,]+( %)?$/.test(text) ? number : text;
  };
  const compare = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
  for (const table of all("table[data-sortable]")) {
    [...table.tHead.rows[0].cells].forEach((heading, at) => {
      const button = document.createElement("button");
      button.type = "button"; button.append(...heading.childNodes); heading.append(button);
      button.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        [...table.tHead.rows[0].cells].forEach((other) => other.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].sort((a, b) => compare(key(a, at), key(b, at)) * (down ? -1 : 1));
        table.tBodies[0].append(...rows);
      });
    });
  }

  // A table as data: caption, headings, rows of text or [text, share of a bar], footnote.
  const add = (parent, tag, text, cls) => { const made = document.createElement(tag); if (text) made.textContent = text; if (cls) made.className = cls; parent.append(made); return made; };
  const table = ([caption, columns, rows, footnote]) => {
    const figure = document.createElement("figure");
    figure.className = "table";
    if (caption) add(figure, "figcaption", caption);
    const scroll = add(figure, "div", "", "scroll");
    scroll.tabIndex = 0; scroll.setAttribute("role", "region"); scroll.setAttribute("aria-label", caption || "Values");
    const whole = add(scroll, "table"), head = add(add(whole, "thead"), "tr"), body = add(whole, "tbody");
    columns.forEach((name, at) => { add(head, "th", name, at ? "n" : "").scope = "col"; });
    for (const row of rows) {
      const line = add(body, "tr");
      row.forEach((value, at) => {
        const [text, share] = Array.isArray(value) ? value : [value, 0];
        const cell = add(line, at ? "td" : "th", "", at ? "n" : "");
        if (!at) cell.scope = "row";
        if (share) add(cell, "span", "", "bar").style.setProperty("--share", `${100 * share}%`);
        cell.append(text);
      });
    }
    if (footnote) add(figure, "p", footnote, "footnote");
    return figure;
  };

  // Feature lists: search, order, and bodies that are put in when they are opened.
  for (const box of all(".features")) {
    const list = box.querySelector(".list"), items = [...list.children];
    const keys = new Map(items.map((item, at) => [item, [...item.dataset.keys.trim().split(" ").map(Number), at]]));
    const search = box.querySelector("input"), order = box.querySelector("select"), count = box.querySelector(".count");
    const filter = () => {
      const wanted = search.value.toLowerCase();
      let shown = 0;
      for (const item of items) { item.hidden = !item.dataset.name.toLowerCase().includes(wanted); shown += !item.hidden; }
      count.textContent = `${shown.toLocaleString("en")} of ${items.length.toLocaleString("en")}`;
    };
    search.addEventListener("input", filter);
    order.addEventListener("change", () => {
      const at = Number(order.value), name = (item) => item.dataset.name;
      const sorted = [...items].sort((a, b) => at === 1 ? name(a).localeCompare(name(b), undefined, { numeric: true }) : keys.get(b)[at] - keys.get(a)[at]);
      list.append(...sorted);
    });
    filter();
    const store = box.querySelector(":scope > script.bodies");
    if (store) {
      let bodies;
      items.forEach((item, at) => item.addEventListener("toggle", () => {
        if (!item.open || item.querySelector(".body")) return;
        bodies ??= JSON.parse(store.textContent);
        const body = document.createElement("div");
        body.className = "body";
        const drawing = document.createElement("figure");
        drawing.className = "picture"; drawing.append(item.querySelector("svg").cloneNode(true));
        body.append(drawing, ...bodies[at].map(table)); item.append(body);
      }));
    }
  }

  // A graph wider than its place starts where the reader's own artifact is.
  for (const box of all(".graph .here")) {
    const scroll = box.closest(".scroll"), place = box.getBoundingClientRect(), room = scroll.getBoundingClientRect();
    if (place.right > room.right) scroll.scrollLeft += place.right - room.right + 40;
  }

  // Sliders.
  for (const box of all(".slider")) {
    const rows = data(box, "script"), input = box.querySelector("input");
    const update = () => all("dd", box).forEach((cell) => {
      const value = rows[input.value][cell.dataset.at];
      cell.textContent = value === null ? "–" : Number.isInteger(value) ? value.toLocaleString("en") : value.toPrecision(4);
    });
    input.addEventListener("input", update);
  }

  // A link into a folded section opens it.
  const open = (hash) => {
    const target = hash && document.getElementById(decodeURIComponent(hash.slice(1)));
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.querySelector(":scope > details.folded")?.setAttribute("open", "");
    target.scrollIntoView();
  };
  addEventListener("hashchange", () => open(location.hash));
  open(location.hash);
  // Within a frame a link's address starts with that of the notebook: it would load the notebook into the frame.
  if (frame) addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link) { event.preventDefault(); open(link.getAttribute("href")); }
  });
})();
