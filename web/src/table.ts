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
    rowOf: (id) => rowsWith(column("neuron_id"), id, "whole").find((row) => String(column("neuron_id").get(row)) === id) ?? -1,
    rowsWith: (name, text, how) => rowsWith(column(name), text, how),
  };
}

/** Rows whose text is, or holds, a text; ASCII letters of any case. Bytes are compared where they lie: nothing is decoded. */
function rowsWith(vector: Vector, text: string, how: "whole" | "part"): number[] {
  const { values, valueOffsets: offsets } = vector.data[0]! as unknown as { values: Uint8Array; valueOffsets: Int32Array };
  const wanted = new TextEncoder().encode(text).map(folded);
  const found: number[] = [];
  for (let row = 0; row < vector.length && wanted.length; row++) {
    const start = offsets[row]!, last = offsets[row + 1]! - wanted.length;
    if (how === "whole" ? last !== start : last < start) continue;
    for (let at = start; at <= last; at++) {
      let k = 0;
      while (k < wanted.length && folded(values[at + k]!) === wanted[k]) k++;
      if (k === wanted.length) {
        found.push(row);
        break;
      }
    }
  }
  return found;
}

const folded = (byte: number) => (byte >= 65 && byte <= 90 ? byte + 32 : byte);

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
