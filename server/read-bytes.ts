/** Thrown when a request has more bytes than it may. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

/**
 * A request's body, of `maxBytes` at most. A declared length is checked before anything is read, and Node holds
 * the sender to it: nothing is then copied or counted, which a middleware would do with every call.
 */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const declared = request.headers.get('content-length');
  if (declared === null || request.headers.has('transfer-encoding')) return readCounted(request, maxBytes);
  if (Number(declared) > maxBytes) throw new TooLargeError();
  return new Uint8Array(await request.arrayBuffer());
}

async function readCounted(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new TooLargeError();
    chunks.push(chunk);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
