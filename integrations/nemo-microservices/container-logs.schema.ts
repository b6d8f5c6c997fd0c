import { z } from 'zod';

const Event = z.object({
  type: z.string().nullish(),
  reason: z.string().nullish(),
  message: z.string().nullish(),
  last_seen: z.union([z.number(), z.string()]).nullish(),
});
type Event = z.output<typeof Event>;

/**
 * Why a customization failed, by its containers: the error that the service noted, else the newest warning that the
 * cluster gave about a pod; null where there is neither. What the pods wrote is passed over: its form is in no
 * source, and it may quote training rows.
 */
export const ContainerLogs = z
  .object({
    entries: z.record(z.string(), z.object({ events: z.array(Event).nullish() })).nullish(),
    error: z.object({ message: z.string().nullish(), explanation: z.string().nullish() }).nullish(),
  })
  .transform(({ entries, error }): string | null => {
    const told = [error?.message, error?.explanation].filter((text) => text);
    return told.length > 0
      ? told.join(': ')
      : newestWarning(Object.values(entries ?? {}).flatMap(({ events }) => events ?? []));
  });

function newestWarning(events: readonly Event[]): string | null {
  const warnings = events.filter(({ type, message }) => type === 'Warning' && message);
  const [newest] = [...warnings].sort((a, b) => seconds(b) - seconds(a));
  if (!newest) return null;
  return newest.reason ? `${newest.reason}: ${newest.message}` : (newest.message ?? null);
}

/** A number of seconds in NVIDIA's types, a time in the clusters' own. */
function seconds({ last_seen: seen }: Event): number {
  if (typeof seen === 'number') return seen;
  return Date.parse(seen ?? '') / 1000 || 0;
}
