// The map without WebGL: every point as a small square, no zoom.

import { PALETTE } from "./colors";
import type { MapEvents, MapView } from "./map";
import type { Table } from "./types";

const MARGIN = 16, REACH = 8;

export function plainMap(canvas: HTMLCanvasElement, table: Table, events: MapEvents): MapView {
  const box = canvas.parentElement!;
  const context = canvas.getContext("2d")!;
  let index = new Int32Array(table.n);
  let shown: Set<number> | null = null, marked = new Set<number>();
  const scale = () => Math.min(box.clientWidth, box.clientHeight) / 2 - MARGIN;
  const screen = (row: number): [number, number] => [
    box.clientWidth / 2 + table.x[row]! * scale(),
    box.clientHeight / 2 - table.y[row]! * scale(),
  ];
  const draw = () => {
    canvas.width = box.clientWidth;
    canvas.height = box.clientHeight;
    const side = table.n < 2000 ? 7 : 3;
    for (let row = 0; row < table.n; row++) {
      if (shown && !shown.has(row)) continue;
      const [x, y] = screen(row), own = marked.has(row) ? 2 * side : side;
      context.fillStyle = PALETTE[index[row]!]!;
      context.fillRect(x - own / 2, y - own / 2, own, own);
    }
    events.moved();
  };
  const nearest = (event: MouseEvent): number | null => {
    const bounds = canvas.getBoundingClientRect();
    let best: number | null = null, least = REACH ** 2;
    for (let row = 0; row < table.n; row++) {
      if (shown && !shown.has(row)) continue;
      const [x, y] = screen(row);
      const square = (x - event.clientX + bounds.left) ** 2 + (y - event.clientY + bounds.top) ** 2;
      if (square < least) [best, least] = [row, square];
    }
    return best;
  };
  canvas.addEventListener("mousemove", (event) => events.hover(nearest(event)));
  canvas.addEventListener("mouseleave", () => events.hover(null));
  canvas.addEventListener("click", (event) => {
    const row = nearest(event);
    if (row !== null) events.open(row);
  });
  new ResizeObserver(draw).observe(box);
  return {
    slow: table.n > 100_000,
    color: async (newIndex) => {
      index = Int32Array.from(newIndex);
      draw();
    },
    filter: async (rows) => {
      shown = rows && new Set(rows);
      draw();
    },
    mark: (rows) => {
      marked = new Set(rows);
      draw();
    },
    reset: async () => draw(),
    goTo: async () => undefined,
    lasso: () => undefined,
    restyle: draw,
    screen,
  };
}
