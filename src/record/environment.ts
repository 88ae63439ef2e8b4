/**
 * What of the host's environment the recorded program gets to see. A trace is passed on to others, so the host's variables stay
 * out of it unless they change what Python does or were asked for by name.
 */

/** Variables that go through: those of Python itself, language and time zone, the terminal's looks, the home and temporary folders. */
const PASSED = /^(PYTHON\w*|LANG|LANGUAGE|LC_\w+|TZ|TERM|COLUMNS|LINES|NO_COLOR|FORCE_COLOR|HOME|TMPDIR)$/;
/** What would point this interpreter at the library of another. */
const KEPT_OUT = new Set(["PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONEXECUTABLE", "PYTHONSTARTUP", "PYTHONHASHSEED"]);

/** The program's environment: what passes, and `asked` on top. */
export function programEnvironment(
  host: Readonly<Record<string, string | undefined>>,
  asked: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const passed = Object.entries(host).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && PASSED.test(entry[0]) && !KEPT_OUT.has(entry[0]),
  );
  return { ...Object.fromEntries(passed), ...asked };
}
