import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '../../../domain/json.ts';
import { text } from './text.ts';

/** What the model server refused, with its reason. */
export class ModelServerError extends Error {
  override readonly name = 'ModelServerError';
  readonly status: number;
  readonly code: string | null;

  constructor(status: number, { message, code }: { message: string; code?: string | null }) {
    super(message);
    this.status = status;
    this.code = code ?? null;
  }
}

/** The project's model server, which does the training and answering behind this one. */
export interface ModelServer {
  readonly url: string;
  upload(filename: string, content: string): Promise<string>;
  createJob(body: JsonObject): Promise<JsonObject>;
  job(id: string): Promise<JsonObject>;
  events(id: string): Promise<readonly JsonObject[]>;
  cancel(id: string): Promise<void>;
  /** Makes an adapter forgotten; harmless when it is. */
  forget(model: string): Promise<void>;
  send(path: string, body: JsonObject, signal?: AbortSignal): Promise<Response>;
}

export function createModelServer(url: string): ModelServer {
  const json = async (path: string, init?: RequestInit): Promise<JsonObject> => {
    const reply = await patient(`${url}${path}`, init);
    const body = (await reply.json()) as JsonObject;
    if (reply.ok) return body;
    const error = body['error'] as { message: string; code?: string | null } | undefined;
    throw new ModelServerError(reply.status, error ?? { message: JSON.stringify(body) });
  };
  const post = (path: string, body: JsonObject) =>
    json(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return {
    url,
    async upload(filename, content) {
      const form = new FormData();
      form.set('purpose', 'fine-tune');
      form.set('file', new Blob([content], { type: 'application/jsonl' }), filename);
      return text((await json('/v1/files', { method: 'POST', body: form }))['id']);
    },
    createJob: (body) => post('/v1/fine_tuning/jobs', body),
    job: (id) => json(`/v1/fine_tuning/jobs/${id}`),
    async events(id) {
      const { data } = await json(`/v1/fine_tuning/jobs/${id}/events?limit=1000`);
      return data as JsonObject[];
    },
    async cancel(id) {
      await post(`/v1/fine_tuning/jobs/${id}/cancel`, {}).catch((error: unknown) => {
        // It had ended.
        if (!(error instanceof ModelServerError && error.status === 400)) throw error;
      });
    },
    async forget(model) {
      await fetch(`${url}/v1/models/${encodeURIComponent(model)}`, { method: 'DELETE' });
    },
    send: (path, body, signal) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        ...(signal && { signal }),
      }),
  };
}

/** A busy machine breaks a connection now and then. */
async function patient(url: string, init?: RequestInit): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await fetch(url, init);
    } catch (error) {
      if (attempt === 3) throw error;
      await pause(500);
    }
  }
}
