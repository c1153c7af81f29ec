// The legend is the filter: its entries are switched on and off; numbers have two ends.

import { RAMP, type Coloring } from "./colors";
import { columnName, element, shortNumber } from "./dom";

export interface Filters {
  /** Codes that are let through, by column. */
  words: Record<string, Set<number>>;
  /** Lowest and highest value that are let through, by column. */
  ranges: Record<string, [number, number]>;
}

export function legend(root: HTMLElement, column: string, colors: Coloring, filters: Filters, changed: () => void): void {
  const title = element("h2", {}, columnName(column));
  if (colors.range) root.replaceChildren(title, ...ramp(column, colors, filters, changed));
  else root.replaceChildren(title, ...entries(column, colors, filters, changed));
  const others = Object.keys({ ...filters.words, ...filters.ranges }).filter((name) => name !== column);
  for (const name of others) {
    const off = () => {
      delete filters.words[name];
      delete filters.ranges[name];
      changed();
    };
    root.append(element("button", { type: "button", class: "chip", title: "Take this filter away", click: off }, `${columnName(name)} ×`));
  }
}

function entries(column: string, colors: Coloring, filters: Filters, changed: () => void): HTMLElement[] {
  const every = colors.entries.flatMap((entry) => entry.codes);
  return colors.entries.map(({ label, color, count, codes }) => {
    const allowed = filters.words[column];
    const on = !allowed || codes.some((code) => allowed.has(code));
    const dot = element("i", { class: "dot" });
    dot.style.background = color;
    const toggle = () => {
      const now = filters.words[column];
      // The first click keeps this one alone; further ones add and take away.
      const next = now ? new Set(now) : new Set<number>();
      for (const code of codes) if (now && on) next.delete(code); else next.add(code);
      if (!next.size || every.every((code) => next.has(code))) delete filters.words[column];
      else filters.words[column] = next;
      changed();
    };
    return element("button", { type: "button", class: "entry", "aria-pressed": String(on), click: toggle },
      dot, element("span", {}, label), element("small", {}, count.toLocaleString("en")));
  });
}

function ramp(column: string, colors: Coloring, filters: Filters, changed: () => void): HTMLElement[] {
  const [low, high] = colors.range!;
  const bar = element("div", { class: "ramp" });
  bar.style.background = `linear-gradient(to right, ${RAMP.join(", ")})`;
  const ends = element("div", { class: "ends" }, element("span", {}, `≤ ${shortNumber(low)}`), element("span", {}, `≥ ${shortNumber(high)}`));
  const input = (place: 0 | 1, label: string) => {
    const value = filters.ranges[column]?.[place];
    const made = element("input", { type: "number", "aria-label": label, placeholder: label, step: "any" });
    made.value = value !== undefined && Number.isFinite(value) ? String(value) : "";
    made.addEventListener("change", () => {
      const range = filters.ranges[column] ?? [-Infinity, Infinity];
      range[place] = made.value === "" ? (place ? Infinity : -Infinity) : Number(made.value);
      if (range.every((end) => !Number.isFinite(end))) delete filters.ranges[column];
      else filters.ranges[column] = range;
      changed();
    });
    return made;
  };
  return [bar, ends, element("div", { class: "range" }, input(0, "from"), input(1, "to"))];
}
