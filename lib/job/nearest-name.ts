/**
 * The known name that somebody has probably meant: an option, a queue. Letters that are changed, left out, added or
 * exchanged with their neighbour count one each.
 */

/** The known name that is spelt most like this one, whatever the case of its letters; undefined when none is near. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const most = Math.max(1, Math.floor(name.length / 4));
  let nearest: string | undefined;
  let least = most + 1;
  for (const one of known) {
    if (Math.abs(one.length - name.length) >= least) continue;
    const distance = distanceOf(name.toLowerCase(), one.toLowerCase());
    if (distance < least) [nearest, least] = [one, distance];
  }
  return nearest;
}

/** Nobody means a name that is longer. */
const LONGEST = 100;

function distanceOf(from: string, to: string): number {
  if (from.length > LONGEST || to.length > LONGEST) return Infinity;
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let index = 0; index < from.length; index += 1) {
    const next = [index + 1];
    for (let at = 1; at <= to.length; at += 1) {
      const change = (row[at - 1] ?? 0) + (to[at - 1] === from[index] ? 0 : 1);
      const isExchanged = to[at - 1] === from[index - 1] && to[at - 2] === from[index];
      const exchange = isExchanged ? (before[at - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(change, exchange, (row[at] ?? 0) + 1, (next[at - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[to.length] ?? Infinity;
}
