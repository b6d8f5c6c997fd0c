import { jsonProblem } from '../json.ts';
import { SafetyItem } from './safety-item.schema.ts';

export type { SafetyItem } from './safety-item.schema.ts';

/** More would take a run longer than its evaluation. */
export const mostSafetyItems = 1_000;

export interface ReadSafetySet {
  readonly items: readonly SafetyItem[];
  /** `line` is 1-based. No problem quotes what stands there: the file may be another than was meant. */
  readonly problems: readonly { readonly line: number; readonly what: string }[];
}

/** Reads a set's JSON lines, or says everything that is wrong with them. Empty lines are none. */
export function readSafetySet(text: string): ReadSafetySet {
  const items: SafetyItem[] = [];
  const problems: { line: number; what: string }[] = [];
  const seen = new Map<string, number>();
  for (const [index, each] of text.split('\n').entries()) {
    const line = index + 1;
    if (each.trim() === '') continue;
    const { item, wrong } = readItem(each);
    problems.push(...wrong.map((what) => ({ line, what })));
    if (item === null) continue;
    const before = seen.get(item.id);
    if (before === undefined) items.push(item);
    else problems.push({ line, what: `id: stands in line ${before} as well; ids are unique` });
    seen.set(item.id, before ?? line);
  }
  if (items.length > mostSafetyItems)
    problems.push({ line: 1, what: `${items.length} items; ${mostSafetyItems} are the most` });
  return { items, problems };
}

function readItem(line: string): { item: SafetyItem | null; wrong: string[] } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { item: null, wrong: [`is not JSON: ${jsonProblem(error)}`] };
  }
  const parsed = SafetyItem.safeParse(value);
  if (parsed.success) return { item: parsed.data, wrong: [] };
  const wrong = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`,
  );
  return { item: null, wrong };
}
