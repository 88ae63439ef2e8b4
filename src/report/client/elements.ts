/** Small helpers for the page: elements made with text only, and its data. */
import type { PageData } from "../page-data.js";

export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value!);
  made.append(...children);
  return made;
}

export const byId = <T extends HTMLElement>(id: string): T | null => document.getElementById(id) as T | null;

export const page = JSON.parse(byId("data")!.textContent!) as PageData;
