// Colors of points: at most 12 words and "other", or a ramp over numbers.

import type { Table } from "./types";

/** Hues that people with any color vision can tell apart, as far as twelve can be; they hold on light and dark. */
export const HUES = [
  "#0077bb", "#ee7733", "#009988", "#cc3311", "#33bbee", "#ee3377",
  "#aa9900", "#7755cc", "#66aa44", "#995522", "#cc79a7", "#5d7f99",
];
export const OTHER = "#8a8a8a";
export const UNKNOWN = "#b4b4b4";

/** Perceptual ramp (viridis in nine steps, its dark end lifted for dark pages). */
export const RAMP = ["#46327e", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#e5e419", "#fde725"];

/** Everything that a point may be colored with: one palette for all columns, so that another column only moves indices. */
export const PALETTE = [...HUES, OTHER, UNKNOWN, ...RAMP];
const AT_OTHER = HUES.length, AT_UNKNOWN = AT_OTHER + 1, AT_RAMP = AT_UNKNOWN + 1;

export interface Coloring {
  /** Index into the palette, per row. */
  index: Int32Array;
  /** Entries of the legend; a number column has two ends instead. */
  entries: { label: string; color: string; count: number; codes: number[] }[];
  range: [number, number] | null;
}

export function coloring(table: Table, column: string): Coloring {
  return column in table.words ? byWords(table, column) : byNumbers(table, column);
}

function byWords(table: Table, column: string): Coloring {
  const { codes, words, counts } = table.words[column]!;
  const named = words.length <= HUES.length ? words.length : HUES.length - 1;
  const index = new Int32Array(table.n);
  let unknown = 0;
  for (let row = 0; row < table.n; row++) {
    const code = codes[row]!;
    if (code < 0) unknown++;
    index[row] = code < 0 ? AT_UNKNOWN : code < named ? code : AT_OTHER;
  }
  const entries = words.slice(0, named).map((label, code) => ({ label, color: HUES[code]!, count: counts[code]!, codes: [code] }));
  if (named < words.length) {
    const rest = words.map((_, code) => code).slice(named);
    const count = rest.reduce((sum, code) => sum + counts[code]!, 0);
    entries.push({ label: `other (${rest.length} words)`, color: OTHER, count, codes: rest });
  }
  if (unknown) entries.push({ label: column === "qc" ? "no remark" : "not said", color: UNKNOWN, count: unknown, codes: [-1] });
  return { index, entries, range: null };
}

/** Numbers are spread by rank between the 2nd and the 98th percentile, on a logarithmic scale where they are positive. */
function byNumbers(table: Table, column: string): Coloring {
  const values = table.numbers[column]!;
  const known = Float32Array.from(values.filter((value) => Number.isFinite(value))).sort();
  const at = (share: number) => known[Math.min(known.length - 1, Math.floor(share * known.length))] ?? 0;
  const low = at(0.02), high = at(0.98);
  const scale = low > 0 ? Math.log : (value: number) => value;
  const span = scale(high) - scale(low) || 1;
  const index = new Int32Array(table.n);
  for (let row = 0; row < table.n; row++) {
    const part = (scale(values[row]!) - scale(low)) / span;
    index[row] = Number.isFinite(values[row]!) ? AT_RAMP + Math.round(Math.min(Math.max(part, 0), 1) * (RAMP.length - 1)) : AT_UNKNOWN;
  }
  return { index, entries: [], range: [low, high] };
}
