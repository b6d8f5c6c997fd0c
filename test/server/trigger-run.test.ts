import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, expect, inject, it } from 'vitest';
import type { Role } from '../../domain/access/role.ts';
import { newToken } from '../../domain/access/token.ts';
import { tokensFileText } from '../../domain/access/tokens-file.schema.ts';
import { aRecord } from '../support/records.ts';
import { flywheelHandle, newWorld, untilTrue, useWorkers } from '../workflows/support/bench.ts';
import { setup } from './support/gateway.ts';

/** A real gateway and a real flywheel, whose activities only remember. */
describe('POST /v1/workloads/<workload>/runs', () => {
  useWorkers();

  async function arrange() {
    const world = newWorld({ snapshot: 'hang' });
    const temporal = {
      address: inject('temporalAddress'),
      namespace: 'default',
      uiUrl: null,
      embedded: true,
    };
    const gateway = await setup({ temporal });
    const token = (client: string, ...roles: Role[]) =>
      newToken(
        { id: `id-${client}`, secret: randomUUID() },
        { client, roles, createdAt: '2026-01-31T09:00:00Z', expiresAt: null, requestsPerMinute: null },
      );
    const [ci, web] = [token('ci', 'operate'), token('web', 'ingest', 'read')];
    await writeFile(gateway.config.gateway.tokensFile, tokensFileText([ci.token, web.token]));
    await gateway.logStore.append([aRecord('rec-1', { workloadId: world.workloadId })]);
    const { url } = await gateway.start();
    const post = async (body: unknown, bearer = ci.text, workload = world.workloadId) => {
      const reply = await fetch(`${url}/v1/workloads/${encodeURIComponent(workload)}/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${bearer}` },
        body: JSON.stringify(body),
      });
      return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
    };
    return { world, post, web: web.text };
  }

  it('starts a run in the token’s name, and ten more triggers make one more', async () => {
    const { world, post } = await arrange();

    const first = await post({ reason: 'prompt v12', strategies: ['base'], seed: 7 });
    await untilTrue(() => world.runIds.size === 1);
    const later = await Promise.all(
      Array.from({ length: 10 }, (_, n) => post({ reason: `prompt v12.${n}`, strategies: ['lora'] })),
    );

    expect(first).toEqual({
      status: 202,
      body: { runId: [...world.runIds][0], state: 'started', workload: world.workloadId },
    });
    expect(later.map(({ status, body }) => [status, body['state']])).toEqual(
      Array.from({ length: 10 }, () => [202, 'queued']),
    );
    expect(new Set(later.map(({ body }) => body['runId'])).size).toBe(1);
    await flywheelHandle(world).terminate('test is over');
  });

  it('needs the role, a reason, a workload that there is, and wishes that make sense', async () => {
    const { world, post, web } = await arrange();

    const answers = [
      await post({ reason: 'x' }, web),
      await post({ reason: ' ' }),
      await post({ reason: 'x', strategies: ['magic'] }),
      await post({ reason: 'x', snapshots: 'deep' }),
      await post({ reason: 'x' }, undefined, 'nobody'),
    ];

    expect(answers.map(({ status }) => status)).toEqual([403, 400, 400, 400, 404]);
    expect(JSON.stringify(answers[4]?.body)).toContain('nobody');
    expect(world.runIds.size).toBe(0);
  });
});
