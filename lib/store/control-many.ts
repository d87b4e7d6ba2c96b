import type { ControlPace, ControlReply, ControlReport, SelectedPlace } from './job-store.js';
import { nameIn } from '../wire/job-row.js';
import {
  CONTROLLED_AT_ONCE,
  type ControlAnswer,
  type ControlSlice,
  type ControlSliceReply,
} from './scripts/control.js';

/**
 * One action for many jobs, a slice per call: `control.lua` does the work, the loops are here. What a slice has done
 * stays done when a later one fails.
 */
export class ControlMany {
  private readonly counts = new Map<ControlAnswer, number>();
  private looked = 0;

  private isOver = false;

  /**
   * @param run makes one call of the script
   * @param readQueue a part of the list of the queue; undefined: the action takes nothing out of it
   * @param pace how fast it may go; default: as fast as Redis can
   */
  constructor(
    private readonly run: (slice: ControlSlice) => Promise<ControlSliceReply>,
    private readonly readQueue:
      ((first: number, last: number) => Promise<readonly string[]>) | undefined,
    private readonly pace: ControlPace | undefined,
  ) {}

  async ids(ids: readonly string[]): Promise<ControlReport> {
    await this.all(ids);
    return this.report;
  }

  /** Jobs that come into the place meanwhile are not taken: it ends with what was there when it began. */
  async place({ limit = Infinity, ...from }: SelectedPlace): Promise<ControlReport> {
    let total: number | undefined;
    let looked = 0;
    let offset = 0;
    let behind = '';
    while (looked < (total ?? Infinity) && this.done < limit && !this.isOver) {
      const left = (total ?? Infinity) - looked;
      const most = Math.min(this.most, limit - this.done, left);
      const reply = await this.run({ from, offset, behind, most });
      if (reply.looked === 0) break;
      total ??= reply.total;
      looked += reply.looked;
      this.count(reply);
      const named = reply.unread.filter(({ data }) => nameIn(data) === from.name);
      const rest = named.slice(0, limit - this.done).map(({ id }) => id);
      this.add('passed', reply.unread.length - named.length);
      const before = this.done;
      await this.all(rest, offset);
      offset += reply.stay - (this.done - before);
      if (reply.behind !== '') behind = reply.behind;
      await this.rest();
    }
    return { ...this.report, looked };
  }

  private async all(ids: readonly string[], first = 0): Promise<void> {
    const { order, places } = await this.inOrderOfQueue(ids);
    let taken = 0;
    for (let at = 0; at < order.length && !this.isOver;) {
      const place = places.get(order[at] as string);
      let end = at + 1;
      const isNear = (id: string) => (places.get(id) ?? Infinity) - (place ?? Infinity) < FAR;
      const isTogether = (id: string) => (place === undefined ? true : isNear(id));
      while (end < order.length && end - at < this.most && isTogether(order[end] as string))
        end += 1;
      const offset = Math.max(0, (place ?? first) - taken);
      const reply = await this.run({ ids: order.slice(at, end), offset });
      if (reply.looked === 0) return;
      at += reply.looked;
      if (place !== undefined) taken += reply.answers.done ?? 0;
      this.count(reply);
      await this.rest();
    }
  }

  private get most(): number {
    return Math.min(CONTROLLED_AT_ONCE, this.pace?.most ?? CONTROLLED_AT_ONCE);
  }

  private async rest(): Promise<void> {
    if (this.pace && !(await this.pace.goesOn(this.report))) this.isOver = true;
  }

  /** Ids that stand in a long queue come first, in its order: so the script has little of it to read for each slice. */
  private async inOrderOfQueue(
    ids: readonly string[],
  ): Promise<{ order: readonly string[]; places: ReadonlyMap<string, number> }> {
    const places = new Map<string, number>();
    if (!this.readQueue || ids.length < 2) return { order: ids, places };
    const wanted = new Set(ids);
    for (let first = 0; places.size < wanted.size; first += READ_AT_ONCE) {
      const part = await this.readQueue(first, first + READ_AT_ONCE - 1);
      for (const [index, id] of part.entries()) {
        if (wanted.has(id) && !places.has(id)) places.set(id, first + index);
      }
      if (part.length < READ_AT_ONCE) break;
    }
    const found = ids.filter((id) => places.has(id));
    found.sort((one, other) => (places.get(one) ?? 0) - (places.get(other) ?? 0));
    return { order: [...found, ...ids.filter((id) => !places.has(id))], places };
  }

  private count({ looked, answers }: ControlSliceReply): void {
    this.looked += looked;
    for (const [answer, count] of Object.entries(answers)) {
      if (answer !== 'unread') this.add(answer as ControlAnswer, count);
    }
  }

  private add(answer: ControlAnswer, count: number): void {
    this.counts.set(answer, this.of(answer) + count);
  }

  private of(answer: ControlAnswer): number {
    return this.counts.get(answer) ?? 0;
  }

  private get done(): number {
    return this.of('done');
  }

  private get report(): ControlReport {
    const undoable = this.of('kept');
    return {
      done: this.done,
      skipped: {
        running: this.of('running'),
        state: this.of('refused') + this.of('already'),
        duplicate: this.of('duplicate'),
      },
      missing: this.of('missing'),
      ...(undoable > 0 ? { undoable } : undefined),
      looked: this.looked,
    };
  }
}

/** The same selection in several lists, one after the other, as if they were one. */
export async function inTurn(
  selection: SelectedPlace,
  lists: readonly string[],
  control: (selection: SelectedPlace, list: string) => Promise<ControlReport>,
): Promise<ControlReport> {
  let { limit } = selection;
  const reports: ControlReport[] = [];
  for (const list of lists) {
    const report = await control({ ...selection, limit }, list);
    reports.push(report);
    if (limit !== undefined) limit -= report.done;
  }
  return sumOf(reports);
}

/** Of several calls that were made for one, one report. */
export function sumOf(reports: readonly ControlReport[]): ControlReport {
  const sum = (of: (report: ControlReport) => number) =>
    reports.reduce((count, report) => count + of(report), 0);
  return {
    done: sum(({ done }) => done),
    skipped: {
      running: sum(({ skipped }) => skipped.running),
      state: sum(({ skipped }) => skipped.state),
      duplicate: sum(({ skipped }) => skipped.duplicate),
    },
    missing: sum(({ missing }) => missing),
    ...(reports.some(({ undoable }) => undoable !== undefined)
      ? { undoable: sum(({ undoable = 0 }) => undoable) }
      : undefined),
    looked: sum(({ looked }) => looked),
  };
}

/** What became of the only job of a call. */
export function replyOfOne({ answers, status }: ControlSliceReply): ControlReply {
  if (answers.running) return { answer: 'refused', status };
  // In no order. What was counted may have been taken back, and `kept` is said beside `done`.
  const said = Object.entries(answers).find(([answer, count]) => answer !== 'kept' && count > 0);
  return { answer: (said?.[0] ?? 'missing') as ControlReply['answer'], status };
}

/** Entries of a queue in one call that changes nothing; takes a Redis below a millisecond. */
const READ_AT_ONCE = 5000;
/** How far behind the first of a slice the script looks for the others in the queue. */
const FAR = 700;
