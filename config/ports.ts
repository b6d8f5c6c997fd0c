const highestPort = 65_535;

/**
 * Ports that browsers and Node's fetch refuse to speak HTTP to (WHATWG Fetch, "port blocking"): those above 1023,
 * for below it nobody puts a stack.
 */
const blockedPorts: readonly number[] = [
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10_080,
];

/** These are spoken to by HTTP; Temporal and PostgreSQL have languages of their own. */
const notHttp: readonly string[] = ['temporal', 'postgres'];

/** What is wrong with ports, each by its service, once `offset` has moved them. */
export function portProblems(ports: Readonly<Record<string, number>>, offset: number): string[] {
  return Object.entries(ports).flatMap(([service, port]) => {
    const moved = port + offset;
    const told = `the port of ${service} would be ${port} + ${offset} (the port offset) = ${moved}`;
    if (moved > highestPort) return [`${told}; ${highestPort} is the highest there is`];
    return blockedPorts.includes(moved) && !notHttp.includes(service)
      ? [`${told}, to which browsers and fetch refuse to speak HTTP; choose another offset or port`]
      : [];
  });
}
