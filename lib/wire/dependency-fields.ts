import type { IfFailed, WaitsFor } from '../job/index.js';

/**
 * The fields of a job that waits for others.
 *
 * | Field | Holds |
 * |---|---|
 * | `dependency_ids`, `dependency_id` | RQ's: JSON list of the parents' ids, and the first of them |
 * | `allow_dependency_failures` | RQ's: `1` = runs whatever becomes of its parents |
 * | `nrq_if_failed` | `cancel`, `run` or `wait`; it also says that the job is one of our own |
 * | `nrq_after_group` | the group that it waits for, in place of parents |
 * | `nrq_delay` | `in:MILLISECONDS` from its release on, or `at:MILLISECONDS` since the epoch |
 * | `nrq_parent:ID` | the result of a parent, handed over when that finished: JSON, or `base64:` and JSON in Base64; of one that is too long `bytes:` and its size |
 * | `nrq_released` | when the job was canceled: those who wait for it need not (`cancel({ dependents: 'release' })`) |
 * | `nrq_canceled_by` | id of the parent because of which it was canceled; `@` and the name of a group |
 */

/** How the names of the fields begin that hold results of parents. */
export const HANDED = 'nrq_parent:';

/** A result that was handed over, as JSON; a number: it was too long, and had so many bytes. */
export function decodeHanded(text: string): string | number {
  if (text.startsWith(BYTES)) return Number(text.slice(BYTES.length));
  if (!text.startsWith(BASE64)) return text;
  return Buffer.from(text.slice(BASE64.length), 'base64').toString();
}

/** Ids of parents, as `dependency_ids` holds them: none where it holds something else. */
export function parentIdsIn(json: string | undefined): string[] {
  if (!json) return [];
  try {
    const ids: unknown = JSON.parse(json);
    return Array.isArray(ids) && ids.every((id) => typeof id === 'string') ? ids : [];
  } catch {
    return [];
  }
}

/**
 * What a job waits for; undefined: for nothing.
 * @param text the text of a field
 */
export function waitsForIn(text: (field: string) => string | undefined): WaitsFor | undefined {
  const group = text('nrq_after_group');
  const jobs = group === undefined ? parentIdsIn(text('dependency_ids')) : [];
  if (jobs.length === 0 && group === undefined) return undefined;
  const own = text('nrq_if_failed');
  const ifFailed = isIfFailed(own)
    ? own
    : text('allow_dependency_failures') === '1'
      ? 'run'
      : 'wait';
  return group === undefined ? { jobs, ifFailed } : { jobs, group, ifFailed };
}

function isIfFailed(text: string | undefined): text is IfFailed {
  return text === 'cancel' || text === 'run' || text === 'wait';
}

const BASE64 = 'base64:';
const BYTES = 'bytes:';
