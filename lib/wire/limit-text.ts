import type { BatchRule, Limits, Rate } from '../job/index.js';

/**
 * Limits as the scripts read them (see include/gates.lua): numbers with spaces between them, `-` for none.
 */

/** What a gate is beside its limits. */
export interface GateTraits {
  /** A function says the key of each job; a job without its key must not be let in. */
  readonly takesKeys: boolean;
  /** Its jobs are handed out in batches. */
  readonly batch?: BatchRule | undefined;
  /** A job that waits for its retry holds back the others of its key. */
  readonly isStrict?: boolean;
}

/** Of a handler's gate. */
export function encodeGate(limits: Limits, { takesKeys, batch, isStrict }: GateTraits): string {
  const words = [gateNumbers(limits), takesKeys ? '1' : '0'];
  if (batch) words.push(`b${batch.size}/${Math.ceil(batch.wait)}`);
  if (isStrict) words.push('s');
  return [...words, 'd'].join(' ');
}

/** The same gate, whose jobs do not wait for others before they are handed out. */
export function gatheringNothing(gate: string): string {
  return gate.replace(/ b(\d+)\/\d+/, ' b$1/0');
}

/** Of a queue as a whole; empty: none. */
export function encodeQueueLimits({ total, rate }: Pick<Limits, 'total' | 'rate'>): string {
  if (total === undefined && rate === undefined) return '';
  return `${numberText(total)} ${rateText(rate)}`;
}

/** The limits in a gate's text, of a queue's in the same form; undefined when it is none. */
export function decodeGate(text: string): Limits | undefined {
  const words = text.split(' ');
  if (words.length < 6) return undefined;
  const [total, perKey, max, per, keyMax, keyPer] = words.map(numberIn);
  return { total, perKey, rate: rateOf(max, per), keyRate: rateOf(keyMax, keyPer) };
}

export function decodeQueueLimits(text: string): Pick<Limits, 'total' | 'rate'> {
  const [total, max, per] = text.split(' ').map(numberIn);
  return { total, rate: rateOf(max, per) };
}

/**
 * Limits that are set at run time: the same numbers, `.` where it is as declared, and how long they last (0: for ever),
 * which the script turns into the moment when they end.
 * @param lasts milliseconds
 */
export function encodeOverride(
  kind: LimitedKind,
  limits: Override,
  lasts: number | undefined,
): string {
  const { total, perKey, rate, keyRate } = limits;
  const words = {
    queue: [setNumber(total), setRate(rate)],
    handler: [setNumber(total), setNumber(perKey), setRate(rate), setRate(keyRate)],
    key: [setNumber(perKey), setRate(keyRate)],
  };
  return `${words[kind].join(' ')} ${lasts === undefined ? 0 : Math.ceil(lasts)}`;
}

export function decodeOverride(
  kind: LimitedKind,
  text: string,
): { override: Override; until: number | undefined } {
  const words = text.split(' ');
  const until = Number(words.pop()) || undefined;
  const numbers = words.map((word) => (word === '-' ? Infinity : numberIn(word)));
  const number = () => numbers.shift();
  const none = { total: undefined, perKey: undefined, rate: undefined, keyRate: undefined };
  const nextRate = () => rateOf(number(), number());
  if (kind === 'queue') return { override: { ...none, total: number(), rate: nextRate() }, until };
  if (kind === 'key')
    return { override: { ...none, perKey: number(), keyRate: nextRate() }, until };
  return {
    override: { total: number(), perKey: number(), rate: nextRate(), keyRate: nextRate() },
    until,
  };
}

/** What is limited. */
export type LimitedKind = 'queue' | 'handler' | 'key';

/** Undefined: as declared; Infinity: none. */
type Override = Limits;

function setNumber(value: number | undefined): string {
  if (value === undefined) return '.';
  return value === Infinity ? '-' : String(value);
}

function setRate(rate: Rate | undefined): string {
  return rate ? `${setNumber(rate.max)} ${setNumber(rate.per)}` : '. .';
}

function gateNumbers({ total, perKey, rate, keyRate }: Limits): string {
  return [numberText(total), numberText(perKey), rateText(rate), rateText(keyRate)].join(' ');
}

function numberText(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

function rateText(rate: Rate | undefined): string {
  return rate ? `${rate.max} ${rate.per}` : '- -';
}

function numberIn(word: string): number | undefined {
  const value = Number(word);
  return word !== '' && Number.isFinite(value) ? value : undefined;
}

function rateOf(max: number | undefined, per: number | undefined): Rate | undefined {
  return max === undefined || per === undefined ? undefined : { max, per };
}
