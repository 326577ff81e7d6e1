import { jsonSpan } from '../span.js';

// Both walk over a text once: a piece of a string is no copy.

/** The members of an object but for some keys, as JSON texts `"key":value` with commas; of a key that comes twice the last. */
export const membersWithout = (json: string, keys: readonly string[]): string => {
  const members = new Map<string, string>();
  for (let at = json.indexOf('{') + 1; at > 0;) {
    const key = spanFrom(json, at);
    if (key === undefined) break;
    const colon = json.indexOf(':', key.end) + 1;
    const value = spanFrom(json, colon);
    if (value === undefined) break;
    const name = json.slice(key.start, key.end);
    members.set(JSON.parse(name) as string, `${name}:${json.slice(value.start, value.end)}`);
    at = json.indexOf(',', value.end) + 1;
  }
  for (const key of keys) members.delete(key);
  return [...members.values()].join(',');
};

/** The elements of a list, as JSON texts. */
export const elementsOf = (json: string): string[] => {
  const elements: string[] = [];
  for (let at = json.indexOf('[') + 1; at > 0;) {
    const element = spanFrom(json, at);
    if (element === undefined) break;
    elements.push(json.slice(element.start, element.end));
    at = json.indexOf(',', element.end) + 1;
  }
  return elements;
};

/** Where the next value behind `at` is. */
const spanFrom = (json: string, at: number) => {
  const span = jsonSpan(json.slice(at), []);
  return span && { start: at + span.start, end: at + span.end };
};
