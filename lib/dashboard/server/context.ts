import type { RqInspector } from '../../observe/index.js';
import type { Live } from './live.js';
import type { ReadSettings } from './settings.js';

/** What all routes share. */
export interface Context {
  readonly inspector: RqInspector;
  readonly live: Live;
  readonly settings: ReadSettings;
}
