/** A line for each tenant, a mark for each of its jobs, at the place where it ran. */
export function chart(ran: readonly string[]): string {
  const tenants = [...new Set(ran)].toSorted();
  return tenants
    .map(
      (tenant) =>
        `    ${tenant.padEnd(6)}|${ran.map((one) => (one === tenant ? '#' : ' ')).join('')}|`,
    )
    .join('\n');
}
