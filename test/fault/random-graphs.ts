// Graphs of jobs at random, and what may become of them. A seed says all that is random, so that a round that failed can
// be run again (but for the moments at which workers die).
import type { IfFailed } from '../../lib/job/index.js';
import type { Entry } from './journal.js';

export const QUEUES = ['graph-a', 'graph-b', 'graph-c'];

export interface GraphNode {
  readonly id: string;
  readonly queue: string;
  readonly parents: readonly string[];
  readonly ifFailed: IfFailed;
  /** Up to this attempt it fails. */
  readonly fails: number;
  /** Milliseconds. */
  readonly takes: number;
  /** Retries. */
  readonly retries: number;
}

/** What somebody has done to a job, as far as Redis has answered that it is done. */
export type Deed = 'cancel' | 'release' | 'delete' | 'delete all' | 'requeue';

export interface Facts {
  readonly nodes: readonly GraphNode[];
  readonly deeds: ReadonlyMap<string, readonly Deed[]>;
  /** Where each job stands; `missing`. */
  readonly status: ReadonlyMap<string, string>;
  readonly journal: readonly Entry[];
  /** Python ran them, and somebody did something to them: a Python worker does not hear of that, and writes its own end. */
  readonly unsure: ReadonlySet<string>;
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function graphOf(name: string, random: () => number): GraphNode[] {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)]!;
  const count = 5 + Math.floor(random() * 36);
  const nodes: GraphNode[] = [];
  for (let index = 0; index < count; index += 1) {
    const parents = new Set<string>();
    const most = random() < 0.15 ? 0 : 1 + Math.floor(random() * 4);
    for (let parent = 0; parent < Math.min(most, index); parent += 1) parents.add(pick(nodes).id);
    nodes.push({
      id: `${name}-${index}`,
      queue: pick(QUEUES),
      parents: [...parents],
      ifFailed: pick(['cancel', 'cancel', 'run', 'wait']),
      fails: pick([0, 0, 0, 0, 0, 1, 2, 99]),
      takes: Math.floor(random() * 25),
      retries: pick([0, 0, 1]),
    });
  }
  return nodes;
}

/** All that should not be, as lines to read. An empty list is a pass. */
export function judge({ nodes, deeds, status, journal, unsure }: Facts): string[] {
  const found: string[] = [];
  const runs = new Map<string, Entry[]>();
  const ends = new Map<string, Entry[]>();
  for (const entry of journal) {
    const list = entry.event === 'run' ? runs : entry.event === 'end' ? ends : undefined;
    if (!list || entry.id === undefined) continue;
    list.set(entry.id, [...(list.get(entry.id) ?? []), entry]);
  }
  const done = (id: string, ...which: readonly Deed[]) =>
    (deeds.get(id) ?? []).some((deed) => which.includes(deed));
  const stands = (id: string) => status.get(id) ?? 'missing';
  const hasReturned = (id: string, until = Infinity) =>
    (ends.get(id) ?? []).some(({ how, at }) => how === 'returned' && at <= until);
  // Parents come before their children.
  const goneAlong = new Set<string>();
  /** Jobs that may have been canceled because of another, and have come back since. */
  const cameBack = new Set<string>();
  for (const { id, parents } of nodes) {
    if (parents.some((parent) => done(parent, 'delete all') || goneAlong.has(parent)))
      goneAlong.add(id);
    if (done(id, 'requeue') || parents.some((parent) => cameBack.has(parent))) cameBack.add(id);
  }

  for (const { id, parents, ifFailed } of nodes) {
    if (unsure.has(id)) continue;
    const is = stands(id);
    const accuse = (problem: string) =>
      found.push(
        `${id} (${ifFailed}, ${is}) ${problem}; parents: ` +
          parents.map((parent) => `${parent} ${stands(parent)}`).join(', '),
      );
    const first = runs.get(id)?.[0];
    for (const parent of first ? parents : []) {
      const isOver =
        ifFailed === 'run'
          ? (ends.get(parent)?.[0]?.at ?? Infinity) <= first!.at ||
            !runs.has(parent) ||
            cameBack.has(parent)
          : hasReturned(parent, first!.at);
      if (
        !isOver &&
        !goneAlong.has(parent) &&
        !done(parent, 'cancel', 'release', 'delete', 'delete all')
      )
        accuse(`ran before ${parent} was over`);
    }
    if (is === 'missing') {
      if (!done(id, 'delete', 'delete all') && !goneAlong.has(id)) accuse('is gone');
      continue;
    }
    if (done(id, 'cancel', 'release', 'delete', 'delete all')) {
      if (is !== 'canceled' || done(id, 'delete', 'delete all')) accuse('was ended by somebody');
      continue;
    }
    const wayOf = (parent: string): readonly Way[] => {
      if (unsure.has(parent)) return ['met', 'pending', 'failed', 'gone'];
      if (stands(parent) === 'finished') return ['met'];
      // Its own cancel because of another may have come between, and been undone by a requeue: then it has not been told,
      // and a parent counts as it stands; one that is gone as met.
      const wasAway = cameBack.has(id);
      if (done(parent, 'release')) return ['met'];
      if (stands(parent) === 'deferred')
        return ifFailed === 'run' && cameBack.has(parent) ? ['met', 'pending'] : ['pending'];
      if (ifFailed === 'run') return ['met'];
      // It may have finished before it was deleted, or its worker has died just before it had.
      if (stands(parent) === 'missing')
        return hasReturned(parent) || wasAway ? ['met', 'gone'] : ['gone'];
      return ['failed'];
    };
    const allowed = endsOf(parents.map(wayOf), ifFailed);
    const ran = is === 'finished' || is === 'failed';
    const last = ends.get(id)?.at(-1)?.how;
    if (!allowed.includes(ran ? 'runs' : is)) accuse(`should be: ${allowed.join(' or ')}`);
    else if (is === 'canceled' && first) accuse('ran, and is canceled');
    else if (ran && last !== (is === 'finished' ? 'returned' : 'threw')) accuse(`last ${last}`);
  }
  return found;
}

/** What a parent is to a child. */
type Way = 'met' | 'pending' | 'failed' | 'gone';

function endsOf(ways: readonly (readonly Way[])[], ifFailed: IfFailed): string[] {
  const sure = ways.flatMap((one) => (one.length === 1 ? one : []));
  const isUnsure = sure.length < ways.length;
  const ends = new Set<string>();
  if (ifFailed === 'run') {
    if (!sure.includes('pending')) ends.add('runs');
    if (sure.includes('pending') || isUnsure) ends.add('deferred');
    return [...ends];
  }
  if (sure.includes('gone')) ends.add('canceled');
  else if (ifFailed === 'cancel' && sure.includes('failed')) ends.add('canceled');
  else if (sure.includes('failed') || sure.includes('pending')) ends.add('deferred');
  else ends.add('runs');
  if (isUnsure) ends.add('canceled');
  if (ways.some((one) => one.length > 1 && one.includes('pending'))) ends.add('deferred');
  if (ifFailed === 'wait' && ways.some((one) => one.includes('failed'))) ends.add('deferred');
  return [...ends];
}
