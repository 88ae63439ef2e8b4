/**
 * What of the host's environment the recorded program gets to see. A trace is passed on to others, so the host's variables stay out of it unless
 * they were asked for by name (`--env`). Two are taken where they are set, since they name folders that the program is meant to reach. Two that
 * Python needs have the same values for everybody: without HOME there is no `~`, and LANG says how text is encoded.
 */

/** Folders of modules and of temporary files: the program would not find what it needs without them. */
const TAKEN = ["PYTHONPATH", "TMPDIR"] as const;

/** The same for everybody. The folder need not exist: it is out of the program's reach. */
const NEUTRAL = { HOME: "/home/user", LANG: "C.UTF-8" } as const;

/** The program's environment: what is taken and what is fixed, and `asked` on top. */
export function programEnvironment(
  host: Readonly<Record<string, string | undefined>>,
  asked: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const taken = TAKEN.flatMap((name): [string, string][] => (host[name] ? [[name, host[name]]] : []));
  return { ...NEUTRAL, ...Object.fromEntries(taken), ...asked };
}
