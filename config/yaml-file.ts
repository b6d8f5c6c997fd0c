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
  return shapesOf(unwrap(schema)).flatMap((shape) => Object.keys(shape));
}

interface Schema {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly options?: readonly Schema[];
  readonly element?: unknown;
  readonly valueType?: unknown;
  readonly def?: { readonly innerType?: Schema; readonly out?: Schema };
}

function childOf(schema: Schema | undefined, step: PropertyKey): unknown {
  const owner = shapesOf(schema).find((shape) => Object.hasOwn(shape, step));
  return owner ? Reflect.get(owner, step) : (schema?.element ?? schema?.valueType);
}

/** Of an object one, of a union those of its kinds. */
function shapesOf(schema: Schema | undefined): readonly Readonly<Record<string, unknown>>[] {
  return schema?.shape ? [schema.shape] : (schema?.options ?? []).flatMap(shapesOf);
}

/** What stands inside a default, prefault or optional, or behind a preparation. */
function unwrap(schema: unknown): Schema | undefined {
  let inner = schema as Schema | undefined;
  for (let next = inner; next !== undefined; next = inner?.def?.innerType ?? inner?.def?.out) inner = next;
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
