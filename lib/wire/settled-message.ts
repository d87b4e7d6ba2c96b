import { isJobStatus } from '../job/index.js';
import { decodeStreamedResult } from './job-record.js';
import { parsePythonJson } from './python-json.js';

/**
 * An announced settlement, `ID STATUS ENCODING TEXT` (see include/announce.lua). It comes over a channel on which
 * anybody can publish anything: what is not understood is undefined.
 */
export function decodeSettled(message: string): Settled | undefined {
  const head = HEAD.exec(message);
  if (!head) return undefined;
  const [all, id = '', status, encoding] = head;
  if (!isJobStatus(status)) return undefined;
  const text = message.slice(all.length);
  if (encoding === 'text') return { id, status, text };
  if (text === '') return { id, status, value: null };
  try {
    const value = encoding === 'json' ? parsePythonJson(text) : decodeStreamedResult(text);
    return { id, status, value };
  } catch {
    return undefined;
  }
}

// Of limited length, so that nothing is searched through again and again.
const HEAD = /^(\S{1,500}) ([a-z]{1,20}) (json|base64|text) /;

/** An announced settlement. */
export interface Settled {
  readonly id: string;
  readonly status: string;
  /** Result of a finished job. */
  readonly value?: unknown;
  /** Failure text or reason of any other. */
  readonly text?: string;
}
