import { expect, it } from 'vitest';
import { provenance } from '../../../domain/records/provenance.ts';

const plain = { responseSources: { production: 9 }, synthetic: false, toolsInferred: false };

it('says nothing of a production model’s answers', () => {
  expect(provenance(plain)).toBeNull();
});

it.each([
  [
    { responseSources: { gold: 9 } },
    /^The answers are gold labels made by people, not answers of a model\.$/,
  ],
  [{ responseSources: { gold: 1, production: 3 } }, /^25\.0 % of the answers are gold labels/],
  [{ synthetic: true }, /^The traffic is synthetic/],
  [{ toolsInferred: true }, /^The tools were inferred from the calls made/],
  [{ synthetic: true, toolsInferred: true }, /synthetic.* The tools were inferred/],
])('says what the numbers rest on: %j', (facts, remark) => {
  expect(provenance({ ...plain, ...facts })).toMatch(remark);
});
