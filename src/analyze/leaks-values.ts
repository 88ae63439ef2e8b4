/** Values that are replaced by longer ones for ever: `text += more` makes no object that stays, only one that is always longer. */
import { NONE } from "../rewind/object-graph.js";
import { fingerprintOf, type SourcePlace } from "./finding.js";
import type { LeakFinding, Told } from "./leaks.js";
import { isTold } from "./leaks-blocks.js";
import { pathTo } from "./leaks-holders.js";
import { isOwnFile } from "./leaks-iterations.js";
import { risesEvenly } from "./leaks-judge.js";
import { ownFrame, placeOf, referenceAt } from "./leaks-ledger.js";
import { roundsCounted, type Scene } from "./leaks-scene.js";

/** Findings at most. */
const MOST = 5;
/** Types whose values are replaced by longer ones: `text += more`. */
const REPLACED = new Set(["str", "bytes", "tuple"]);
/** Bytes by which such a value must have grown. */
const LEAST_VALUE = 1024;
/** As many of one place as may live at once: the value, and the one that replaces it. */
const MOST_ALIVE = 2;

/** Values of one place of which there is always one, and always a longer one. */
export function growingValues(scene: Scene, told: Told): LeakFinding[] {
  const { census, moments, graph, iterations, replay, group, birth } = scene;
  if (!graph || moments.end !== replay.end) return [];
  const { from } = moments;
  const last = moments.points.length - 1;
  const findings: LeakFinding[] = [];
  census.groups.forEach(({ type, location, alive, bytes }, index) => {
    if (!REPLACED.has(scene.typeName(type)) || alive.some((n) => n > MOST_ALIVE)) return;
    const growth = bytes[last]! - bytes[from]!;
    if (growth < LEAST_VALUE || !risesEvenly(bytes, moments)) return;
    const culprit = ownPlace(scene, location, index);
    if (!culprit) return;
    let node: number = NONE;
    for (let one = 0; one < graph.nodes; one++)
      if (group[one] === index && graph.distance(one) !== NONE && (node === NONE || birth[one]! > birth[node]!))
        node = one;
    const keptBy = node === NONE ? null : scene.keptBy(node);
    if (!keptBy) return;
    if (isTold(told, culprit, keptBy.expression, pathTo(graph, node))) return;
    const name = scene.typeName(type);
    const event = birth[node]!;
    findings.push({
      kind: iterations.by === "events" ? "growth" : "leak",
      isProblem: true,
      fingerprint: fingerprintOf(["value", name, culprit.function, culprit.file?.split("/").at(-1) ?? null]),
      title: `a ${name} (${keptBy.expression}) that is replaced by a longer one again and again, by ${growth.toLocaleString("en-US")} bytes so far`,
      advice: `bound ${keptBy.expression}, or write its parts where they are wanted instead of keeping them together`,
      type: name,
      objects: 1,
      bytes: graph.bytes[node]!,
      createdAt: scene.createdAt(index),
      keptBy,
      culprit,
      reference: { ...referenceAt(replay, event, "birth"), culprit },
      holder: null,
      representative: scene.id[node]!,
      total: { objects: 1, bytes: graph.bytes[node]! },
      perIteration: iterations.by === "events" ? null : growth / roundsCounted(scene),
      unit: "bytes",
      groups: [],
    });
  });
  return findings.slice(0, MOST);
}

/** Where the program made the newest value of a group: the library's own values are not the program's. */
function ownPlace(scene: Scene, location: number, index: number): SourcePlace | undefined {
  const at = placeOf(scene.replay, location);
  if (isOwnFile(at.file)) return at;
  const node = scene.group.lastIndexOf(index);
  return node === NONE ? undefined : ownFrame(scene.replay, scene.birth[node]!, location);
}
