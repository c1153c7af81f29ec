// Everything about one neuron.

import { columnName, element, shortNumber } from "./dom";
import { hitButton } from "./results";
import { COMPARTMENTS, lengthText, readSkeleton, SkeletonView } from "./skeleton";
import type { Hit, Source, Upload } from "./types";

const N_NEIGHBORS = 8;
const DETAILS = ["cell_type", "species", "region", "layer", "archive", "split"];

export interface PanelEvents { open(row: number): void; similar(row: number): void; close(): void }

export class Panel {
  private readonly view3d = new SkeletonView();
  private turn = 0; // the newest call: what arrives late for an older one is dropped

  constructor(private readonly root: HTMLElement, private readonly source: Source, private readonly events: PanelEvents) {
    this.empty();
  }

  empty(): void {
    this.turn++;
    delete document.body.dataset.panel;
    this.root.replaceChildren(
      element("p", { class: "quiet hint" }, "Click a point of the map or a result to see the neuron: views, 3D, metadata, neighbors."),
    );
  }

  async show(row: number): Promise<void> {
    const turn = ++this.turn, { table, meta, swc } = this.source;
    const flags = table.text("qc", row);
    const facts = DETAILS.filter((name) => table.text(name, row)).map((name) => [columnName(name), table.text(name, row)] as const);
    const numbers = meta.numbers.map((name) => [columnName(name), shortNumber(table.numbers[name]![row]!)] as const);
    const name = table.text("name", row);
    const views = element("div", { class: "views" }), neighbors = element("div", { class: "hits" });
    this.root.replaceChildren(
      this.head(name, table.text("neuron_id", row)),
      flagsOf(flags ? flags.split(", ") : []),
      element("p", { class: "caption" }, table.text("caption", row)),
      element("div", { class: "actions" },
        element("button", { type: "button", click: () => this.events.similar(row) }, "Show similar"),
        copyButton(),
        swc && element("a", { class: "button", href: swc(row), download: "" }, "SWC"),
      ),
      this.view3d.root,
      element("p", { class: "quiet parts" }),
      views,
      list([...facts, ...numbers]),
      terms(table.text("licence", row), table.text("reference", row)),
      element("h3", {}, "Nearest neighbors"),
      neighbors,
    );
    this.root.scrollTop = 0;
    let missing = "this page carries none";
    const [skeleton, pictures, hits] = await Promise.all([
      this.source.skeleton(row).catch((error: Error) => {
        missing = error.message;
        return null;
      }),
      this.source.views(row).catch(() => []),
      this.source.similar(row, N_NEIGHBORS).catch(() => [] as Hit[]),
    ]);
    if (turn !== this.turn) return;
    this.draw(skeleton, missing);
    this.pictures(views, pictures, name);
    neighbors.replaceChildren(...hits.map((hit) => hitButton(this.source, hit, () => this.events.open(hit.row))));
    if (!hits.length) neighbors.replaceChildren(element("p", { class: "quiet" }, "This page carries no vectors to find them by."));
    document.body.dataset.panel = table.text("neuron_id", row);
  }

  showUpload(found: Upload): void {
    this.turn++;
    const views = element("div", { class: "views" });
    const names = ["cable_length", "n_branch_points", "n_tips", "n_stems", "width", "height", "depth", "soma_radius"];
    const numbers = names.filter((name) => name in found.measures);
    this.root.replaceChildren(
      this.head(found.name, "your SWC; it is kept nowhere"),
      flagsOf(found.warnings),
      element("div", { class: "actions" }),
      this.view3d.root,
      element("p", { class: "quiet parts" }),
      views,
      list(numbers.map((name) => [columnName(name), shortNumber(found.measures[name]!)] as const)),
      element("p", { class: "quiet" }, "The ring shows where it would lie on the map. The results below are its nearest neighbors."),
    );
    this.draw(found.skeleton, "");
    this.pictures(views, found.views, found.name);
    document.body.dataset.panel = `upload:${found.name}`;
  }

  private head(name: string, id: string): HTMLElement {
    const close = element("button", { type: "button", class: "close", "aria-label": "Close", click: () => this.events.close() }, "×");
    return element("div", { class: "head" }, element("div", {}, element("h2", {}, name), element("p", { class: "quiet id" }, id)), close);
  }

  private draw(buffer: ArrayBuffer | null, missing: string): void {
    const note = this.root.querySelector(".parts")!;
    if (!buffer) {
      this.view3d.root.remove();
      note.textContent = `No 3D skeleton: ${missing}`;
      return;
    }
    const skeleton = readSkeleton(buffer);
    this.view3d.show(skeleton);
    const present = [...new Set(skeleton.compartment)].sort();
    note.replaceChildren(
      ...present.map((code) => {
        const [name, color] = COMPARTMENTS[code]!;
        const dot = element("i", { class: "dot" });
        dot.style.background = color;
        return element("span", { class: "part" }, dot, name);
      }),
      element("span", {}, `simplified to ${lengthText(Number(skeleton.tolerance.toPrecision(2)))}`),
    );
  }

  private pictures(box: HTMLElement, urls: string[], name: string): void {
    box.replaceChildren(
      ...urls.map((src, k) => {
        const image = element("img", { src, alt: `${name}, view ${k + 1}`, width: "224", height: "224" });
        image.addEventListener("error", () => image.remove());
        return image;
      }),
    );
  }
}

function flagsOf(flags: readonly string[]): HTMLElement {
  const words = flags.map((flag) => element("span", { class: "flag" }, flag.replaceAll("_", " ")));
  return element("p", { class: "flags" }, ...(words.length ? words : [element("span", { class: "quiet" }, "no quality flags")]));
}

function list(pairs: readonly (readonly [string, string])[]): HTMLElement {
  return element("dl", {}, ...pairs.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
}

function terms(licence: string, reference: string): HTMLElement {
  const doi = /^(?:doi:\s*|https?:\/\/(?:dx\.)?doi\.org\/)?(10\.\d{4,9}\/\S+)$/i.exec(reference)?.[1];
  const cited = doi ? element("a", { href: `https://doi.org/${encodeURI(doi)}`, rel: "noreferrer", target: "_blank" }, doi) : reference;
  return element("p", { class: "terms" },
    element("b", {}, "Licence "), licence || "not said", element("br"),
    element("b", {}, "Cite "), cited || "no reference in the metadata; see its archive");
}

function copyButton(): HTMLElement {
  const button = element("button", { type: "button" }, "Copy link");
  button.addEventListener("click", () => {
    // Data pages and sandboxed frames have no clipboard.
    Promise.resolve()
      .then(() => navigator.clipboard.writeText(location.href))
      .then(() => (button.textContent = "Copied"), () => (button.textContent = "No clipboard here"));
    setTimeout(() => (button.textContent = "Copy link"), 1500);
  });
  return button;
}
