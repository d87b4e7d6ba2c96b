import { computed, effect, signal } from '@preact/signals';
import type {
  AlertAnswer,
  BootAnswer,
  ChartAnswer,
  LiveAnswer,
  OperationAnswer,
  QueueAnswer,
  TroubleAnswer,
  WorkerAnswer,
} from '../server/answers.js';
import { t } from './words.js';

/** What all pages share: who looks, the live rows, and how the page looks. */

export const boot: BootAnswer = JSON.parse(
  document.getElementById('boot')?.textContent ?? '{}',
) as BootAnswer;

const rows = signal<ReadonlyMap<string, unknown>>(new Map());
/** Redis's clock at the last word, and ours then: ages are told by Redis's. */
const clockOffset = signal(0);
export const downSince = signal<number | null>(null);
/** When the last word came. */
export const heardAt = signal(0);
/** Somebody wants to see changes. */
export const isLive = signal(true);
/** Ticks each second while the page is visible. */
export const tick = signal(Date.now());

/** Redis's time now. */
export const now = computed(() => tick.value + clockOffset.value);

/** Takes over what the server says; all of it, or what has changed. */
export function hear(answer: LiveAnswer, isAll = false): void {
  const next = new Map(isAll ? [] : rows.value);
  for (const [key, row] of Object.entries(answer.set)) next.set(key, row);
  for (const key of answer.gone) next.delete(key);
  rows.value = next;
  if (answer.at > 0 && answer.down === null) clockOffset.value = answer.at - Date.now();
  downSince.value = answer.down;
  heardAt.value = Date.now();
}

function rowsOf<Row>(kind: string): Row[] {
  return [...rows.value].filter(([key]) => key.startsWith(`${kind}:`)).map(([, row]) => row as Row);
}

export const queues = computed(() =>
  rowsOf<QueueAnswer>('queue').toSorted((one, other) => one.queue.localeCompare(other.queue)),
);
export const workers = computed(() =>
  rowsOf<WorkerAnswer>('worker').toSorted((one, other) => one.name.localeCompare(other.name)),
);
export const troubles = computed(() => rowsOf<TroubleAnswer>('trouble'));
export const alerts = computed(() => rowsOf<AlertAnswer>('alert'));
/** Some process looks for alerts; else they stay as they were known last. */
export const isWatched = computed(() => rows.value.get('watched') !== false);

/** Something that a human should see to. */
export interface Need {
  readonly key: string;
  readonly queue: string;
  /** Names what to do. */
  readonly rule: string;
  readonly isBad: boolean;
  readonly isMuted: boolean;
  readonly alert?: AlertAnswer;
  readonly trouble?: TroubleAnswer;
}

/** What is told of a queue before it is an alert of this rule. */
const RULES: Readonly<Record<string, string>> = { 'no-worker': 'workers', behind: 'oldest' };

/** The worst first, muted ones last; what an alert tells of is told once. */
export const needs = computed((): readonly Need[] => {
  const told = alerts.value.map((alert): Need => {
    const { id: key, queue, rule, severity, mutedUntil } = alert;
    return {
      key,
      queue,
      rule,
      isBad: severity === 'critical',
      isMuted: mutedUntil !== null,
      alert,
    };
  });
  const others = troubles.value
    .map((trouble): Need => {
      const { queue, code } = trouble;
      const rule = RULES[code] ?? code;
      const isBad = code === 'no-worker';
      return { key: `${queue} ${rule}`, queue, rule, isBad, isMuted: false, trouble };
    })
    .filter(({ key }) => told.every((one) => one.key !== key));
  const weight = ({ isMuted, isBad, trouble, alert }: Need) =>
    isMuted ? -1 : (isBad ? 2e9 : alert ? 1e9 : 0) + (trouble?.count ?? 0);
  return [...told, ...others].toSorted((one, other) => weight(other) - weight(one));
});
/** How many things need somebody now. */
export const needCount = computed(() => needs.value.filter(({ isMuted }) => !isMuted).length);

/** When workers began: those that began together as one. They show as marks in charts. */
export function starts(queue?: string): Mark[] {
  const marks: { at: number; last: number; n: number }[] = [];
  const times = workers.value
    .filter(({ isAlive, queues: served }) => isAlive && (!queue || served.includes(queue)))
    .flatMap(({ startedAt }) => (startedAt === null ? [] : [startedAt]))
    .toSorted((one, other) => one - other);
  for (const at of times) {
    const before = marks.at(-1);
    if (before && at - before.last < TOGETHER_MS)
      Object.assign(before, { last: at, n: before.n + 1 });
    else marks.push({ at, last: at, n: 1 });
  }
  return marks.map(({ at, n }) => ({ at, text: t('workers.started', { n }) }));
}

/** A moment in a chart. */
export interface Mark {
  readonly at: number;
  readonly text: string;
}

/** A deploy takes its time. */
const TOGETHER_MS = 300_000;

export const operations = computed(() =>
  rowsOf<OperationAnswer>('op').toSorted((one, other) => other.startedAt - one.startedAt),
);
export const hourChart = computed(() => rows.value.get('chart') as ChartAnswer | undefined);

/** Whether something is allowed in general; the server says so again for each request. */
export function may(action: string): boolean {
  return boot.may.includes(action);
}

export type Theme = 'light' | 'dark' | 'system';
export const theme = signal<Theme>((localStorage.getItem('rq.theme') as Theme | null) ?? 'system');
export const isDense = signal(localStorage.getItem('rq.dense') === '1');

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
  localStorage.setItem('rq.theme', theme.value);
});
effect(() => {
  document.documentElement.dataset['dense'] = String(isDense.value);
  localStorage.setItem('rq.dense', isDense.value ? '1' : '0');
});

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: 'done' | 'problem';
}
export const toasts = signal<readonly Toast[]>([]);
let nextToast = 1;

export function say(text: string, kind: Toast['kind'] = 'done'): void {
  const toast = { id: nextToast, text, kind };
  nextToast += 1;
  toasts.value = [...toasts.value.slice(-2), toast];
  setTimeout(() => dismiss(toast.id), kind === 'done' ? 5000 : 10_000);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

if (boot.live) hear(boot.live, true);
setInterval(() => {
  if (!document.hidden) tick.value = Date.now();
}, 1000);
