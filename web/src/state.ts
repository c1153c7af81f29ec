// What can be linked to: the address behind #, by neuron id, never by row.

export interface Linked { neuron: string; color: string; q: string; filter: string }

export function readLink(): Linked {
  const values = new URLSearchParams(location.hash.slice(1));
  const get = (name: string) => values.get(name) ?? "";
  return { neuron: get("neuron"), color: get("color"), q: get("q"), filter: get("filter") };
}

export function linkText(linked: Linked): string {
  const values = new URLSearchParams();
  for (const [name, value] of Object.entries(linked)) if (value) values.set(name, value);
  const text = values.toString();
  return text ? `#${text}` : "";
}

/** Data pages and sandboxed frames may not change their address: then there is no link, and nothing else fails. */
export function writeLink(linked: Linked): void {
  try {
    history.replaceState(null, "", location.pathname + location.search + linkText(linked));
  } catch {
    // no address to change
  }
}
