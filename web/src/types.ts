// What the page knows of its data, whichever of its two sources they come from.

export interface Prompt { text: string; rows: number[]; cosines: number[] }

export interface Meta {
  title: string;
  n: number;
  dim: number;
  checkpoint: string;
  colors: string[];
  numbers: string[];
  map: { method: string; trustworthiness: number | null; random: number | null };
  left_out: Record<string, number>;
  missing: Record<string, string>;
  prompts: Prompt[];
  not_in_page?: string[];
}

export interface Hit { row: number; cosine: number | null }

export interface Answer { hits: Hit[]; how: string }

export interface Upload {
  name: string;
  hits: Hit[];
  xy: [number, number];
  skeleton: ArrayBuffer;
  views: string[];
  measures: Record<string, number>;
  warnings: string[];
}

/** A column of few words: a code per row (-1: nobody said) and the word of each code, the commonest first. */
export interface Words { codes: Int32Array; words: string[]; counts: number[] }

export interface Table {
  n: number;
  x: Float32Array;
  y: Float32Array;
  words: Record<string, Words>;
  numbers: Record<string, Float32Array>;
  /** Text of a cell, empty when there is none. */
  text(column: string, row: number): string;
  rowOf(id: string): number;
  /** Rows whose text in a column is a text, or holds it. */
  rowsWith(column: string, text: string, how: "whole" | "part"): number[];
}

export interface Source {
  meta: Meta;
  table: Table;
  thumb(row: number): Promise<string | null>;
  views(row: number): Promise<string[]>;
  skeleton(row: number): Promise<ArrayBuffer | null>;
  similar(row: number, k: number): Promise<Hit[]>;
  search(text: string, k: number): Promise<Answer>;
  upload: ((file: File, k: number) => Promise<Upload>) | null;
  swc: ((row: number) => string) | null;
}
