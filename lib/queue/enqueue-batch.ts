/**
 * The jobs that are enqueued in one turn of the event loop go to Redis together. Each caller still gets a promise of
 * its own. Nothing waits on a timer: a single job is sent as soon as the turn is over. More than a few go in several
 * calls: callers who enqueue again when they have their answer then do so while Redis works on the next call.
 */
export class EnqueueBatch<Item, Answer = never> {
  private pending: Pending<Item, Answer>[] = [];

  /**
   * @param send stores the items and answers for each what is to be known of it, undefined = nothing; an error: it was
   * refused
   * @param limit how many items a call takes at most
   * @param sizeOf the length of an item: long ones go in smaller calls, of which Redis reads one while another travels
   */
  constructor(
    private readonly send: (items: Item[]) => Promise<(Error | Answer | undefined)[]>,
    private readonly limit: number,
    private readonly sizeOf: (item: Item) => number = () => 0,
  ) {}

  /** Resolves when Redis has acknowledged the item. */
  add(item: Item): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      if (this.pending.length === 0) setImmediate(() => this.sendPending());
      this.pending.push({ item, resolve, reject });
    });
  }

  private sendPending(): void {
    const batch = this.pending;
    this.pending = [];
    const most = Math.min(this.limit, Math.max(FEW, Math.ceil(batch.length / 2)));
    for (let first = 0; first < batch.length;) {
      const end = this.endOfCall(batch, first, most);
      void this.deliver(first === 0 && end === batch.length ? batch : batch.slice(first, end));
      first = end;
    }
  }

  private endOfCall(batch: readonly Pending<Item, Answer>[], first: number, most: number): number {
    let size = 0;
    let end = first;
    while (end < batch.length && end - first < most && size < LARGE_CALL) {
      size += this.sizeOf((batch[end] as Pending<Item, Answer>).item);
      end += 1;
    }
    return end;
  }

  private async deliver(batch: Pending<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.send(batch.map(({ item }) => item));
      batch.forEach(({ resolve, reject }, index) => {
        const answer = answers[index];
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error as Error);
    }
  }
}

/** So few items are not worth a second call. */
const FEW = 8;
/** Characters. */
const LARGE_CALL = 32_768;

interface Pending<Item, Answer> {
  readonly item: Item;
  readonly resolve: (answer: Answer | undefined) => void;
  readonly reject: (error: Error) => void;
}
