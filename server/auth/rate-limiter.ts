import type { GatewayError } from '../openai-error.ts';

export interface RateLimiter {
  /** Takes one request of the client; an error that says how long to wait when there is none left. */
  take(client: string, requestsPerMinute: number | null): GatewayError | null;
}

interface Bucket {
  left: number;
  atMs: number;
}

/** Buckets beyond it are full again, or belong to made-up names: the oldest go. */
const maxBuckets = 10_000;

/**
 * A token bucket per client, in this process: a client may use a minute's worth at once, and gets it back
 * evenly. `requestsPerMinute` null: no limit, but for clients whose token has one.
 */
export function createRateLimiter(
  requestsPerMinute: number | null,
  nowMs: () => number = performance.now.bind(performance),
): RateLimiter {
  const buckets = new Map<string, Bucket>();
  return {
    take(client, own) {
      const limit = own ?? requestsPerMinute;
      if (limit === null || limit === Number.POSITIVE_INFINITY) return null;
      const bucket = refill(buckets.get(client), limit, nowMs());
      // Set anew, so that the map stays in the order of use.
      buckets.delete(client);
      buckets.set(client, bucket);
      for (const oldest of buckets.keys()) {
        if (buckets.size <= maxBuckets) break;
        buckets.delete(oldest);
      }
      if (bucket.left < 1) return tooMany(client, limit, ((1 - bucket.left) / limit) * 60_000);
      bucket.left -= 1;
      return null;
    },
  };
}

function refill(bucket: Bucket | undefined, limit: number, nowMs: number): Bucket {
  const full = Math.max(1, limit);
  if (bucket === undefined) return { left: full, atMs: nowMs };
  const gained = ((nowMs - bucket.atMs) / 60_000) * limit;
  return { left: Math.min(full, bucket.left + gained), atMs: nowMs };
}

function tooMany(client: string, limit: number, waitMs: number): GatewayError {
  return {
    status: 429,
    code: 'rate_limit_exceeded',
    message: `Client "${client}" may send ${limit} requests a minute. Try again in ${(waitMs / 1000).toFixed(1)} s.`,
    headers: {
      'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))),
      'retry-after-ms': String(Math.ceil(waitMs)),
    },
  };
}
