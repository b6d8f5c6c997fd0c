// Plain JavaScript without dependencies: in a fresh clone the npm installation itself needs it. Types: exclusive.d.ts.
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isRunning } from './process-identity.js';

/**
 * Lamport's bakery, with files: who comes draws a number above all others, and it is the turn of the lowest.
 *
 *     choosing-<id>  →  ticket-<number>-<id>  →  no other is choosing, none is lower: work
 *
 * No two processes ever make a file of the same name, so that whoever finds one of a dead process may remove
 * it. (With one lock file two who wait can each take the other's new lock for the dead one's.)
 */
export async function exclusive(queueDir, onWait, work) {
  const release = await takeTurn(queueDir, onWait);
  try {
    return await work();
  } finally {
    release();
  }
}

async function takeTurn(queueDir, onWait) {
  mkdirSync(queueDir, { recursive: true });
  const id = randomUUID();
  const choosing = write(queueDir, `choosing-${id}`);
  const number = 1 + Math.max(0, ...tickets(queueDir).map((ticket) => ticket.number));
  const mine = write(queueDir, `ticket-${number}-${id}`);
  rmSync(choosing, { force: true });
  const release = () => rmSync(mine, { force: true });
  try {
    for (let told = false; !isTurnOf({ number, id }, queueDir); told = true) {
      if (!told) onWait();
      await sleep(200);
    }
  } catch (error) {
    release();
    throw error;
  }
  return release;
}

function isTurnOf(own, queueDir) {
  // First who is choosing, then the tickets: one who finishes choosing in between is seen among them.
  if (namesOfTheLiving(queueDir, 'choosing-').length > 0) return false;
  return tickets(queueDir).every((ticket) => ticket.id === own.id || isBefore(own, ticket));
}

function isBefore(one, other) {
  return one.number < other.number || (one.number === other.number && one.id < other.id);
}

function tickets(queueDir) {
  return namesOfTheLiving(queueDir, 'ticket-').map((name) => {
    const [, number, id] = /^ticket-(\d+)-(.+)$/.exec(name);
    return { number: Number(number), id };
  });
}

/** Removes the files of processes that are gone. */
function namesOfTheLiving(queueDir, prefix) {
  return readdirSync(queueDir).filter((name) => {
    if (!name.startsWith(prefix)) return false;
    if (isHeld(join(queueDir, name))) return true;
    rmSync(join(queueDir, name), { force: true });
    return false;
  });
}

function isHeld(file) {
  try {
    return isRunning(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Removed meanwhile by its owner.
    return false;
  }
}

/** Appears whole: nobody ever reads one without its owner. */
function write(queueDir, name) {
  const [fresh, file] = [join(queueDir, `new-${name}`), join(queueDir, name)];
  writeFileSync(fresh, JSON.stringify(identify(process.pid)));
  renameSync(fresh, file);
  return file;
}
