import { tokenizer as tokenizerNamed, type Tokenizer, type TokenizerName } from './tokenize/index.js';

/** A tokenizer, or the name of one. */
export type TokenizerOption = TokenizerName | Tokenizer;

/** The tokenizer that an option asks for. */
export const tokenizerOf = (option: TokenizerOption): Tokenizer =>
  typeof option === 'function' ? option : tokenizerNamed(option);
