// The order of lines, as the flow model checks it after each step: who came first goes first, in each level and in each
// lane; and what is of a higher level goes before all that is not.
import type { Level } from './flow-settings.js';
import type { View } from './flow-view.js';

/** What a step has done, as far as order goes. */
export interface Moves {
  /** Where jobs come into their lines. A job that is in none of them and comes all the same: anywhere. */
  readonly place: Map<string, 'head' | 'tail' | 'any'>;
  /** Those that come together, in their order. */
  readonly together: string[];
  readonly claimed: string[];
  /** Blocking reads have brought them: they come before all others. */
  readonly woken: Set<string>;
  /** For how many jobs the step has asked; and whether Redis said that no more may start. */
  want: number;
  isLimited: boolean;
}

export const noMoves = (): Moves => ({
  place: new Map(),
  together: [],
  claimed: [],
  woken: new Set(),
  want: 0,
  isLimited: false,
});

export interface LinedJob {
  readonly level: Level;
  /** It waits in a level or in RQ's list, in no lane. */
  readonly isPlain: boolean;
  /** Python has enqueued it, and nobody has said its lane yet. */
  isUnsorted: boolean;
  /** An entry of it may stand somewhere else, too: it was there when its job was gone. */
  readonly isDouble: boolean;
}

type JobOf = (id: string) => LinedJob | undefined;

/** What is wrong with the order of lines; undefined: nothing. */
export function faultInOrder(
  before: View,
  after: View,
  moves: Moves,
  jobOf: JobOf,
): string | undefined {
  for (const line of new Set([...before.lines.keys(), ...after.lines.keys()])) {
    // Of what stands in two places, and of the bell, which stands in for its level, no place is checked; nor of a job that
    // holds its key in strict order: it goes before all others, those that come to the head, too.
    const isPassedOver = (id: string) =>
      id === before.bell?.id ||
      id === after.bell?.id ||
      before.awaited.has(id) ||
      after.awaited.has(id) ||
      jobOf(id)?.isDouble !== false;
    const had = (before.lines.get(line) ?? []).filter((id) => !isPassedOver(id));
    const has = (after.lines.get(line) ?? []).filter((id) => !isPassedOver(id));
    const fault = faultInLine(had, has, moves);
    if (fault !== undefined)
      return `${JSON.stringify(line)}: ${fault} (${had.join()} -> ${has.join()})`;
  }
  return undefined;
}

function faultInLine(
  had: readonly string[],
  has: readonly string[],
  { place, together, claimed, woken }: Moves,
): string | undefined {
  const stay = had.filter((id) => has.includes(id) && !place.has(id));
  const stayed = has.filter((id) => stay.includes(id));
  if (stay.join() !== stayed.join()) return 'those that stay have changed places';
  const first = stayed[0] === undefined ? Infinity : has.indexOf(stayed[0]);
  const last = has.indexOf(stayed.at(-1) ?? '');
  const come = has.filter((id) => !stay.includes(id));
  for (const id of come) {
    if (place.get(id) === 'head' && has.indexOf(id) > first) return `${id} is not at the head`;
    if (place.get(id) === 'tail' && has.indexOf(id) < last) return `${id} is not at the end`;
  }
  const atEnd = together.filter((id) => come.includes(id) && place.get(id) === 'tail');
  const asTheyAre = come.filter((id) => atEnd.includes(id));
  if (atEnd.join() !== asTheyAre.join()) return `${atEnd.join()} came as ${asTheyAre.join()}`;
  for (const id of claimed) {
    if (woken.has(id) || !had.includes(id)) continue;
    const passed = stay.find((other) => had.indexOf(other) < had.indexOf(id));
    if (passed !== undefined) return `${id} has passed ${passed}`;
    const head = come.find((other) => place.get(other) === 'head');
    if (head !== undefined) return `${id} has passed ${head}, which came to the head`;
  }
  return undefined;
}

/** What is wrong with levels after jobs were claimed; undefined: nothing. */
export function faultInLevels(after: View, moves: Moves, jobOf: JobOf): string | undefined {
  const waiting = (level: Level) => {
    const ids = [...(after.lines.get(level ?? 'normal') ?? [])];
    if (after.bell !== undefined && after.bell.level === level) ids.push(after.bell.id);
    return ids.filter((id) => {
      const job = jobOf(id);
      const isThere = job?.isPlain === true && !job.isDouble && job.level === level;
      return isThere && after.status.get(id) === 'queued';
    });
  };
  const high = waiting('high');
  const normal = waiting(undefined);
  for (const id of moves.claimed) {
    const job = jobOf(id);
    if (!job || moves.woken.has(id)) continue;
    const isHigh = (job.isPlain || job.isUnsorted) && job.level === 'high';
    if (!isHigh && high.length > 0) return `${id} was claimed before ${high.join()} of level high`;
    if (job.isPlain && job.level === 'low' && normal.length > 0)
      return `${id} of level low was claimed before ${normal.join()}`;
  }
  return undefined;
}
