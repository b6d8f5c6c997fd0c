import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Document, isMap, parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';
import { type PoliciesFile, readPolicies } from './policies.ts';
import type { PolicyEntry } from './policies-schema.ts';
import { shortPath } from './short-path.ts';

/** A workload's entry as the file has it, in the file's own words; null where it names none. */
export async function readEntry(file: PoliciesFile, workloadId: string): Promise<PolicyEntry | null> {
  const { workloads = {} } = ((await readYaml(file)).toJS() ?? {}) as {
    workloads?: Record<string, PolicyEntry>;
  };
  return Object.hasOwn(workloads, workloadId) ? (workloads[workloadId] ?? null) : null;
}

/**
 * Makes the entry the workload's one and replaces the file, whole or not at all; makes it where there is none.
 * Everything else in it stays, comments with it. The entry must have been checked. Throws `ConfigError` while the
 * file as it is cannot be used, or cannot be written: a person has to mend that first.
 */
export async function writeEntry(file: PoliciesFile, workloadId: string, entry: PolicyEntry): Promise<void> {
  const { problems } = readPolicies({ ...file, required: false });
  if (problems.length > 0) throw new ConfigError(problems);
  const document = await readYaml(file);
  setEntry(document, workloadId, entry);
  await replaceFile(file.path, document.toString({ lineWidth: 0 }));
}

async function readYaml({ path }: PoliciesFile): Promise<Document> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw unusable(path, `cannot be read: ${error.message}`);
  });
  return parseDocument(text);
}

/** Key by key, so that the comments beside what stays the same stay as well. */
function setEntry(document: Document, workloadId: string, entry: PolicyEntry): void {
  const place = ['workloads', workloadId];
  // What is no map of its own (an alias, nothing at all) is replaced as a whole.
  if (!isMap(document.getIn(place, true))) {
    if (!isMap(document.get('workloads', true))) document.set('workloads', document.createNode({}));
    document.setIn(place, document.createNode(entry));
    return;
  }
  const before = (document.toJS() as { workloads: Record<string, Record<string, unknown>> }).workloads[
    workloadId
  ];
  for (const key of Object.keys(before ?? {})) if (!(key in entry)) document.deleteIn([...place, key]);
  for (const [key, value] of Object.entries(entry))
    if (JSON.stringify(value) !== JSON.stringify(before?.[key]))
      document.setIn([...place, key], document.createNode(value));
}

/** On disk before it has the name: a crash leaves the old file or the new one. */
async function replaceFile(path: string, text: string): Promise<void> {
  // Behind a link it is the file that changes, not the link.
  const target = await realpath(path).catch(() => path);
  const draft = `${target}.${randomBytes(4).toString('hex')}.draft`;
  try {
    await mkdir(dirname(target), { recursive: true });
    const mode = await stat(target).then(
      (found) => found.mode,
      () => 0o644,
    );
    const handle = await open(draft, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    const { message } = error as NodeJS.ErrnoException;
    throw unusable(
      path,
      `cannot be written by this process: ${message}. Change the file where it comes from.`,
    );
  }
}

function unusable(path: string, what: string): ConfigError {
  return new ConfigError([`${shortPath(path)} ${what}`]);
}
