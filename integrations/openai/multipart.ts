import { randomUUID } from 'node:crypto';

/** A `multipart/form-data` body that is read while it is sent. */
export interface MultipartBody {
  readonly contentType: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface MultipartFile {
  readonly filename: string;
  /** Lines without their newline. */
  readonly lines: AsyncIterable<string>;
}

/** Smaller writes would cost a chunk header and a system call for each row. */
const chunkBytes = 64 * 1024;

/**
 * Fields and one JSONL file as a form. The `openai` package's own upload reads an iterable whole into memory
 * first, and a dataset may be larger than that.
 */
export function multipart(fields: Readonly<Record<string, string>>, file: MultipartFile): MultipartBody {
  const boundary = `flywheel-${randomUUID()}`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    chunks: encode(fields, file, boundary),
  };
}

async function* encode(
  fields: Readonly<Record<string, string>>,
  { filename, lines }: MultipartFile,
  boundary: string,
): AsyncIterable<Uint8Array> {
  const encoder = new TextEncoder();
  let text = Object.entries(fields)
    .map(
      ([name, value]) =>
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    )
    .join('');
  text += `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n`;
  text += 'Content-Type: application/jsonl\r\n\r\n';
  for await (const line of lines) {
    text += `${line}\n`;
    if (text.length < chunkBytes) continue;
    yield encoder.encode(text);
    text = '';
  }
  yield encoder.encode(`${text}\r\n--${boundary}--\r\n`);
}
