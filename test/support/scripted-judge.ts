import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Json } from '../../domain/json.ts';
import { respond, startHttpServer } from './http-server.ts';

/** What the judge was shown of one answer: the JSON value that the grader's user message is. */
export interface Shown {
  readonly conversation: readonly { readonly role: string; readonly content: Json }[];
  readonly reference_answer: Json;
  readonly candidate_answer: Json;
}

/** What a judge says: a score that keeps to the form, or words that do not. */
export type Said = { readonly score: number; readonly reason: string } | string;

/** It may also refuse, with a status, or be gone (null: the connection breaks). */
export type Ruled = Said | { readonly status: number } | null;

export interface ScriptedJudge {
  /** Ends in `/v1`. */
  readonly baseUrl: string;
  /** Everything it was asked and said, in order. */
  readonly judged: { readonly rubric: string; readonly shown: Shown; readonly said: Said }[];
  close(): Promise<void>;
}

interface Asked {
  readonly model: string;
  readonly messages: readonly { readonly content: string }[];
}

interface ScriptedJudgeOptions {
  /** Its only one. */
  readonly model?: string;
  /** Asked for without it, it refuses; and its other refusals quote it, as some servers do. */
  readonly key?: string;
}

/** An OpenAI-dialect endpoint that judges by a rule: no model small enough for the tests can. */
export async function startScriptedJudge(
  rule: (shown: Shown) => Ruled,
  options: ScriptedJudgeOptions = {},
): Promise<ScriptedJudge> {
  const judged: ScriptedJudge['judged'] = [];
  const server = await startHttpServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.method === 'GET') return respond(response, 200, { object: 'list', data: [] });
    const { model, messages } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Asked;
    const shown = JSON.parse(messages.at(-1)?.content ?? '{}') as Shown;
    if (options.model !== undefined && model !== options.model)
      return respond(response, 404, { error: { message: `no ${model}`, code: 'model_not_found' } });
    if (options.key !== undefined && request.headers.authorization !== `Bearer ${options.key}`)
      return respond(response, 401, { error: { message: 'no key', code: 'invalid_api_key' } });
    const said = rule(shown);
    if (said === null) return response.socket?.destroy();
    if (typeof said === 'object' && 'status' in said)
      return respond(response, said.status, {
        error: { message: `not this one${options.key ? `, ${options.key}` : ''}`, code: 'refused' },
      });
    judged.push({ rubric: messages[0]?.content ?? '', shown, said });
    const content = typeof said === 'string' ? said : JSON.stringify(said);
    respond(response, 200, {
      ...{ id: `judgement-${judged.length}`, object: 'chat.completion', created: 1, model },
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    });
  });
  return { baseUrl: `${server.url}/v1`, judged, close: () => server.close() };
}
