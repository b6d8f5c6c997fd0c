import { l } from 'js-rouge';

/** Words by Unicode, so that text outside of ASCII counts; punctuation does not. */
function words(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}\p{M}]+/gu) ?? []
  );
}

/** ROUGE-L F1 in [0, 1] of one text against another: the longest common subsequence of their words. */
export function rougeL(answer: string, reference: string): number {
  const [said, wanted] = [words(answer), words(reference)];
  if (said.length === 0 || wanted.length === 0) return said.length === wanted.length ? 1 : 0;
  return l(said.join(' '), wanted.join(' '), {
    segmenter: (text) => [text],
    tokenizer: (text) => text.split(' '),
  });
}
