/** Two token lists as numbers: equal tokens, and only they, have equal ids. */
export interface InternedTokens {
  readonly candidate: Int32Array;
  readonly reference: Int32Array;
  /** Every id is at least 0 and below this. */
  readonly distinct: number;
}

/** Numbers the tokens of both texts, so that what follows compares integers; any string is a legal token. */
export const internTokens = (candidate: readonly string[], reference: readonly string[]): InternedTokens => {
  const ids = new Map<string, number>();
  const intern = (tokens: readonly string[]): Int32Array => {
    const interned = new Int32Array(tokens.length);
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i];
      let id = ids.get(token);
      if (id === undefined) {
        id = ids.size;
        ids.set(token, id);
      }
      interned[i] = id;
    }
    return interned;
  };
  return { candidate: intern(candidate), reference: intern(reference), distinct: ids.size };
};
