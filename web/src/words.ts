// Any words without the text encoder: the sum of word vectors that were fitted to it at export.

export interface WordTable {
  words: string[];
  scale: number[];
  bias: number[];
  codes: string; // base64 of int8 (w, d)
  fidelity: [number, number, number];
}

export interface Embedded { vector: Float32Array; unknown: string[]; known: number }

export function wordsOf(text: string): string[] {
  return [...new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])];
}

export function embedder(table: WordTable): (text: string) => Embedded {
  const codes = Int8Array.from(atob(table.codes), (sign) => sign.charCodeAt(0));
  const row = new Map(table.words.map((word, number) => [word, number]));
  const dim = table.bias.length;
  return (text) => {
    const words = wordsOf(text);
    const rows = words.flatMap((word) => row.get(word) ?? []);
    const vector = Float32Array.from(table.bias);
    for (const number of rows) {
      const weight = table.scale[number]! / Math.sqrt(rows.length);
      for (let k = 0; k < dim; k++) vector[k]! += codes[number * dim + k]! * weight;
    }
    return { vector, unknown: words.filter((word) => !row.has(word)), known: rows.length };
  };
}

/** Cosines of a vector with int8 rows, each of any length; the best k, of equals the lower row. */
export function bestRows(rows: Int8Array, query: ArrayLike<number>, k: number, skip = -1): { row: number; cosine: number }[] {
  const dim = query.length;
  let length = 0;
  for (let j = 0; j < dim; j++) length += query[j]! * query[j]!;
  const found: { row: number; cosine: number }[] = [];
  for (let row = 0; row * dim < rows.length; row++) {
    let dot = 0, own = 0;
    for (let j = 0, at = row * dim; j < dim; j++, at++) {
      dot += rows[at]! * query[j]!;
      own += rows[at]! * rows[at]!;
    }
    if (row !== skip) found.push({ row, cosine: dot / Math.sqrt(own * length || 1) });
  }
  return found.sort((a, b) => b.cosine - a.cosine || a.row - b.row).slice(0, k);
}
