// Claimed jobs made of fields, in the form in which the answer of a claim has them.
import { ClaimedJob } from '../../../lib/wire/claimed-job.js';
import { timeOf } from '../../../lib/wire/stored-text.js';
import { CLAIM_FIELDS, FURTHER_FIELDS, RARE_FIELDS } from '../../../lib/wire/claim-fields.js';

type Field =
  (typeof CLAIM_FIELDS)[number] | (typeof FURTHER_FIELDS)[number] | (typeof RARE_FIELDS)[number];
export type Fields = Partial<Record<Field, string>>;

/** A job of queue `q`, its execution called `e-ID`. */
export function claimedJob(fields: Fields, id = 'id1'): ClaimedJob {
  const names: readonly Field[] = [...CLAIM_FIELDS, ...FURTHER_FIELDS, ...RARE_FIELDS];
  const at = (field: number) => names[field < CLAIM_FIELDS.length ? field : field - 1] as Field;
  const text = (field: number) => (field === CLAIM_FIELDS.length ? id : fields[at(field)]);
  return new ClaimedJob('q', `e-${id}`, {
    has: (field) => text(field) !== undefined,
    wasLeftOut: () => false,
    text,
    time: (field) => timeOf(text(field)),
    digits: (field) => (/^\d{1,15}$/.test(text(field) ?? '') ? Number(text(field)) : undefined),
    isShort: (field, most, first) => {
      const value = text(field);
      return value !== undefined && value.length <= most && value.charCodeAt(0) === first;
    },
    bytes: (field) => (text(field) === undefined ? undefined : Buffer.from(text(field) ?? '')),
  });
}
