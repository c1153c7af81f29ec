// The map: regl-scatterplot behind a few calls, or a plain canvas where there is no WebGL.

import createScatterplot from "regl-scatterplot";
import { PALETTE } from "./colors";
import { plainMap } from "./map-plain";
import type { Table } from "./types";

export interface MapEvents {
  hover(row: number | null): void;
  open(row: number): void;
  select(rows: number[]): void;
  moved(): void;
}

export interface MapView {
  /** Color the points; an index into the palette per row. */
  color(index: Int32Array): Promise<void>;
  /** Rows to show, null for all. */
  filter(rows: number[] | null): Promise<void>;
  /** Rows to mark as found. */
  mark(rows: number[]): void;
  reset(): Promise<void>;
  goTo(rows: number[]): Promise<void>;
  lasso(on: boolean): void;
  restyle(): void;
  /** Where a row is drawn, in pixels of the map. */
  screen(row: number): [number, number] | null;
  /** Whether drawing is so slow that nothing should happen while the pointer only passes. */
  slow: boolean;
}

const SLOW_ABOVE = 100_000;

export async function openMap(canvas: HTMLCanvasElement, table: Table, events: MapEvents): Promise<MapView> {
  const renderer = rendererName();
  if (renderer === null) return plainMap(canvas, table, events);
  return webglMap(canvas, table, events, table.n > SLOW_ABOVE && /swiftshader|llvmpipe|software/i.test(renderer));
}

/** Name of what draws, null without WebGL. */
function rendererName(): string | null {
  try {
    const gl = document.createElement("canvas").getContext("webgl");
    if (!gl) return null;
    const info = gl.getExtension("WEBGL_debug_renderer_info");
    const name = info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "unknown";
    gl.getExtension("WEBGL_lose_context")?.loseContext();
    return name;
  } catch {
    return null;
  }
}

function pointSize(n: number): number {
  return n < 200 ? 12 : n < 2000 ? 8 : n < 20_000 ? 5 : n < 100_000 ? 3 : 2;
}

function style(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

async function webglMap(canvas: HTMLCanvasElement, table: Table, events: MapEvents, slow: boolean): Promise<MapView> {
  const box = canvas.parentElement!;
  const size = () => ({ width: Math.max(box.clientWidth, 50), height: Math.max(box.clientHeight, 50) });
  const looks = () => ({
    backgroundColor: style("--map"),
    pointColorActive: style("--ink"),
    pointColorHover: style("--ink"),
    lassoColor: style("--accent"),
  });
  const plot = createScatterplot({
    canvas,
    ...size(),
    ...looks(),
    pointColor: PALETTE,
    pointSize: pointSize(table.n),
    pointSizeSelected: 3,
    pointOutlineWidth: 2,
    performanceMode: slow, // squares without blending
    opacity: slow ? 1 : table.n < 20_000 ? 0.9 : 0.6,
    lassoInitiator: false,
    deselectOnEscape: false,
    deselectOnDblClick: false,
    colorBy: "valueA",
  });
  const all = Array.from({ length: Math.min(table.n, 5000) }, (_, k) => Math.floor((k * table.n) / Math.min(table.n, 5000)));
  let shown: number[] | null = null;
  let marked: number[] = [];
  const fit = (rows: number[]) => plot.zoomToPoints(rows, { padding: 0.15, transition: false });
  // What was marked stays: the plot's own selection only tells what was clicked or drawn around.
  // Nothing is asked of it that changes nothing: with many points each drawing takes a while.
  const remark = () => {
    if (marked.length) plot.select(marked, { preventEvent: true });
    else if (plot.get("selectedPoints").length) plot.deselect({ preventEvent: true });
  };
  plot.subscribe("pointOver", (row: number) => events.hover(row));
  plot.subscribe("pointOut", () => events.hover(null));
  plot.subscribe("select", ({ points }: { points: number[] }) => {
    if (points.length === 1) events.open(points[0]!);
    else if (points.length > 1) events.select(points);
    if (points.length === 1) remark();
  });
  plot.subscribe("deselect", () => remark());
  plot.subscribe("view", () => events.moved());
  plot.subscribe("draw", () => events.moved());
  new ResizeObserver(() => {
    plot.set(size());
    events.moved();
  }).observe(box);
  let drawn = false;
  return {
    slow,
    color: async (index) => {
      // Points stay where they are, so the index by which they are found again is not made anew.
      const spatialIndex = drawn ? plot.get("spatialIndex") : undefined;
      await plot.draw({ x: table.x, y: table.y, valueA: index }, { zDataType: "categorical", preventFilterReset: drawn, spatialIndex });
      if (!drawn) await fit(all);
      drawn = true;
      remark();
    },
    filter: async (rows) => {
      if (rows === null && shown === null) return;
      shown = rows;
      if (rows === null) await plot.unfilter({ preventEvent: true });
      else await plot.filter(rows, { preventEvent: true });
    },
    mark: (rows) => {
      marked = rows;
      remark();
    },
    reset: () => fit(all),
    goTo: (rows) => fit(rows),
    lasso: (on) => plot.set({ mouseMode: on ? "lasso" : "panZoom" }),
    restyle: () => plot.set(looks()),
    screen: (row) => plot.getScreenPosition(row) ?? null,
  };
}
