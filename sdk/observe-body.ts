export type BodyEnd = 'complete' | 'broken_off';

export interface ObservedBody {
  readonly chunks: readonly Uint8Array[];
  /** More came than was kept. */
  readonly tooLarge: boolean;
  readonly end: BodyEnd;
  readonly firstByteAtMs: number | null;
}

/**
 * The same bytes at the reader's own pace, kept on the way up to `maxBytes`. Reading ahead would hide a slow
 * reader from the model, and a reader who stops must stop the model: both as without us.
 */
export function observeBody(
  body: ReadableStream<Uint8Array>,
  maxBytes: number,
  onEnd: (observed: ObservedBody) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  let tooLarge = false;
  let firstByteAtMs: number | null = null;
  const keep = (chunk: Uint8Array) => {
    firstByteAtMs ??= performance.now();
    bytes += chunk.byteLength;
    if (bytes <= maxBytes) return void chunks.push(chunk.slice());
    tooLarge = true;
    chunks = [];
  };
  const ended = (end: BodyEnd) => onEnd({ chunks, tooLarge, end, firstByteAtMs });
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) {
            keep(value);
            return controller.enqueue(value);
          }
        } catch (error) {
          ended('broken_off');
          return controller.error(error);
        }
        ended('complete');
        controller.close();
      },
      cancel(reason) {
        ended('broken_off');
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
