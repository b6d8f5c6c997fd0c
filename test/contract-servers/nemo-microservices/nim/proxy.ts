import type { Context, Hono } from 'hono';
import type { JsonObject } from '../../../../domain/json.ts';
import { text } from '../text.ts';
import type { World } from '../world.ts';
import type { Nims, ServedModel } from './nims.ts';

/**
 * The NIM proxy below `/nim`: OpenAI's dialect, routed by `model`. It stands under a path of its own because
 * `GET /v1/models` is the Entity Store's on the platform's host.
 */
export function mountNimProxy(app: Hono, world: World, nims: Nims): void {
  const created = Math.floor(Date.now() / 1000);
  app.get('/nim/v1/models', (context) =>
    context.json({
      object: 'list',
      data: nims.served().map(({ id, base }) => ({
        id,
        object: 'model',
        created,
        owned_by: 'vllm',
        root: base.id,
        parent: id === base.id ? null : base.id,
        max_model_len: base.contextSize,
      })),
    }),
  );
  app.get('/nim/v1/health/ready', (context) => context.json({ object: 'health.response', message: 'ready' }));
  for (const path of ['/v1/chat/completions', '/v1/embeddings']) {
    app.post(`/nim${path}`, (context) => proxy(context, world, nims, path));
  }
}

async function proxy(context: Context, world: World, nims: Nims, path: string): Promise<Response> {
  const body = await context.req.json<JsonObject>();
  const model = nims.find(text(body['model']));
  if (!model) return refusal(404, `The model \`${text(body['model'])}\` does not exist.`, 'NotFoundError');
  world.asked.push({ deployment: model.deployment, model: model.id });
  const { input_type: _, truncate: __, nvext: ___, ...rest } = body;
  const reply = await world.modelServer.send(
    path,
    { ...rest, model: model.servedAs },
    context.req.raw.signal,
  );
  if (!reply.ok) return refused(reply);
  const renamed = reply.body?.pipeThrough(new TextDecoderStream()).pipeThrough(rename(model));
  return new Response(renamed?.pipeThrough(new TextEncoderStream()) ?? null, {
    status: 200,
    headers: { 'content-type': reply.headers.get('content-type') ?? 'application/json' },
  });
}

/** vLLM's form of an error, in which the code is the status: a prompt that is too long is told by its text only. */
function refusal(status: number, message: string, type: string): Response {
  return Response.json({ object: 'error', message, type, param: null, code: status }, { status });
}

async function refused(reply: Response): Promise<Response> {
  const { error } = (await reply.json()) as { error?: { message?: string; code?: string } };
  if (error?.code === 'context_length_exceeded') {
    const [length = '?'] = /\d+/.exec(error.message ?? '') ?? [];
    return refusal(
      400,
      `This model's maximum context length is ${length} tokens. Please reduce the length of the messages.`,
      'BadRequestError',
    );
  }
  const message = error?.message ?? `the model answered ${reply.status}`;
  return refusal(reply.status, message, reply.status >= 500 ? 'InternalServerError' : 'BadRequestError');
}

/** Puts the NIM's name of the model where the model server's stands: one JSON document, or lines of events. */
function rename(model: ServedModel): TransformStream<string, string> {
  let held = '';
  const named = (line: string) =>
    line.replace(`"model":${JSON.stringify(model.servedAs)}`, `"model":${JSON.stringify(model.id)}`);
  return new TransformStream({
    transform(chunk, controller) {
      const lines = (held + chunk).split('\n');
      held = lines.pop() ?? '';
      for (const line of lines) controller.enqueue(`${named(line)}\n`);
    },
    flush(controller) {
      if (held !== '') controller.enqueue(named(held));
    },
  });
}
