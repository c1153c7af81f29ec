// Bundles the page into src/axonet/explore/static; the same sources give the same bytes.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(process.argv[2] ?? join(here, "..", "src", "axonet", "explore", "static"));
await mkdir(out, { recursive: true });

const result = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.ts"],
  outfile: join(out, "explore.js"),
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
});
await copyFile(join(here, "src", "page.html"), join(out, "page.html"));
await copyFile(join(here, "src", "explore.css"), join(out, "explore.css"));

// The licences of everything that is in the bundle.
const packages = new Set();
for (const file of Object.keys(result.metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file);
  if (found) packages.add(found[1]);
}
let text = "The explorer's page (explore.js) contains these packages.\n";
for (const name of [...packages].sort()) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  text += `\n${"=".repeat(78)}\n${name} ${version} (${license})\n${"=".repeat(78)}\n`;
  const files = (await readdir(folder)).filter((file) => /^(licen[sc]e|copying|notice)/i.test(file)).sort();
  for (const file of files) text += `\n${(await readFile(join(folder, file), "utf8")).trim()}\n`;
  if (!files.length) text += `\nThe package carries no licence text; its licence is ${license}.\n`;
}
await writeFile(join(out, "THIRD_PARTY_LICENSES.txt"), text);
