import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

const decoders: Readonly<Record<string, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  gzip: promisify<Uint8Array, Buffer>(gunzip),
  'x-gzip': promisify<Uint8Array, Buffer>(gunzip),
  br: promisify<Uint8Array, Buffer>(brotliDecompress),
  deflate: promisify<Uint8Array, Buffer>(inflate),
};

/**
 * The content behind a content coding, for the record; the caller gets the bytes as they came. We ask for
 * `identity`, which some providers ignore. Throws for a coding that it does not know.
 */
export async function decoded(bytes: Uint8Array, coding: string | null): Promise<Uint8Array> {
  const name = (coding ?? 'identity').toLowerCase();
  if (name === 'identity') return bytes;
  const decode = decoders[name];
  if (decode === undefined) throw new TypeError(`The content coding "${name}" is unknown.`);
  return decode(bytes);
}
