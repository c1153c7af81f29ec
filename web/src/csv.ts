// The rows that are shown, as a table for a spreadsheet.

import type { Hit, Meta, Table } from "./types";

export function csv(table: Table, meta: Meta, hits: Hit[]): string {
  const columns = ["neuron_id", "name", ...meta.colors, ...meta.numbers, "caption", "licence", "reference"];
  const lines = [[...columns, "cosine"].join(",")];
  for (const { row, cosine } of hits) {
    const cells = columns.map((column) => {
      if (!(column in table.numbers)) return table.text(column, row);
      const value = table.numbers[column]![row]!;
      return Number.isFinite(value) ? String(value) : "";
    });
    lines.push([...cells, cosine === null ? "" : cosine.toFixed(4)].map(quoted).join(","));
  }
  return `${lines.join("\r\n")}\r\n`;
}

/** A cell; what a spreadsheet would take for a formula becomes text. */
function quoted(cell: string): string {
  const safe = /^[=+\-@\t\r]/.test(cell) && !/^-?[\d.]+(e[-+]?\d+)?$/i.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
