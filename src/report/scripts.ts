/**
 * The page's scripts as text: Vega's runtime and the interpreter of its expressions, as their packages ship them, and the page's own, which is
 * written as modules in client/ and joined here, with the words for quantities that the page itself is made with. The modules import only each
 * other, those words and types, so joining is: in order, without `import` and `export`.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const MODULES = [
  "../base/quantity",
  ...["elements", "range", "downloads", "draw", "follow", "main"].map((name) => `client/${name}`),
];

const require = createRequire(import.meta.url);

/** No text of ours or of the libraries may end the element that it stands in. */
const sealed = (script: string): string => {
  if (/<\/script|<!--/i.test(script)) return script.replace(/<(\/script|!--)/gi, "\\x3c$1");
  return script;
};

const withoutMap = (script: string): string => script.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");

export function libraries(): string {
  const vega = readFileSync(join(dirname(require.resolve("vega")), "vega.min.js"), "utf8");
  const interpreter = readFileSync(fileURLToPath(import.meta.resolve("vega-interpreter")), "utf8");
  const asScript = interpreter
    .replace(/^import \{([^}]*)\} from 'vega-util';$/m, "const {$1} = vega;")
    .replace(/^export \{ expression as expressionInterpreter \};$/m, "vega.expressionInterpreter = expression;");
  if (/^(?:import|export)\b/m.test(asScript))
    throw new Error("vega-interpreter is not built as it was: see libraries()");
  return sealed(`${withoutMap(vega)}\n(() => {\n${withoutMap(asScript)}\n})();\n`);
}

export function pageScript(): string {
  const parts = MODULES.map((name) => {
    const text = readFileSync(new URL(`./${name}.js`, import.meta.url), "utf8");
    return withoutMap(text)
      .replace(/^import [^;]*;$/gm, "")
      .replace(/^export (?=function|const|class|async)/gm, "")
      .replace(/^export \{\};$/gm, "");
  });
  return sealed(`(() => {\n"use strict";\n${parts.join("\n")}\n})();\n`);
}
