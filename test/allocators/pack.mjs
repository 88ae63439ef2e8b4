/** Puts captures and their operations into one file: `node pack.mjs FOLDER`, the folder of what capture.py wrote. Most versions agree, so together they are little more than one. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const folder = process.argv[2];
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const captures = readdirSync(folder)
  .filter((name) => name.startsWith("capture-"))
  .map(read);
const byVersion = ({ python, shift }) =>
  python.split(".").reduce((sum, part) => sum * 1000 + Number(part), 0) + shift / 1e6;
captures.sort((x, y) => byVersion(x) - byVersion(y));
const text = JSON.stringify({ operations: read("operations.json"), captures });
const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
const packed = brotliCompressSync(text, { params });
writeFileSync(join(import.meta.dirname, "golden/captures.json.br"), packed);
console.log(`${captures.length} captures, ${text.length} characters, ${packed.length} bytes`);
