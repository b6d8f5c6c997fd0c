/** How a passed-on body came to its end. */
export type PassOutcome = 'complete' | 'cancelled' | 'broken';

export interface PassOptions {
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborted when the caller hangs up. */
  readonly gone: AbortSignal;
  /** Aborted when the gateway cannot wait any longer for its streams to end. */
  readonly stopping: AbortSignal;
  readonly onChunk: (chunk: Uint8Array) => void;
  /** Called once. */
  readonly onEnd: (outcome: PassOutcome, error?: unknown) => void;
  /** Breaks the caller's connection, the one way to say that a reply which has begun will not end well. */
  readonly hangUp: () => void;
}

/**
 * The body, chunk by chunk and untouched: each is asked for when the caller has taken the one before, so that a
 * slow caller slows the upstream and nothing piles up here.
 */
export function passThrough(options: PassOptions): ReadableStream<Uint8Array> {
  const { body, gone, stopping, onChunk, onEnd, hangUp } = options;
  const source = body[Symbol.asyncIterator]();
  let ended = false;
  const end = (outcome: PassOutcome, error?: unknown) => {
    if (ended) return;
    ended = true;
    stopping.removeEventListener('abort', stop);
    onEnd(outcome, error);
  };
  const stop = () => {
    end('cancelled');
    hangUp();
  };
  stopping.addEventListener('abort', stop, { once: true });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await source.next();
          if (done === true) {
            end('complete');
            controller.close();
            return;
          }
          controller.enqueue(value);
          onChunk(value);
        } catch (error) {
          end(gone.aborted ? 'cancelled' : 'broken', error);
          hangUp();
        }
      },
      async cancel() {
        end('cancelled');
        await source.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
