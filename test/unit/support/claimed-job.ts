// Claimed jobs made of fields, in the form in which the answer of a claim has them.
import { ClaimedJob } from '../../../lib/store/claimed-job.js';
import { CLAIM_FIELDS, FURTHER_FIELDS } from '../../../lib/store/codec.js';

type Field = (typeof CLAIM_FIELDS)[number] | (typeof FURTHER_FIELDS)[number];
export type Fields = Partial<Record<Field, string>>;

/** A job of queue `q`, its execution called `e-ID`. */
export function claimedJob(fields: Fields, id = 'id1'): ClaimedJob {
  const values = (names: readonly Field[]) =>
    names.map((name) => (fields[name] === undefined ? null : Buffer.from(fields[name])));
  const reply = [...values(CLAIM_FIELDS), Buffer.from(id), ...values(FURTHER_FIELDS)];
  return new ClaimedJob('q', `e-${id}`, reply);
}
