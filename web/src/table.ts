// The table of neurons, out of an Arrow file whose numbers are used in place.

import { tableFromIPC, type Vector } from "apache-arrow";
import type { Meta, Table, Words } from "./types";

export function readTable(bytes: Uint8Array, meta: Meta): Table {
  const arrow = tableFromIPC(bytes);
  const column = (name: string): Vector => {
    const found = arrow.getChild(name);
    if (!found) throw new Error(`the table has no column ${name}`);
    return found;
  };
  const floats = (name: string) => column(name).data[0]!.values as Float32Array;
  const words: Record<string, Words> = {};
  for (const name of meta.colors) words[name] = readWords(column(name), arrow.numRows);
  let rows: Map<string, number> | null = null;
  return {
    n: arrow.numRows,
    x: floats("x"),
    y: floats("y"),
    words,
    numbers: Object.fromEntries(meta.numbers.map((name) => [name, floats(name)])),
    text: (name, row) => {
      const value: unknown = column(name).get(row);
      return value === null || value === undefined ? "" : String(value);
    },
    rowOf: (id) => {
      rows ??= new Map(Array.from(column("neuron_id"), (value, row) => [String(value), row]));
      return rows.get(id) ?? -1;
    },
  };
}

function readWords(vector: Vector, n: number): Words {
  const data = vector.data[0]!;
  const raw = data.values as Int32Array;
  const dictionary: string[] = data.dictionary ? Array.from(data.dictionary, String) : [];
  const codes = new Int32Array(n);
  const counts = new Array<number>(dictionary.length).fill(0);
  for (let row = 0; row < n; row++) {
    const known = data.nullCount === 0 || data.getValid(row);
    codes[row] = known ? raw[row]! : -1;
    if (known) counts[raw[row]!]!++;
  }
  const order = dictionary.map((_, code) => code).sort((a, b) => counts[b]! - counts[a]! || (dictionary[a]! < dictionary[b]! ? -1 : 1));
  const rank = new Int32Array(dictionary.length);
  order.forEach((code, place) => (rank[code] = place));
  for (let row = 0; row < n; row++) if (codes[row]! >= 0) codes[row] = rank[codes[row]!]!;
  const used = order.filter((code) => counts[code]! > 0);
  return { codes, words: used.map((code) => dictionary[code]!), counts: used.map((code) => counts[code]!) };
}
