import { isJobStatus } from '../job/index.js';
import { decodeStreamedResult } from './job-record.js';
import { parsePythonJson } from './python-json.js';

/**
 * An announced settlement, `ID STATUS ENCODING TEXT` (see include/announce.lua). It comes over a channel on which
 * anybody can publish anything: what is not understood is undefined.
 */
export function decodeSettled(message: string): Settled | undefined {
  const match = /^(\S+) (\S+) (json|base64|text) ([^]*)$/.exec(message);
  if (!match) return undefined;
  const [, id = '', status = '', encoding, text = ''] = match;
  if (!isJobStatus(status)) return undefined;
  if (encoding === 'text') return { id, status, text };
  if (text === '') return { id, status, value: null };
  try {
    const value = encoding === 'json' ? parsePythonJson(text) : decodeStreamedResult(text);
    return { id, status, value };
  } catch {
    return undefined;
  }
}

/** An announced settlement. */
export interface Settled {
  readonly id: string;
  readonly status: string;
  /** Result of a finished job. */
  readonly value?: unknown;
  /** Failure text or reason of any other. */
  readonly text?: string;
}
