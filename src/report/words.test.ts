import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html, scriptJson } from "./html.js";
import { Words } from "./words.js";

const words = (values: boolean, source = true): Words => new Words({ values, source, homes: ["/app/src", "/app"] });

describe("words without values", () => {
  it.each([
    ["__main__.app.cache['user-1'].rows[3]", "__main__.app.cache[…].rows[3]"],
    ['cache["a]b\\"c"][(1, [2])][-1]', "cache[…][…][-1]"],
    ["list(__main__.known)[703][0]", "list(__main__.known)[703][0]"],
    [".keys() → 'user'", ".keys() → …"],
    [".keys() → 4711", ".keys() → …"],
    ["b'secret' and u\"secret\" and 'it\\'s secret'", "b… and u… and …"],
    ["it doesn't hide the reader's words", "it doesn't hide the reader's words"],
    ["open['and never closed", "open[…]"],
  ])("%s", (text, expected) => {
    expect(words(false).sentence(text)).toBe(expected);
    expect(words(true).sentence(text)).toBe(text);
  });

  it("hides whatever the key of a dict is", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (key) => {
        const secret = `s3cret${key.replace(/['\\]/g, "")}`;
        const shown = words(false).expression(`cache['${secret}'].row`);
        expect(shown).toBe("cache[…].row");
      }),
    );
  });
});

describe("words", () => {
  it("shortens, makes controls visible and counts both", () => {
    const all = words(true);
    expect(all.name("x y".repeat(10_000_000))).toHaveLength(160);
    expect(all.shortened).toBe(1);
    const long = `${"Long".repeat(100)}Name`;
    expect(all.name(long)).toMatch(/^(?:Long){11}…LongLongLonName$|^(?:Long){11}…ongLongLongName$/);
    expect(all.sentence(`3 ${long} objects kept by __main__.${long}[7]`)).toHaveLength(
      "3  objects kept by __main__.[7]".length + 2 * 60,
    );
    expect(all.shortened).toBe(3);
    expect(all.name("a\u202eb\u0000")).toBe("a\\u202eb\\x00");
    expect(all.path("/app/src/x/y.py")).toBe("x/y.py");
    expect(all.path("/app/z.py")).toBe("z.py");
    expect(words(true, false).source("text")).toBeNull();
  });
});

describe("HTML", () => {
  it("escapes every value in text and in attributes, and JSON in a script", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { text: made } = html`<p title="${text}">${text}</p>`;
        expect(made.match(/[<>"]/g)).toEqual(["<", '"', '"', ">", "<", ">"]);
        const script = scriptJson({ text: `${text}</script><!--` }).text;
        expect(script).not.toMatch(/[<>&]/);
        expect(JSON.parse(script)).toEqual({ text: `${text}</script><!--` });
      }),
    );
  });
});
