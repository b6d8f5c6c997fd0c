/** No server has a good reason to ask for more; a wrong header must not park a run for days. */
const longestMs = 15 * 60_000;

/** Milliseconds from `retry-after-ms` or `retry-after` (seconds or an HTTP date); undefined when absent. */
export function waitMsOf(headers: Headers): number | undefined {
  const ms = Number.parseFloat(headers.get('retry-after-ms') ?? '');
  if (Number.isFinite(ms)) return clamp(ms);
  const text = headers.get('retry-after');
  if (!text) return undefined;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(wait) ? clamp(wait) : undefined;
}

function clamp(ms: number): number {
  return Math.min(Math.max(Math.round(ms), 0), longestMs);
}
