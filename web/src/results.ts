// The row of results: real buttons, so that everything on the map can be reached without a pointer.

import { element } from "./dom";
import type { Hit, Source } from "./types";

export function hitButton(source: Source, hit: Hit, open: () => void): HTMLButtonElement {
  const { table } = source;
  const name = table.text("name", hit.row);
  const about = [table.text("cell_type", hit.row), table.text("species", hit.row)].filter(Boolean).join(", ");
  const image = element("img", { alt: "", width: "96", height: "96", loading: "lazy" });
  void source.thumb(hit.row).then((url) => (url ? (image.src = url) : image.classList.add("none")));
  image.addEventListener("error", () => image.classList.add("none"));
  const button = element("button", { type: "button", class: "hit", click: open },
    image,
    element("span", { class: "name" }, name.replace(/[_-]/g, "$&\u200b")), // may break there
    element("span", { class: "about" }, about || "\u00a0"),
    element("span", { class: "score" },
      table.text("qc", hit.row) && element("span", { class: "mark", title: table.text("qc", hit.row) }, "⚑ "),
      hit.cosine === null ? "" : hit.cosine.toFixed(2)),
  );
  button.dataset.row = String(hit.row);
  button.title = [name, about, table.text("qc", hit.row)].filter(Boolean).join("\n");
  return button;
}

/** Arrow keys move among the results. */
export function arrowKeys(box: HTMLElement): void {
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const end = { Home: 0, End: -1 }[event.key];
    const buttons = [...box.querySelectorAll("button")];
    const here = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (here < 0 || (step === undefined && end === undefined)) return;
    event.preventDefault();
    buttons.at(end ?? Math.min(Math.max(here + step!, 0), buttons.length - 1))!.focus();
  });
}
