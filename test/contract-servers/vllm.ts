import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { respond, startHttpServer, type TestHttpServer } from '../support/http-server.ts';

export interface VllmServer extends TestHttpServer {
  /** Adapters that requests seem to run on, whatever they do. */
  readonly busy: Set<string>;
  /** What was asked of it, as `load a`, `unload a`. */
  readonly log: string[];
  /** Under whose name a request to a model is answered, where not under its own: an adapter that is not applied. */
  readonly answersAs: Map<string, string>;
  /** Started anew, it has lost what was loaded at run time. */
  restart(): void;
  /** Whether VLLM_ALLOW_RUNTIME_LORA_UPDATING is set; it is. */
  loadsAtRunTime(does: boolean): void;
}

interface Loaded {
  readonly path: string;
}

/**
 * vLLM's dialect for adapters at run time, as its source and documents tell (`--enable-lora`,
 * VLLM_ALLOW_RUNTIME_LORA_UPDATING), in front of the project's model server: answers are real, and an adapter is
 * accepted where a PEFT folder lies at its path. What vLLM does with weights is not imitated.
 *
 * `foreign`: an adapter that its operator loaded, by another name than the model server's.
 */
export async function startVllm(
  modelServerUrl: string,
  base: string,
  foreign?: { readonly name: string; readonly adapter: string },
): Promise<VllmServer> {
  const loaded = new Map<string, Loaded>(foreign && [[foreign.name, { path: '/operator/chose' }]]);
  const answersAs = new Map<string, string>(foreign && [[foreign.name, foreign.adapter]]);
  let loadsAtRunTime = true;
  const busy = new Set<string>();
  const log: string[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = `${request.method} ${request.url}`;
    if (path.includes('lora_adapter') && !loadsAtRunTime)
      return respond(response, 404, { detail: 'Not Found' });
    switch (path) {
      case 'GET /v1/models':
        return respond(response, 200, { object: 'list', data: models() });
      case 'GET /metrics':
        return plain(response, metrics());
      case 'POST /v1/load_lora_adapter':
        return load(response, (await json(request)) as { lora_name?: string; lora_path?: string });
      case 'POST /v1/unload_lora_adapter':
        return unload(response, (await json(request)) as { lora_name?: string });
      case 'POST /v1/chat/completions':
      case 'POST /v1/completions':
        return pass(response, request.url ?? '', await text(request));
      default:
        return refuse(response, 404, 'NotFoundError', 'Not Found');
    }
  }

  function models() {
    const adapters = [...loaded].map(([id, { path: root }]) => ({ id, object: 'model', root, parent: base }));
    return [{ id: base, object: 'model', root: base, parent: null }, ...adapters];
  }

  /** The gauge's value is the time at which it was set; old combinations stay. */
  function metrics(): string {
    const labels = (running: string) =>
      `vllm:lora_requests_info{max_lora="4",running_lora_adapters="${running}",waiting_lora_adapters=""}`;
    return `# TYPE vllm:lora_requests_info gauge\n${labels('gone')} 1.0e+00\n${labels([...busy].join(','))} 2.0e+00\n`;
  }

  function load(
    response: ServerResponse,
    { lora_name: name, lora_path: path }: Record<string, string | undefined>,
  ) {
    if (!name || !path)
      return refuse(response, 400, 'InvalidUserInput', "Both 'lora_name' and 'lora_path' must be provided.");
    if (loaded.has(name))
      return refuse(response, 400, 'InvalidUserInput', `The lora adapter '${name}' has already been loaded.`);
    if (!isPeftFolder(path))
      return refuse(
        response,
        404,
        'NotFoundError',
        `Loading lora ${name} failed: No adapter found for ${path}`,
      );
    loaded.set(name, { path });
    log.push(`load ${name}`);
    plain(response, `Success: LoRA adapter '${name}' added successfully.`);
  }

  function unload(response: ServerResponse, { lora_name: name = '' }: Record<string, string | undefined>) {
    if (!loaded.delete(name))
      return refuse(response, 404, 'NotFoundError', `The lora adapter '${name}' cannot be found.`);
    log.push(`unload ${name}${busy.has(name) ? ' in the middle of an answer' : ''}`);
    plain(response, `Success: LoRA adapter '${name}' removed successfully.`);
  }

  async function pass(response: ServerResponse, path: string, body: string): Promise<void> {
    const { model, ...asked } = JSON.parse(body) as { model: string };
    if (model !== base && !loaded.has(model))
      return refuse(response, 404, 'NotFoundError', `The model \`${model}\` does not exist.`);
    const reply = await fetch(`${modelServerUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...asked, model: answersAs.get(model) ?? model }),
    });
    respond(response, reply.status, await reply.text());
  }

  const server = await startHttpServer((request, response) => {
    handle(request, response).catch((error: unknown) => respond(response, 500, { message: String(error) }));
  });
  return {
    ...server,
    ...{ busy, log, answersAs },
    restart() {
      for (const name of loaded.keys()) if (name !== foreign?.name) loaded.delete(name);
    },
    loadsAtRunTime: (does) => {
      loadsAtRunTime = does;
    },
  };
}

function isPeftFolder(path: string): boolean {
  const config = join(path, 'adapter_config.json');
  if (!existsSync(config) || !existsSync(join(path, 'adapter_model.safetensors'))) return false;
  return (JSON.parse(readFileSync(config, 'utf8')) as { peft_type?: string }).peft_type === 'LORA';
}

function plain(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.end(body);
}

function refuse(response: ServerResponse, code: number, type: string, message: string): void {
  respond(response, code, { error: { message, type, param: null, code } });
}
