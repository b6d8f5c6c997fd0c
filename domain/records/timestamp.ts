/** Years outside of this are mistakes of unit (seconds read as milliseconds, …), not dates of calls. */
const firstYear = 2015;
const lastYear = 2100;

/** Below it a number is seconds (up to the year 5138), from it milliseconds (from 1973 on). */
const millisecondsFrom = 1e11;

const isoTime = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?([Zz]|[+-]\d{2}:?\d{2})?)?$/;

/**
 * Makes one form of the times found in logs: RFC 3339, UTC, milliseconds.
 * Reads ISO 8601 (UTC where no zone is given), and seconds or milliseconds since 1970 as a number or a
 * numeric string. null for anything else, and for years outside 2015–2100.
 */
export function readTimestamp(value: unknown): string | null {
  const time = toMilliseconds(value);
  if (time === null || !Number.isFinite(time)) return null;
  const date = new Date(time);
  const year = date.getUTCFullYear();
  return year >= firstYear && year <= lastYear ? date.toISOString() : null;
}

function toMilliseconds(value: unknown): number | null {
  if (typeof value === 'number') return fromEpoch(value);
  if (typeof value !== 'string') return null;
  const text = value.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return fromEpoch(Number(text));
  return fromIso(text);
}

function fromEpoch(value: number): number {
  return value < millisecondsFrom ? Math.round(value * 1000) : Math.round(value);
}

function fromIso(text: string): number | null {
  const match = isoTime.exec(text);
  if (match === null) return null;
  const [, year, month, day, minutes = '00:00', seconds = ':00', zone = 'Z'] = match;
  // JavaScript turns 30 February into 1 March; a day that does not exist is a mistake.
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (midnight.getUTCMonth() !== Number(month) - 1 || midnight.getUTCDate() !== Number(day)) return null;
  const zoneWithColon = zone.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2');
  return Date.parse(`${year}-${month}-${day}T${minutes}${seconds}${zoneWithColon}`);
}
