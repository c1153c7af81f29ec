// Words in the metadata: for what no vector can answer.

import MiniSearch from "minisearch";
import type { Hit, Table } from "./types";

const MOST_INDEXED = 20_000;
const FIELDS = ["name", "caption", "cell_type", "species", "region", "layer", "archive"];

/** Finds neurons whose texts hold the words; above 20,000 neurons only names and the words of the columns. */
export function fullText(table: Table): (text: string, k: number) => Hit[] {
  if (table.n > MOST_INDEXED) return (text, k) => scan(table, text, k);
  let index: MiniSearch | null = null;
  return (text, k) => {
    if (!index) {
      index = new MiniSearch({ fields: FIELDS, idField: "row" });
      const rows = Array.from({ length: table.n }, (_, row) => ({
        row,
        ...Object.fromEntries(FIELDS.map((name) => [name, table.text(name, row)])),
      }));
      index.addAll(rows);
    }
    const found = index.search(text, { prefix: true, fuzzy: 0.15, combineWith: "AND" });
    return found.slice(0, k).map((hit) => ({ row: hit.id as number, cosine: null }));
  };
}

/** Rows of neurons that are called so, by name or id. */
export function named(table: Table, text: string): Hit[] {
  const rows = new Set([...table.rowsWith("name", text, "whole"), ...table.rowsWith("neuron_id", text, "whole")]);
  return [...rows].sort((a, b) => a - b).map((row) => ({ row, cosine: null }));
}

function scan(table: Table, text: string, k: number): Hit[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const columns = Object.values(table.words);
  // Per word and column: which codes hold it.
  const holds = wanted.map((word) => columns.map((column) => column.words.map((own) => own.toLowerCase().includes(word))));
  const called = wanted.map((word) => new Set(table.rowsWith("name", word, "part")));
  const found: Hit[] = [];
  for (let row = 0; row < table.n && found.length < k; row++) {
    const all = wanted.every((_, number) => {
      const said = columns.some((column, place) => column.codes[row]! >= 0 && holds[number]![place]![column.codes[row]!]);
      return said || called[number]!.has(row);
    });
    if (all) found.push({ row, cosine: null });
  }
  return found;
}
