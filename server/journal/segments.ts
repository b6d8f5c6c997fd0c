import { type FileHandle, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogRecord } from '../../domain/records/record.ts';

/** A closed file of journalled records, waiting to be shipped. */
export interface Segment {
  readonly path: string;
  readonly sequence: number;
  readonly bytes: number;
  readonly records: number;
}

interface OpenSegment {
  readonly path: string;
  readonly sequence: number;
  readonly file: FileHandle;
  bytes: number;
  records: number;
}

const sealedName = /^(\d{12})\.jsonl$/;
const openName = /^(\d{12})\.open$/;

/**
 * The journal's files: records are appended to one `<n>.open`, which is sealed (fsync, then renamed) to
 * `<n>.jsonl`. Sealed segments never change and are numbered in the order of their records. One process at
 * a time may use a folder. Calls must not overlap; the journal takes turns.
 */
export class Segments {
  readonly #folder: string;
  #current: OpenSegment | null = null;
  /** On its way from open to sealed. */
  #sealing: OpenSegment | null = null;
  #sealed: Segment[] = [];
  #nextSequence = 1;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes over what an earlier process left, an unsealed segment included. */
  static async open(folder: string): Promise<Segments> {
    // Records hold what users wrote: nobody else on the machine may read them.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const segments = new Segments(folder);
    for (const name of (await readdir(folder)).sort()) await segments.#adopt(name);
    return segments;
  }

  async #adopt(name: string): Promise<void> {
    const sequence = Number((sealedName.exec(name) ?? openName.exec(name))?.[1]);
    if (Number.isNaN(sequence)) return;
    const path = this.#pathOf(sequence);
    if (openName.test(name)) await rename(join(this.#folder, name), path);
    this.#nextSequence = Math.max(this.#nextSequence, sequence + 1);
    const { size } = await stat(path);
    if (size === 0) return unlink(path);
    const { records } = await readSegment(path);
    this.#sealed.push({ path, sequence, bytes: size, records: records.length });
  }

  get bytes(): number {
    return this.#all().reduce((sum, segment) => sum + segment.bytes, 0);
  }

  get records(): number {
    return this.#all().reduce((sum, segment) => sum + segment.records, 0);
  }

  #all(): readonly Pick<Segment, 'bytes' | 'records'>[] {
    return [...this.#sealed, this.#sealing, this.#current].filter((segment) => segment !== null);
  }

  get openBytes(): number {
    return (this.#sealing ?? this.#current)?.bytes ?? 0;
  }

  get oldest(): Segment | null {
    return this.#sealed[0] ?? null;
  }

  /** After this the lines survive the death of the process; after `seal`, of the machine. */
  async append(lines: readonly string[]): Promise<void> {
    this.#current ??= await this.#begin();
    const current = this.#current;
    const data = Buffer.from(`${lines.join('\n')}\n`);
    try {
      await current.file.appendFile(data);
    } catch (error) {
      // A full disk may have taken half a line, which would swallow the next one.
      await current.file.truncate(current.bytes);
      throw error;
    }
    current.bytes += data.length;
    current.records += lines.length;
  }

  async #begin(): Promise<OpenSegment> {
    const sequence = this.#nextSequence++;
    const path = join(this.#folder, `${String(sequence).padStart(12, '0')}.open`);
    return { path, sequence, file: await open(path, 'a', 0o600), bytes: 0, records: 0 };
  }

  /** May be called again after it failed: it goes on where it was. */
  async seal(): Promise<void> {
    if (this.#sealing === null) {
      this.#sealing = this.#current;
      this.#current = null;
    }
    const sealing = this.#sealing;
    if (sealing === null) return;
    if (sealing.file.fd !== -1) {
      await sealing.file.sync();
      await sealing.file.close();
    }
    const { sequence, bytes, records } = sealing;
    const path = this.#pathOf(sequence);
    await rename(sealing.path, path);
    this.#sealing = null;
    this.#sealed.push({ path, sequence, bytes, records });
    await this.#syncFolder();
  }

  async remove(segment: Segment): Promise<void> {
    await unlink(segment.path);
    this.#sealed = this.#sealed.filter((other) => other !== segment);
  }

  /** A rename is only durable once its folder is. */
  async #syncFolder(): Promise<void> {
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  #pathOf(sequence: number): string {
    return join(this.#folder, `${String(sequence).padStart(12, '0')}.jsonl`);
  }
}

/** The records of a segment. `torn` counts lines that a crash cut short: their call was never confirmed. */
export async function readSegment(path: string): Promise<{ records: LogRecord[]; torn: number }> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  const records = lines.flatMap((line) => parseLine(line) ?? []);
  return { records, torn: lines.length - records.length };
}

function parseLine(line: string): LogRecord | null {
  try {
    return JSON.parse(line) as LogRecord;
  } catch {
    return null;
  }
}
