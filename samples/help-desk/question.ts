import type { Random } from '../../domain/random.ts';
import { closers, familyNames, givenNames, mailDomains, openers } from './phrases.ts';
import { cities, countries, products, type Slot } from './tools.ts';

export interface Question {
  readonly text: string;
  /** What filled the phrase's argument, word for word as it stands in `text`; null without one. */
  readonly value: string | null;
}

/** Writes one question from a phrase, as a hurried person might: greetings, typos, hardly any capitals. */
export function writeQuestion(phrase: string, slot: Slot | null, random: Random): Question {
  const value = slot === null ? null : fillSlot(slot, random);
  const filled = expandChoices(phrase, random)
    .replaceAll('{item}', random.pick(products))
    .replaceAll('{phone}', phoneNumber(random))
    .replace(/\{(\w+)\}/g, (_, name: string) =>
      name === slot && value !== null ? value : fillSlot(name as Slot, random),
    )
    .replace(/\s+/g, ' ')
    .trim();
  const said = `${openers[random.below(openers.length)] ?? ''}${introduction(random)}${filled}`;
  const typed = random.chance(0.12) ? withTypo(said, value, random) : said;
  const ended = `${typed}${closers[random.below(closers.length)] ?? ''}${random.pick(['', '', '?', '?', '.', '!'])}`;
  return { text: random.chance(0.3) ? capitalised(ended, value) : ended, value };
}

/** Picks one of each `(a|b|)`; choices do not nest. */
function expandChoices(phrase: string, random: Random): string {
  return phrase.replace(/\(([^()]*)\)/g, (_, choices: string) => random.pick(choices.split('|')));
}

function fillSlot(slot: Slot, random: Random): string {
  switch (slot) {
    case 'order':
      return `${random.pick(['A', 'B', 'K'])}${100 + random.below(900)}`;
    case 'email':
      return `${random.pick(givenNames)}.${random.pick(familyNames)}@${random.pick(mailDomains)}`;
    case 'product':
      return random.pick(products);
    case 'city':
      return random.pick(cities);
    case 'country':
      return random.pick(countries);
  }
}

/** Personal data that has no use here, as real calls hold it. Numbers of the 555-01xx range are fictional. */
function introduction(random: Random): string {
  if (!random.chance(0.06)) return '';
  const name = `${capital(random.pick(givenNames))} ${capital(random.pick(familyNames))}`;
  return random.pick([`${name} here, `, `this is ${name}, `, `i am ${name} (${phoneNumber(random)}), `]);
}

function phoneNumber(random: Random): string {
  return `555-01${String(random.below(100)).padStart(2, '0')}`;
}

/** Swaps two letters or drops one, inside a word of some length, never inside the argument. */
function withTypo(text: string, value: string | null, random: Random): string {
  const words = text.split(' ');
  const candidates = words.flatMap((word, index) =>
    /^[a-z]{5,}$/.test(word) && word !== value ? [index] : [],
  );
  if (candidates.length === 0) return text;
  const chosen = random.pick(candidates);
  const word = words[chosen] as string;
  const at = 1 + random.below(word.length - 3);
  const swapped = word.slice(0, at) + word.charAt(at + 1) + word.charAt(at) + word.slice(at + 2);
  const dropped = word.slice(0, at) + word.slice(at + 1);
  return words.map((each, index) => (index === chosen ? random.pick([swapped, dropped]) : each)).join(' ');
}

function capitalised(text: string, value: string | null): string {
  // An argument is copied word for word, so that one which opens the sentence stays as it is.
  return value !== null && text.startsWith(value) ? text : capital(text);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
