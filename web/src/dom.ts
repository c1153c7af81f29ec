// Elements without HTML: text goes in as text, whatever it holds.

type Child = Node | string | null | undefined | false;

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | boolean | (() => void)> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child): child is Node | string => Boolean(child)));
  return made;
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

export function save(name: string, text: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en");
  return value.toPrecision(3);
}

/** What a column is called on the page. */
export function columnName(column: string): string {
  const names: Record<string, string> = {
    qc: "quality flags",
    cable_length_um: "cable length (µm)",
    cable_length: "cable length (µm)",
    n_stems: "stems",
    width: "width (µm)",
    height: "height (µm)",
    depth: "depth (µm)",
    soma_radius: "soma radius (µm)",
    n_branch_points: "branch points",
    n_tips: "tips",
    n_nodes: "nodes",
  };
  return names[column] ?? column.replaceAll("_", " ");
}
