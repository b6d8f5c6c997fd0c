import { z } from 'zod';
import type { Call, Transport } from './transport.ts';

/** What a service allows is not documented; one that caps lower answers with smaller pages, which is as good. */
const pageSize = 100;

/** Newest first, so what a service lists beyond this is older than any run that is still open. */
const mostListed = 1000;

const Page = z.object({
  data: z.array(z.unknown()),
  pagination: z.object({ page: z.number().nullish(), total_pages: z.number().nullish() }).nullish(),
});

/**
 * Every item of a list, page by page, until a page is empty or the last. Items that are not of the schema's form
 * are passed over: others keep things of their own in the same place.
 */
export async function* listAll<T>(
  transport: Transport,
  call: Pick<Call, 'doing' | 'path' | 'query'>,
  item: z.ZodType<T>,
): AsyncIterable<T> {
  for (let page = 1; ; page++) {
    const query = { ...call.query, page: String(page), page_size: String(pageSize) };
    const { data, pagination } = await transport.json({ ...call, method: 'GET', query }, Page);
    for (const entry of data) {
      const parsed = item.safeParse(entry);
      if (parsed.success) yield parsed.data;
    }
    const last = pagination?.total_pages;
    if (data.length === 0 || (last != null && page >= last)) return;
  }
}

/** Jobs of a namespace, newest first, not endlessly. */
export async function* listNewest<T>(
  transport: Transport,
  call: Pick<Call, 'doing' | 'path'>,
  { namespace, item }: { readonly namespace: string; readonly item: z.ZodType<T> },
): AsyncIterable<T> {
  const query = { 'filter[namespace]': namespace, sort: '-created_at' };
  let listed = 0;
  for await (const job of listAll(transport, { ...call, query }, item)) {
    yield job;
    listed += 1;
    if (listed >= mostListed) return;
  }
}
