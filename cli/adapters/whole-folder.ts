import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CommandError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

/** Refuses early, before anything is downloaded. */
export async function requireRoomFor(folder: string, force: boolean): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    if (isCode(error, 'ENOTDIR')) throw taken(`${folder} is a file.`, 'Name another folder.');
    throw error;
  });
  if (entries.length > 0 && !force)
    throw taken(`${folder} is not empty.`, 'Name another folder, or replace this one by --force.');
}

/**
 * Fills a folder aside and renames it into place: whole or not at all. What stood there before goes only then,
 * and comes back where the last step fails.
 */
export async function writeWholeFolder(
  folder: string,
  fill: (unfinished: string) => Promise<void>,
): Promise<void> {
  const target = resolve(folder);
  const aside = (what: string) => join(dirname(target), `.${basename(target)}.${what}-${randomUUID()}`);
  const [unfinished, previous] = [aside('unfinished'), aside('previous')];
  // Readable by its owner only: weights hold traces of what they learned from.
  await mkdir(dirname(target), { recursive: true });
  await mkdir(unfinished, { mode: 0o700 });
  try {
    await fill(unfinished);
    const replaced = await moveIfThere(target, previous);
    try {
      await rename(unfinished, target);
    } catch (error) {
      if (replaced) await rename(previous, target);
      throw error;
    }
    await rm(previous, { recursive: true, force: true });
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function moveIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function taken(message: string, next: string): CommandError {
  return new CommandError(message, { code: 'folder_taken', exitCode: exitCodes.usage, next });
}
