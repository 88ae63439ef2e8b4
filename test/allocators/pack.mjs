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
const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
const packed = (text) => brotliCompressSync(text, { params });
const golden = (name, text) => {
  const data = packed(text);
  writeFileSync(join(import.meta.dirname, "golden", name), data);
  console.log(`${name}: ${text.length} characters, ${data.length} bytes`);
};
golden("captures.json.br", JSON.stringify({ operations: read("operations.json"), captures }));
golden("python2.json.br", readFileSync(join(folder, "python2.json"), "utf8"));
