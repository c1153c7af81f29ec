// The page as a file: everything it shows is inside it.

import { blobCount, blobs, inlined, pictureUrl } from "./bytes";
import { fullText } from "./fulltext";
import { readTable } from "./table";
import type { Answer, Hit, Meta, Source } from "./types";
import { bestRows, embedder, type WordTable } from "./words";

const VIEWS = 3;

/** Lists of neighbors: u32 k, i32 rows (n, k), f32 cosines (n, k); -1 stands for a neuron that is not in the page. */
function readNeighbors(bytes: Uint8Array<ArrayBuffer>): (row: number) => Hit[] {
  const k = new DataView(bytes.buffer).getUint32(0, true);
  const n = (bytes.length - 4) / (8 * k);
  const rows = new Int32Array(bytes.buffer, 4, n * k), cosines = new Float32Array(bytes.buffer, 4 + 4 * n * k, n * k);
  return (row) => {
    const all = Array.from({ length: k }, (_, j) => ({ row: rows[row * k + j]!, cosine: cosines[row * k + j]! }));
    return all.filter((hit) => hit.row >= 0);
  };
}

export async function openStatic(): Promise<Source> {
  const text = async (name: string) => {
    const bytes = await inlined(name);
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as unknown);
  };
  const meta = (await text("meta")) as Meta;
  const table = readTable((await inlined("points"))!, meta);
  const vectorBytes = await inlined("vectors");
  const vectors = vectorBytes && new Int8Array(vectorBytes.buffer);
  const neighborBytes = await inlined("neighbors");
  const near = neighborBytes && readNeighbors(neighborBytes);
  const thumbBytes = await inlined("thumbs");
  const thumbs = thumbBytes && blobs(thumbBytes);
  const skeletonBytes = await inlined("skeletons");
  const skeletons = skeletonBytes && blobs(skeletonBytes);
  const viewBytes = await inlined("views");
  const views = viewBytes && blobs(viewBytes);
  const perNeuron = viewBytes ? blobCount(viewBytes) / meta.n : VIEWS;
  const wordTable = (await text("words")) as WordTable | null;
  const embed = wordTable && embedder(wordTable);
  const prompts = new Map(meta.prompts.map((prompt) => [prompt.text.toLowerCase(), prompt]));
  const find = fullText(table);
  const urls = new Map<number, string>();
  return {
    meta,
    table,
    thumb: async (row) => {
      if (!thumbs) return null;
      let url = urls.get(row);
      if (!url) {
        const bytes = thumbs(row);
        if (!bytes.length) return null;
        urls.set(row, (url = pictureUrl(bytes)));
      }
      return url;
    },
    views: async (row) => {
      if (!views) return [];
      const found = Array.from({ length: perNeuron }, (_, k) => views(row * perNeuron + k));
      return found.filter((bytes) => bytes.length).map(pictureUrl);
    },
    skeleton: async (row) => {
      const bytes = skeletons?.(row);
      return bytes?.length ? bytes.slice().buffer : null;
    },
    similar: async (row, k) => {
      if (vectors) return bestRows(vectors, vectors.subarray(row * meta.dim, (row + 1) * meta.dim), k, row);
      return near ? near(row).slice(0, k) : [];
    },
    search: async (query, k): Promise<Answer> => {
      const prompt = prompts.get(query.toLowerCase());
      if (prompt) {
        const hits = prompt.rows.map((row, place) => ({ row, cosine: prompt.cosines[place]! })).slice(0, k);
        return { hits, how: "by embedding (answered at export)" };
      }
      if (embed && vectors) {
        const { vector, unknown, known } = embed(query);
        const missed = unknown.length ? `; words it does not know: ${unknown.join(", ")}` : "";
        const [fidelity, , best] = wordTable.fidelity;
        if (known) {
          const share = `finds ${Math.round(100 * fidelity)} % of the encoder's best ${best}`;
          return { hits: bestRows(vectors, vector, k), how: `approximate, by word vectors (${share}${missed})` };
        }
      }
      const why = embed ? "no word of it is known to the embedding" : "this page carries no word vectors";
      return { hits: find(query, k), how: `full text of the metadata: ${why}` };
    },
    upload: null,
    swc: null,
  };
}
