import { createParser } from 'eventsource-parser';
import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { CompletionAssembler } from '../../domain/records/completion-assembler.ts';

/** What was seen of a stream. `ended`: the model had said all it had to say. */
export interface SeenStream {
  readonly ended: boolean;
  /** The completion as far as it was seen; null when there is nothing of it, or nothing that can be read. */
  readonly completion: JsonObject | null;
  /** What was wrong with the stream itself, if anything was. */
  readonly flaw: 'not_json' | 'too_large' | 'error_event' | null;
}

/** Reads along with a stream of server-sent events while its bytes pass by. Never throws. */
export class StreamReader {
  readonly #assembler = new CompletionAssembler();
  readonly #decoder = new TextDecoder();
  readonly #parser = createParser({ onEvent: ({ data }) => this.#take(data) });
  readonly #maxBytes: number;
  #bytes = 0;
  #done = false;
  #flaw: SeenStream['flaw'] = null;

  /** A stream that is longer is passed on, but no longer read. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#maxBytes) this.#flaw ??= 'too_large';
    if (this.#flaw !== null) return;
    try {
      this.#parser.feed(this.#decoder.decode(chunk, { stream: true }));
    } catch {
      this.#flaw = 'not_json';
    }
  }

  /** There is no more: what came last is taken as it is, though no blank line ended it. */
  finish(): void {
    this.add(new TextEncoder().encode('\n\n'));
  }

  /** `unfinished` becomes the `finish_reason` of choices that did not end. */
  seen(unfinished: string | null = null): SeenStream {
    const completion = this.#assembler.completion(unfinished);
    const choices = Array.isArray(completion?.choices) ? completion.choices : [];
    const allEnded = choices.every((choice) => isJsonObject(choice) && choice.finish_reason !== unfinished);
    return {
      ended: this.#done || (choices.length > 0 && allEnded),
      completion: this.#flaw === null ? completion : null,
      flaw: this.#flaw,
    };
  }

  #take(data: string): void {
    // OpenAI's last event; many servers end without it.
    if (data === '[DONE]') {
      this.#done = true;
      return;
    }
    const chunk: unknown = JSON.parse(data);
    if (!isJsonObject(chunk)) throw new TypeError('a chunk must be an object');
    if (chunk.error !== undefined && chunk.error !== null) this.#flaw ??= 'error_event';
    this.#assembler.add(chunk);
  }
}
