/**
 * What the consumer of a queue is doing, in one word.
 *
 * Its life goes one way: starting, serving, stopping, closed. When Redis fails it backs off, and then, if an answer was
 * lost that may have brought jobs, it searches for them; after that it goes on where its life stands by then. A consumer
 * may so be told to stop while it backs off: it stays `backing off`, claims nothing from then on, and is `stopping` when
 * Redis is back.
 *
 * Beside all that it may be paused (`rq.worker().pause()`): it then claims and starts nothing, whatever its mode.
 *
 * | Mode        | Exchanges with Redis | Claims jobs, starts them |
 * | ----------- | -------------------- | ------------------------ |
 * | starting    | yes                  | not yet                  |
 * | serving     | yes                  | yes                      |
 * | backing off | no                   | starts those that it has, unless told to stop |
 * | searching   | no                   | the same                 |
 * | stopping    | yes: outcomes        | no                       |
 * | closed      | no                   | no                       |
 */
export class ConsumerMode {
  private life: 'starting' | 'serving' | 'stopping' | 'closed' = 'starting';
  private interruption: 'backing off' | 'searching' | undefined;
  /** This worker shall claim nothing for now. */
  isPaused = false;

  get current(): Mode {
    return this.interruption ?? this.life;
  }

  /** Redis may be asked, and told of outcomes. */
  get mayExchange(): boolean {
    return this.interruption === undefined && this.life !== 'closed';
  }

  /** New jobs are welcome: those that come in are started. */
  get acceptsJobs(): boolean {
    return this.life === 'serving' && !this.isPaused;
  }

  /** Everything is set up. After `stop` it stays stopped, however late this comes. */
  start(): void {
    if (this.life === 'starting') this.life = 'serving';
  }

  /** No more jobs; what runs may still end. */
  stop(): void {
    if (this.life !== 'closed') this.life = 'stopping';
  }

  /** Redis has failed. */
  backOff(): void {
    if (this.life !== 'closed') this.interruption = 'backing off';
  }

  /** Redis is to be asked for jobs that a lost answer has claimed. */
  search(): void {
    if (this.life !== 'closed') this.interruption = 'searching';
  }

  /** Redis may be asked again. */
  goOn(): void {
    this.interruption = undefined;
  }

  /** The end, from wherever. */
  close(): void {
    this.life = 'closed';
    this.interruption = undefined;
  }
}

export type Mode = 'starting' | 'serving' | 'backing off' | 'searching' | 'stopping' | 'closed';
