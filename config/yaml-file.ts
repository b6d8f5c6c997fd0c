import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { unknownWord } from './nearest.ts';

type Path = readonly PropertyKey[];

export interface ParsedYaml<T> {
  readonly contents: T | null;
  /** Each as `file:line:column path: what`, so that an editor jumps to it. */
  readonly problems: string[];
  /** `file:line:column` of a path: of its key, or of the nearest parent that exists. */
  readonly at: (path: Path) => string;
}

/** Reads a YAML text by a schema of strict objects. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): ParsedYaml<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const at = (path: Path) => place(offsetOf(document, path));
  if (document.errors.length > 0) {
    const problems = document.errors.map(
      (error) => `${place(error.pos[0])} is not valid YAML: ${error.message}`,
    );
    return { contents: null, problems, at };
  }
  const parsed = schema.safeParse(document.toJS() ?? {});
  const problems = parsed.error?.issues.flatMap((issue) => describe(issue, { at, document, schema })) ?? [];
  return { contents: parsed.data ?? null, problems, at };
}

interface Source {
  readonly at: (path: Path) => string;
  readonly document: Document;
  readonly schema: unknown;
}

function describe(issue: z.core.$ZodIssue, { at, document, schema }: Source): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      return `${at(path)} ${label(issue.path)}${unknownWord('key', key, knownKeys(schema, issue.path))}`;
    });
  }
  // What is wrong with a key is said by the key's own schema.
  if (issue.code === 'invalid_key')
    return issue.issues.map(({ message }) => `${at(issue.path)} ${label(issue.path)}${message}`);
  const missing = !document.hasIn(issue.path);
  const what = missing ? `is missing (${issue.message})` : issue.message;
  return [`${at(issue.path)} ${label(issue.path)}${what}`];
}

function label(path: Path): string {
  return path.length === 0 ? '' : `${path.map(String).join('.')}: `;
}

/** Keys that the schema knows at a path, numbers and record names standing for any element. */
function knownKeys(root: unknown, path: Path): string[] {
  let schema = root;
  for (const step of path) schema = childOf(unwrap(schema), step);
  const object = unwrap(schema) as { shape?: Record<string, unknown> };
  return Object.keys(object.shape ?? {});
}

function childOf(schema: unknown, step: PropertyKey): unknown {
  const { shape, element, valueType } = schema as { shape?: object; element?: unknown; valueType?: unknown };
  return shape ? Reflect.get(shape, step) : (element ?? valueType);
}

/** What stands inside a default, prefault or optional. */
function unwrap(schema: unknown): unknown {
  let inner = schema as { def?: { innerType?: unknown } };
  while (inner?.def?.innerType !== undefined) inner = inner.def.innerType as typeof inner;
  return inner;
}

/** Where in the text a path stands: the key itself, or the nearest parent that exists. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last);
      if (pair && isNode(pair.key)) return pair.key.range?.[0] ?? 0;
    }
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node.range?.[0] ?? 0;
  }
  return 0;
}
