/** How a job says in which lane it waits (`nrq_lane`): its name, a tab, its key. Neither can contain a tab. */

export function encodeLane(name: string, key: string): string {
  return `${name}\t${key}`;
}

/** The same of a job whose options say its key; undefined: they do not. */
export function laneOf(name: string, { key }: { readonly key?: string }): string | undefined {
  return key === undefined ? undefined : encodeLane(name, key);
}

/** The name in the text of a lane. */
export function nameInLane(lane: string): string {
  const tab = lane.indexOf('\t');
  return tab < 0 ? lane : lane.slice(0, tab);
}

/** The key in the text of a lane. */
export function keyInLane(lane: string): string {
  return lane.slice(lane.indexOf('\t') + 1);
}
