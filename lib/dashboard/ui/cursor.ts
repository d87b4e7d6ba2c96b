import { useState } from 'preact/hooks';

/** The place in a drawing of columns and rows that somebody looks at: by the pointer, or by the arrow keys. */
export interface Cursor {
  /** Undefined: nobody looks. The lowest row is 0. */
  readonly at: { readonly column: number; readonly row: number } | undefined;
  /** What the drawing's element listens with. */
  readonly listeners: {
    readonly onKeyDown: (event: KeyboardEvent) => void;
    readonly onPointerMove: (event: PointerEvent) => void;
    readonly onPointerLeave: () => void;
    readonly onBlur: () => void;
  };
}

/** The keys begin at the newest column. */
export function useCursor(columns: number, rows = 1): Cursor {
  const [at, setAt] = useState<Cursor['at']>();
  const placed = (column: number, row: number) => ({
    column: within(column, columns),
    row: within(row, rows),
  });
  const leave = () => setAt(undefined);
  return {
    at: at && columns > 0 ? placed(at.column, at.row) : undefined,
    listeners: {
      onKeyDown(event) {
        if (event.key === 'Escape') leave();
        const step = STEPS[event.key];
        // Where there are no rows, these keys move the page.
        if (!step || (step[1] !== 0 && rows === 1)) return;
        event.preventDefault();
        const isReversed = event.key.startsWith('Arrow') && document.documentElement.dir === 'rtl';
        setAt(({ column, row } = placed(columns - 1, 0)) =>
          placed(column + (isReversed ? -step[0] : step[0]), row + step[1]),
        );
      },
      onPointerMove(event) {
        const box = (event.currentTarget as Element).getBoundingClientRect();
        setAt(
          placed(
            Math.floor(((event.clientX - box.left) / box.width) * columns),
            Math.floor((1 - (event.clientY - box.top) / box.height) * rows),
          ),
        );
      },
      onPointerLeave: leave,
      onBlur: leave,
    },
  };
}

function within(value: number, size: number): number {
  return Math.min(size - 1, Math.max(0, value));
}

const STEPS: Readonly<Record<string, readonly [columns: number, rows: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
  Home: [-Infinity, 0],
  End: [Infinity, 0],
};
