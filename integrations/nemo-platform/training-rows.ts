import { z } from 'zod';
import { RejectedError } from '../../domain/errors.ts';

const Row = z.object({
  messages: z
    .array(z.object({ role: z.string() }))
    .min(1, 'has no messages')
    .refine(
      (messages) => messages.at(-1)?.role === 'assistant',
      'does not end in an answer of the assistant',
    ),
});

/**
 * The lines of a training set, checked on their way: the platform stores any bytes, and a customizer would fail on
 * a bad row only when its device is at last free. Throws `RejectedError` with the line's number.
 */
export async function* checkedRows(lines: AsyncIterable<string>): AsyncIterable<string> {
  let line = 0;
  for await (const text of lines) {
    line++;
    check(text, line);
    yield text;
  }
  if (line === 0) throw new RejectedError('The training file is empty.', { code: 'empty_file' });
}

function check(text: string, line: number): void {
  let row: unknown;
  try {
    row = JSON.parse(text);
  } catch {
    throw new RejectedError(`The training file's line ${line} is not JSON.`, {
      code: 'invalid_training_file',
    });
  }
  const [issue] = Row.safeParse(row).error?.issues ?? [];
  if (!issue) return;
  throw new RejectedError(
    `The training file's line ${line} cannot be trained on: ${issue.path.join('.')} ${issue.message}.`,
    {
      code: 'invalid_training_file',
    },
  );
}
