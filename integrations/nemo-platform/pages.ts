import { z } from 'zod';
import type { Transport } from './transport.ts';

/** What every one of the platform's services accepts. */
const pageSize = 100;

interface Listing<T> {
  /** Plural, for error messages: `jobs`. */
  readonly what: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly item: z.ZodType<T>;
}

/** All of a collection, page by page. */
export async function listAll<T>(transport: Transport, listing: Listing<T>): Promise<T[]> {
  const Page = z.object({
    data: z.array(listing.item),
    pagination: z.object({ total_pages: z.number().nullish() }).nullish(),
  });
  const found: T[] = [];
  for (let page = 1; ; page++) {
    const { data, pagination } = await transport.call({
      doing: `list ${listing.what}`,
      method: 'GET',
      path: listing.path,
      query: { ...listing.query, page, page_size: pageSize },
      reply: Page,
    });
    found.push(...data);
    if (data.length === 0 || page >= (pagination?.total_pages ?? 1)) return found;
  }
}
