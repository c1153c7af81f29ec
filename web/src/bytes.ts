// Pieces of bytes: out of the page, out of files of blobs, and as addresses of pictures.

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

/** A piece that the page carries, unpacked; null when it was left out. */
export async function inlined(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
  const element = document.getElementById(`data-${name}`);
  if (!element) return null;
  const stream = new Blob([fromBase64(element.textContent!.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  element.remove();
  return bytes;
}

/** A file of blobs: u32 n, u64 offsets, bytes. */
export function blobs(bytes: Uint8Array<ArrayBuffer>): (index: number) => Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const n = view.getUint32(0, true);
  const start = 4 + 8 * (n + 1);
  const offset = (index: number) => start + Number(view.getBigUint64(4 + 8 * index, true));
  return (index) => (index < n ? bytes.subarray(offset(index), offset(index + 1)) : new Uint8Array());
}

export function blobCount(bytes: Uint8Array<ArrayBuffer>): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

export function pictureUrl(bytes: Uint8Array<ArrayBuffer>): string {
  return URL.createObjectURL(new Blob([bytes], { type: "image/webp" }));
}
