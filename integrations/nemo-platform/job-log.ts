import { type LogLine, LogPage } from './jobs.schema.ts';
import type { Transport } from './transport.ts';

/** Lines a page: few pages for a job of thousands of rows. */
const pageSize = 1_000;

/** All that a job's processes wrote, oldest first: the platform reads logs from their beginning only. */
export async function readLog(transport: Transport, jobPath: string): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for (let cursor: string | undefined; ; ) {
    const page: LogPage = await transport.call({
      doing: 'read the log of a job',
      method: 'GET',
      path: `${jobPath}/logs`,
      query: { limit: pageSize, ...(cursor !== undefined && { page_cursor: cursor }) },
      reply: LogPage,
    });
    lines.push(...page.data);
    if (!page.next_page || page.data.length === 0) return lines;
    cursor = page.next_page;
  }
}
