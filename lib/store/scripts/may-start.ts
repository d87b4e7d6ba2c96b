import { Script } from '../../redis/script.js';
import { mayStart } from './compiled.js';

/** `may-start.lua`. */
export const MAY_START = new Script(mayStart);
