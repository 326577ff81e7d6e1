import { ATTACKS } from './attacks.js';
import type { Edit } from './edit.js';
import { HARMFUL_EDITS } from './harmful.js';
import { NEUTRAL_EDITS } from './neutral.js';

/** Every edit that there is. */
export const EDITS: readonly Edit[] = [...ATTACKS, ...NEUTRAL_EDITS, ...HARMFUL_EDITS];
