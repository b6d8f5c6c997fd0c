import { traceHeaders } from '../http/trace-headers.ts';
import type { ProviderSettings } from '../openai/client.ts';

const timeoutMs = 5_000;
/** One sample per combination ever seen; its value is the time at which it held, the latest is the present. */
const sample = /^vllm:lora_requests_info\{(.*)\} (\S+)$/gm;

/**
 * Whether requests to the adapter run or wait, by the gauge `vllm:lora_requests_info` of `GET /metrics`. Where it
 * is not told, they do not: nobody can wait for what cannot be seen.
 */
export async function isBusyWith(settings: ProviderSettings, adapter: string): Promise<boolean> {
  const { baseUrl, apiKey } = settings;
  const url = `${baseUrl.replace(/\/v\d+\/?$/, '')}/metrics`;
  try {
    const reply = await fetch(url, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        ...traceHeaders(settings),
        ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
      },
    });
    return reply.ok && busyAdapters(await reply.text()).includes(adapter);
  } catch {
    return false;
  }
}

/** From the text of `/metrics`. */
export function busyAdapters(metrics: string): readonly string[] {
  const samples = [...metrics.matchAll(sample)].map(([, labels = '', value = '0']) => ({
    labels,
    at: Number(value),
  }));
  const latest = samples.reduce<(typeof samples)[number] | null>(
    (newest, one) => (newest === null || one.at > newest.at ? one : newest),
    null,
  );
  if (latest === null) return [];
  return ['running_lora_adapters', 'waiting_lora_adapters'].flatMap((label) => {
    const [, names = ''] = new RegExp(`${label}="([^"]*)"`).exec(latest.labels) ?? [];
    return names.split(',').filter((name) => name !== '');
  });
}
