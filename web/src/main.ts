// The page: one neuron, one answer, some filters, and what follows from them.

import { coloring } from "./colors";
import { csv } from "./csv";
import { byId, columnName, element, save, shortNumber } from "./dom";
import { named } from "./fulltext";
import { legend, type Filters } from "./legend";
import { openMap, type MapView } from "./map";
import { Panel } from "./panel";
import { arrowKeys, hitButton } from "./results";
import { openServer } from "./source-server";
import { openStatic } from "./source-static";
import { readLink, writeLink } from "./state";
import type { Hit, Source, Upload } from "./types";

const N_HITS = 24, N_SHOWN = 60;

class Page {
  private readonly filters: Filters = { words: {}, ranges: {} };
  private color: string;
  private answer: { hits: Hit[]; text: string } | null = null;
  private selection: Set<number> | null = null;
  private current: number | null = null;
  private upload: Upload | null = null;
  private query = "";
  private nShown = N_SHOWN;
  private shown: number[] = [];
  private map!: MapView;
  private readonly panel: Panel;
  private readonly rings = { current: element("div", { class: "ring", hidden: true }), upload: element("div", { class: "ring upload", hidden: true }) };

  constructor(private readonly source: Source) {
    this.color = source.meta.colors.find((name) => source.table.words[name]!.words.length > 1) ?? source.meta.colors[0]!;
    this.panel = new Panel(byId("panel"), source, {
      open: (row) => void this.open(row),
      similar: (row) => void this.similar(row),
      close: () => this.close(),
    });
  }

  async start(): Promise<void> {
    const { meta, table } = this.source;
    byId("title").textContent = meta.title;
    document.title = `axonet: ${meta.title}`;
    byId("map").append(this.rings.current, this.rings.upload);
    byId("points").setAttribute("aria-label", `Map of ${table.n} neurons; the results below hold the same neurons as buttons`);
    this.notes();
    this.wire();
    this.restore();
    this.map = await openMap(byId<HTMLCanvasElement>("points"), table, {
      hover: (row) => void this.hover(row),
      open: (row) => void this.open(row),
      select: (rows) => this.select(rows),
      moved: () => this.placeRings(),
    });
    await this.recolor();
    await this.refilter();
    document.body.dataset.ready = "true";
    await this.follow();
  }

  private notes(): void {
    const { meta } = this.source, { method, trustworthiness, random } = meta.map;
    const trust = trustworthiness === null ? "" : ` Neighbors on it are neighbors in the embedding: trustworthiness ${trustworthiness.toFixed(2)} (positions at random: ${random!.toFixed(2)}).`;
    byId("quality").textContent = `Map: ${method}.${trust} Distances between far points mean nothing.`;
    const gone = Object.entries(meta.left_out).map(([why, n]) => `${n.toLocaleString("en")} ${why.replaceAll("_", " ")}`);
    const lines = [gone.length ? `Not on the map: ${gone.join(", ")}.` : "", meta.not_in_page?.length ? `Not in this file: ${meta.not_in_page.join(", ")}; "axonet explore results/" shows everything.` : ""];
    byId("notes").textContent = lines.filter(Boolean).join(" ");
  }

  private wire(): void {
    const { meta } = this.source;
    const select = byId<HTMLSelectElement>("color");
    select.append(...[...meta.colors, ...meta.numbers].map((name) => element("option", { value: name }, columnName(name))));
    select.addEventListener("change", () => {
      this.color = select.value;
      void this.recolor();
      this.link();
    });
    byId("prompts").append(...meta.prompts.slice(0, 200).map((prompt) => element("option", { value: prompt.text })));
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.search(byId<HTMLInputElement>("query").value);
    });
    byId("reset").addEventListener("click", () => void this.map.reset());
    const lasso = byId("lasso");
    lasso.addEventListener("click", () => this.lasso(lasso.getAttribute("aria-pressed") !== "true"));
    byId("csv").addEventListener("click", () => save("neurons.csv", csv(this.source.table, meta, this.listed()), "text/csv"));
    byId("clear").addEventListener("click", () => this.clear());
    byId("theme").addEventListener("click", () => {
      const root = document.documentElement;
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      this.map.restyle();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.map.restyle());
    arrowKeys(byId("results"));
    arrowKeys(byId("panel"));
    document.addEventListener("keydown", (event) => this.key(event));
    addEventListener("hashchange", () => {
      this.restore();
      void this.recolor().then(() => this.refilter()).then(() => this.follow());
    });
    if (this.source.upload) {
      byId("upload").hidden = false;
      const file = byId<HTMLInputElement>("file");
      file.addEventListener("change", () => {
        if (file.files?.[0]) void this.bring(file.files[0]);
        file.value = "";
      });
      document.addEventListener("dragover", (event) => event.preventDefault());
      document.addEventListener("drop", (event) => {
        event.preventDefault();
        if (event.dataTransfer?.files[0]) void this.bring(event.dataTransfer.files[0]);
      });
    }
  }

  private key(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      byId<HTMLInputElement>("query").select();
    } else if (event.key === "Escape") {
      (document.activeElement as HTMLElement | null)?.blur();
      this.clear();
      this.close();
    }
  }

  private restore(): void {
    const { color, filter } = readLink(), { table } = this.source;
    if (color in table.words || color in table.numbers) this.color = color;
    this.filters.words = {};
    this.filters.ranges = {};
    try {
      for (const [name, kept] of Object.entries(JSON.parse(filter || "{}") as Record<string, (string | number | null)[]>)) {
        if (name in table.numbers) this.filters.ranges[name] = [Number(kept[0] ?? -Infinity), Number(kept[1] ?? Infinity)];
        else if (name in table.words) this.filters.words[name] = new Set(kept.map((word) => (word === null ? -1 : table.words[name]!.words.indexOf(String(word)))));
      }
    } catch {
      // a link that somebody shortened: without its filter
    }
    byId<HTMLSelectElement>("color").value = this.color;
  }

  /** Open what the link names. */
  private async follow(): Promise<void> {
    const { neuron, q } = readLink();
    if (q !== this.query) {
      byId<HTMLInputElement>("query").value = q;
      if (q) await this.search(q);
    }
    const row = neuron ? this.source.table.rowOf(neuron) : -1;
    if (row >= 0 && row !== this.current) await this.open(row, true);
    else if (neuron && row < 0) byId("status").textContent = `No neuron ${neuron} here.`;
  }

  private link(): void {
    const { table } = this.source, kept: Record<string, (string | number | null)[]> = {};
    for (const [name, codes] of Object.entries(this.filters.words)) kept[name] = [...codes].map((code) => (code < 0 ? null : table.words[name]!.words[code]!));
    for (const [name, ends] of Object.entries(this.filters.ranges)) kept[name] = ends.map((end) => (Number.isFinite(end) ? end : null));
    writeLink({
      neuron: this.current === null ? "" : table.text("neuron_id", this.current),
      color: this.color,
      q: this.query,
      filter: Object.keys(kept).length ? JSON.stringify(kept) : "",
    });
  }

  private async recolor(): Promise<void> {
    const colors = coloring(this.source.table, this.color);
    legend(byId("legend"), this.color, colors, this.filters, () => void this.recolorLegend());
    await this.map.color(colors.index);
    document.body.dataset.color = this.color;
  }

  private async recolorLegend(): Promise<void> {
    legend(byId("legend"), this.color, coloring(this.source.table, this.color), this.filters, () => void this.recolorLegend());
    this.nShown = N_SHOWN;
    await this.refilter();
    this.link();
  }

  private passes(row: number): boolean {
    const { table } = this.source;
    if (this.selection && !this.selection.has(row)) return false;
    for (const name in this.filters.words) if (!this.filters.words[name]!.has(table.words[name]!.codes[row]!)) return false;
    for (const name in this.filters.ranges) {
      const [low, high] = this.filters.ranges[name]!, value = table.numbers[name]![row]!;
      if (!(value >= low && value <= high)) return false;
    }
    return true;
  }

  private async refilter(): Promise<void> {
    const { n } = this.source.table;
    const free = !this.selection && !Object.keys(this.filters.words).length && !Object.keys(this.filters.ranges).length;
    this.shown = [];
    for (let row = 0; row < n; row++) if (free || this.passes(row)) this.shown.push(row);
    await this.map.filter(free ? null : this.shown);
    this.list();
    document.body.dataset.shown = String(this.shown.length);
  }

  /** What the results hold: the answer without what is filtered away, or the first neurons that are shown. */
  private listed(): Hit[] {
    if (this.answer) return this.answer.hits.filter(({ row }) => this.passes(row));
    return this.shown.map((row) => ({ row, cosine: null }));
  }

  private list(): void {
    const hits = this.listed(), { n } = this.source.table;
    const of = this.shown.length === n ? `${n.toLocaleString("en")} neurons` : `${this.shown.length.toLocaleString("en")} of ${n.toLocaleString("en")} neurons`;
    const hidden = this.answer ? this.answer.hits.length - hits.length : 0;
    byId("status").textContent = this.answer ? this.answer.text + (hidden ? `; ${hidden} hidden by the filter` : "") : of + (this.selection ? " selected" : "");
    const buttons: HTMLElement[] = hits.slice(0, this.nShown).map((hit) => {
      const button = hitButton(this.source, hit, () => void this.open(hit.row, true));
      if (hit.row === this.current) button.setAttribute("aria-current", "true");
      return button;
    });
    if (hits.length > this.nShown) {
      const more = () => {
        this.nShown += N_SHOWN;
        this.list();
      };
      buttons.push(element("button", { type: "button", class: "more", click: more }, "More"));
    }
    byId("results").replaceChildren(...buttons);
    byId("clear").hidden = !this.answer && !this.selection;
    this.map.mark(this.answer ? hits.map(({ row }) => row) : []);
  }

  private async found(work: Promise<{ hits: Hit[]; text: string }>, doing: string): Promise<void> {
    byId("status").textContent = doing;
    document.body.classList.add("busy");
    try {
      this.answer = await work;
      this.nShown = N_SHOWN;
      this.list();
      byId("results").scrollLeft = 0;
      document.body.dataset.results = String(this.answer.hits.length);
    } catch (error) {
      byId("status").textContent = (error as Error).message;
      document.body.dataset.results = "error";
    } finally {
      document.body.classList.remove("busy");
    }
  }

  private async search(text: string): Promise<void> {
    this.query = text.trim();
    this.forgetUpload();
    delete document.body.dataset.results;
    if (!this.query) {
      this.clear();
      return;
    }
    const asked = this.query, called = named(this.source.table, asked);
    const work = called.length ? Promise.resolve({ hits: called, text: `${called.length} called “${asked}”` }) : this.source.search(asked, N_HITS).then(({ hits, how }) => ({ hits, text: `${hits.length} best for “${asked}”, ${how}` }));
    await this.found(work, "Searching…");
    this.link();
  }

  private async similar(row: number): Promise<void> {
    const name = this.source.table.text("name", row);
    delete document.body.dataset.results;
    await this.found(this.source.similar(row, N_HITS).then((hits) => ({ hits, text: `${hits.length} most like ${name}` })), "Searching…");
  }

  private async bring(file: File): Promise<void> {
    delete document.body.dataset.results;
    const work = this.source.upload!(file, N_HITS).then((found) => {
      this.current = null;
      this.upload = found;
      this.panel.showUpload(found);
      this.placeRings();
      return { hits: found.hits, text: `${found.hits.length} most like ${found.name}` };
    });
    await this.found(work, `Reading and drawing ${file.name}…`);
  }

  private async open(row: number, goThere = false): Promise<void> {
    this.forgetUpload();
    this.current = row;
    byId("tip").hidden = true;
    for (const button of byId("results").querySelectorAll<HTMLElement>("[data-row]")) {
      if (button.dataset.row === String(row)) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    this.placeRings();
    this.link();
    delete document.body.dataset.panel;
    const shown = this.panel.show(row);
    if (goThere && matchMedia("(max-width: 900px)").matches) byId("panel").scrollIntoView({ block: "start" });
    await shown;
  }

  private select(rows: number[]): void {
    this.selection = new Set(rows);
    this.answer = null;
    this.lasso(false);
    void this.refilter();
  }

  private lasso(on: boolean): void {
    byId("lasso").setAttribute("aria-pressed", String(on));
    this.map.lasso(on);
  }

  private clear(): void {
    this.answer = null;
    this.selection = null;
    this.query = "";
    this.nShown = N_SHOWN;
    byId<HTMLInputElement>("query").value = "";
    this.forgetUpload();
    delete document.body.dataset.results;
    this.lasso(false);
    void this.refilter();
    this.link();
  }

  private close(): void {
    this.current = null;
    this.panel.empty();
    this.placeRings();
    this.link();
  }

  private forgetUpload(): void {
    if (this.upload) this.panel.empty();
    this.upload = null;
    this.placeRings();
  }

  private placeRings(): void {
    if (!this.map) return;
    const { current, upload } = this.rings;
    put(current, this.current === null ? null : this.map.screen(this.current));
    put(upload, this.upload && this.onMap(this.upload.xy));
  }

  /** Pixels of a position on the map, from two points that are drawn. */
  private onMap([x, y]: [number, number]): [number, number] | null {
    const { table } = this.source;
    const ends = (values: Float32Array) => values.reduce<[number, number]>(([low, high], value, row) => [value < values[low]! ? row : low, value > values[high]! ? row : high], [0, 0]);
    const along = (values: Float32Array, axis: 0 | 1, at: number) => {
      const [low, high] = ends(values), span = values[high]! - values[low]! || 1;
      const start = this.map.screen(low)?.[axis], end = this.map.screen(high)?.[axis];
      return start === undefined || end === undefined ? NaN : start + ((at - values[low]!) / span) * (end - start);
    };
    const place: [number, number] = [along(table.x, 0, x), along(table.y, 1, y)];
    return place.every(Number.isFinite) ? place : null;
  }

  private async hover(row: number | null): Promise<void> {
    const tip = byId("tip"), { table } = this.source;
    if (row === null || this.map.slow) {
      tip.hidden = true;
      return;
    }
    const [x, y] = this.map.screen(row) ?? [0, 0];
    const own = ["cell_type", "species"];
    const value = this.color in table.numbers ? shortNumber(table.numbers[this.color]![row]!) : table.text(this.color, row) || "not said";
    const image = element("img", { alt: "" });
    tip.replaceChildren(image, element("div", {}, element("b", {}, table.text("name", row)),
      element("span", {}, own.map((name) => table.text(name, row)).filter(Boolean).join(", ") || "type and species not said"),
      ![...own, "qc"].includes(this.color) && element("span", {}, `${columnName(this.color)}: ${value}`),
      table.text("qc", row) && element("span", { class: "mark" }, `⚑ ${table.text("qc", row).replaceAll("_", " ")}`)));
    tip.hidden = false;
    const box = byId("map");
    tip.style.left = `${Math.min(x + 16, box.clientWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.max(8, Math.min(y - 40, box.clientHeight - tip.offsetHeight - 8))}px`;
    const url = await this.source.thumb(row);
    if (url) image.src = url;
    else image.remove();
  }
}

function put(ring: HTMLElement, place: [number, number] | null): void {
  ring.hidden = place === null;
  if (place) [ring.style.left, ring.style.top] = [`${place[0]}px`, `${place[1]}px`];
}

declare global {
  interface Window { axonet?: { page: Page; screen: (row: number) => [number, number] | null } }
}

async function main(): Promise<void> {
  try {
    const source = document.getElementById("data-meta") ? await openStatic() : await openServer();
    const page = new Page(source);
    window.axonet = { page, screen: (row) => page["map"].screen(row) };
    await page.start();
  } catch (error) {
    byId("status").textContent = `The page could not be opened: ${(error as Error).message}`;
    document.body.dataset.ready = "error";
    throw error;
  }
}

void main();
