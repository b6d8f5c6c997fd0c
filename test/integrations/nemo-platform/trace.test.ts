import { expect, test } from 'vitest';
import { traceHeaders } from '../../../integrations/http/trace-headers.ts';
import { aWorkspace } from '../../support/nemo-platform.ts';

test('the real platform goes on with our trace, and knows the request by our id', async () => {
  const { url, workspace } = await aWorkspace();
  const headers = traceHeaders({ traceId: () => '0198a4f17c2e7aa39f001234567890ab' });

  const reply = await fetch(`${url}/apis/guardrails/v2/workspaces/${workspace}/checks`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: '{}',
  });

  await reply.body?.cancel();
  // Of its services only guardrails tells what it goes on with; the others log it (`trace_id`).
  expect(reply.headers.get('x-trace-id')).toBe('198a4f17c2e7aa39f001234567890ab');
  expect(reply.headers.get('x-request-id')).toBe(headers['x-request-id']);
}, 300_000);
