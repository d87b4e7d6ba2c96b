import type { Readable, Writable } from 'node:stream';

/** What a run of the command line has of its process; tests bring their own. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: Writable & {
    readonly isTTY?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Aborted when the user wants it to end (Ctrl-C). */
  readonly signal: AbortSignal;
}
