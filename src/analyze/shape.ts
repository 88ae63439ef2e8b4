/**
 * Whether plain data from outside has the form that it is read as: answers kept in a trace may be a stranger's (src/trace/answers.ts). A shape is a
 * type's name, a list with the shape of its items, an object with the shapes of its fields (others may be there), or `orNull`.
 */
export type Shape = "number" | "string" | "boolean" | readonly [Shape] | { readonly [field: string]: Shape } | OrNull;

class OrNull {
  constructor(readonly shape: Shape) {}
}

export const orNull = (shape: Shape): Shape => new OrNull(shape);

export function fits(value: unknown, shape: Shape): boolean {
  if (typeof shape === "string") return shape === "number" ? Number.isFinite(value) : typeof value === shape;
  if (shape instanceof OrNull) return value === null || fits(value, shape.shape);
  if (Array.isArray(shape)) return Array.isArray(value) && value.every((item) => fits(item, shape[0] as Shape));
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(shape).every(([field, one]) => fits((value as Record<string, unknown>)[field], one));
}
