/** How a job says in which lane it waits (`nrq_lane`): its name, a tab, its key. Neither can contain a tab. */

export function encodeLane(name: string, key: string): string {
  return `${name}\t${key}`;
}

/** The name in the text of a lane. */
export function nameInLane(lane: string): string {
  const tab = lane.indexOf('\t');
  return tab < 0 ? lane : lane.slice(0, tab);
}
