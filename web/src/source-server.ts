// The page as the server sends it: data are asked for when they are needed, by relative addresses.

import { fromBase64, pictureUrl } from "./bytes";
import { fullText } from "./fulltext";
import { readTable } from "./table";
import type { Answer, Hit, Meta, Source, Upload } from "./types";

async function ask(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(path, init);
  if (!response.ok) {
    const text = await response.text();
    let reason = text;
    try {
      reason = (JSON.parse(text) as { error: string }).error;
    } catch {
      // the answer is plain text
    }
    throw new Error(reason || `${path}: ${response.status}`);
  }
  return response;
}

export async function openServer(): Promise<Source> {
  const [meta, bytes] = await Promise.all([
    ask("api/meta").then((response) => response.json() as Promise<Meta>),
    ask("api/points").then((response) => response.arrayBuffer()),
  ]);
  const table = readTable(new Uint8Array(bytes), meta);
  const find = fullText(table);
  const hits = async (path: string) => ((await (await ask(path)).json()) as { hits: Hit[] }).hits;
  return {
    meta,
    table,
    thumb: async (row) => `api/thumb/${row}`,
    views: async (row) => [0, 1, 2].map((k) => `api/view/${row}/${k}`),
    skeleton: async (row) => (await ask(`api/skeleton/${row}`)).arrayBuffer(),
    similar: (row, k) => hits(`api/similar/${row}?k=${k}`),
    search: async (query, k): Promise<Answer> => {
      try {
        return { hits: await hits(`api/search?q=${encodeURIComponent(query)}&k=${k}`), how: "by embedding" };
      } catch (error) {
        return { hits: find(query, k), how: `full text of the metadata (${(error as Error).message})` };
      }
    },
    upload: async (file, k): Promise<Upload> => {
      const path = `api/upload?k=${k}&name=${encodeURIComponent(file.name)}`;
      const found = await (await ask(path, { method: "POST", body: file })).json();
      return {
        ...found,
        skeleton: fromBase64(found.skeleton).buffer,
        views: found.views.map((view: string) => pictureUrl(fromBase64(view))),
      };
    },
    swc: (row) => `api/swc/${row}`,
  };
}
