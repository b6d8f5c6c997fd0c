import { InvalidArgumentError } from 'commander';
import { isPlainId, plainIdRule } from '../domain/ids.ts';

/** `a, b,c` → `['a', 'b', 'c']`. */
export function parseList(text: string): string[] {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  if (items.length === 0) throw new InvalidArgumentError('It must be a comma-separated list.');
  return items;
}

export function parseWhole(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= minimum) return value;
    throw new InvalidArgumentError(`It must be a whole number of at least ${minimum}.`);
  };
}

/** A workload or client id, or a run's: as every door of the system asks for them. */
export function parseId(text: string): string {
  if (isPlainId(text)) return text;
  throw new InvalidArgumentError(`It must be ${plainIdRule}.`);
}

/** A decision without a reason says nothing to whoever reads the audit. */
export function parseReason(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.');
  return text.trim();
}
